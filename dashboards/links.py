"""Ways between the pages: every number leads to the flows behind it."""

import os
import shlex
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from dashboards.components.leave import leave
from dashboards.data import store_path
from dashboards.scope import NAMES
from dashboards.wording import markdown_safe
from retrospan.config import CONFIG_VARIABLE
from retrospan.edge import STORE_DEFAULT

VIEWS = Path(__file__).parent / "views"

QueryValue = str | list[str]
PAGE_KEY = "range_bar_page"  # in the session: the path of the page at hand


def page(name: str) -> Path:
    """The file of a view."""
    return VIEWS / f"{name}.py"


def in_scope(**target: QueryValue) -> dict[str, QueryValue]:
    """An address on another page that keeps time range, environment and service."""
    kept: dict[str, QueryValue] = {
        name: st.query_params.get_all(name) for name in NAMES if name in st.query_params
    }
    return kept | target


def flows_link(label: str, **filters: QueryValue) -> None:
    """A link to the flows that a number counts."""
    st.page_link(page("flows"), label=_link_text(label), query_params=in_scope(**filters))


def trace_link(label: str, *, flow: str, span: str | None = None) -> None:
    """A link to one flow, to one of its spans when given."""
    target = {"flow": flow} | ({"span": span} if span else {})
    st.page_link(page("trace"), label=_link_text(label), query_params=in_scope(**target))


def span_link(label: str, *, trace_id: str, span_id: str) -> None:
    """A link to a span of whatever flow holds it."""
    target = in_scope(trace=trace_id, span=span_id)
    st.page_link(page("trace"), label=_link_text(label), query_params=target)


def span_button(label: str, *, key: str, trace_id: str | None, span_id: str) -> None:
    """Shows a span of the flow at hand in the waterfall."""
    arguments = (trace_id, span_id)
    st.button(_link_text(label), key=key, type="tertiary", on_click=show_span, args=arguments)


def show_span(trace_id: str | None, span_id: str) -> None:
    """Puts a span of the flow at hand into the address; the waterfall, the first tab, shows it."""
    chosen = {"flow": st.query_params.get("flow"), "trace": trace_id, "span": span_id}
    st.query_params.from_dict(in_scope(**{key: value for key, value in chosen.items() if value}))


def change_address(changes: Mapping[str, QueryValue]) -> None:
    """Changes parts of this page's address, one step for Back; what is empty is left out."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    whole: dict[str, QueryValue] = {**given, **changes}
    st.query_params.from_dict({name: value for name, value in whole.items() if value})


def _link_text(label: str) -> str:
    return f":primary[{markdown_safe(label)} →]"


def view_link(view: str, label: str, **target: QueryValue) -> None:
    """A link to any page. To another address of this one it is a button: Streamlit's link to the
    page at hand does not leave its address."""
    if st.session_state.get(PAGE_KEY) != _path(view):
        st.page_link(page(view), label=_link_text(label), query_params=in_scope(**target))
        return
    words = urlencode(target, doseq=True)
    st.button(
        _link_text(label),
        key=f"to-{label}-{words}",
        type="tertiary",
        on_click=_write_address,
        args=(in_scope(**target),),
    )


def _write_address(target: dict[str, QueryValue]) -> None:
    st.query_params.from_dict(target)


def _path(view: str) -> str:
    facts = import_module(f"dashboards.views.{view}").PAGE
    return "" if facts.default else str(facts.url_path)


def open_view(view: str, **target: QueryValue) -> None:
    """Leaves for any page, or for another address of this one, once this run is drawn."""
    leave(_path(view), in_scope(**target))


def open_flows(**filters: QueryValue) -> None:
    """Leaves for the list of flows."""
    open_view("flows", **filters)


def open_trace(flow: str) -> None:
    """Leaves for one flow."""
    open_view("trace", flow=flow)


def open_replay(flow: str) -> None:
    """Leaves for the replay of one flow."""
    open_view("replay", flow=flow)


def as_command(*words: str, whole: bool = False) -> None:
    """The same answer from the command line, ready to copy; it names the store and the
    configuration unless they are where commands look for them. Of a command that answers for the
    `whole` store this is said where the address narrows the page."""
    if whole and any(name in st.query_params for name in NAMES):
        st.caption("The command knows no such selection: it answers for the whole store.")
    path, config = store_path(), os.environ.get(CONFIG_VARIABLE)
    found = path == Path.cwd() / STORE_DEFAULT
    named = [*([] if found else ["--db", str(path)]), *(["--config", config] if config else [])]
    st.code(shlex.join(["retrospan", *named, *words]), language=None, wrap_lines=True)


def replay_link(label: str, *, flow: str) -> None:
    """A link to the replay of one flow."""
    st.page_link(page("replay"), label=_link_text(label), query_params=in_scope(flow=flow))
