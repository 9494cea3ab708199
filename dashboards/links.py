"""Ways between the pages: every number leads to the flows behind it."""

import shlex
from pathlib import Path

import streamlit as st

from dashboards.wording import markdown_safe

VIEWS = Path(__file__).parent / "views"

QueryValue = str | list[str]


def page(name: str) -> Path:
    """The file of a view."""
    return VIEWS / f"{name}.py"


def flows_link(label: str, **filters: QueryValue) -> None:
    """A link to the flows that a number counts."""
    st.page_link(page("flows"), label=markdown_safe(label), query_params=dict(filters))


def trace_link(label: str, *, flow: str, span: str | None = None, trace: str | None = None) -> None:
    """A link to one flow, to one of its spans when given."""
    more = {"span": span, "trace": trace}
    target = {"flow": flow} | {key: value for key, value in more.items() if value}
    st.page_link(page("trace"), label=markdown_safe(label), query_params=target)


def open_flows(**filters: QueryValue) -> None:
    """Leaves for the list of flows."""
    st.switch_page(page("flows"), query_params=dict(filters))


def open_trace(flow: str) -> None:
    """Leaves for one flow."""
    st.switch_page(page("trace"), query_params={"flow": flow})


def as_command(*words: str) -> None:
    """The same answer from the command line, ready to copy."""
    st.code(shlex.join(["retrospan", *words]), language=None, wrap_lines=True)
