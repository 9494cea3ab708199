"""Ranges with more flows than a page answers for within a second: said, and computed when asked.

A page never leaves flows out in silence. It opens with the latest flows that it can answer for; a
wider range that somebody chose is computed at the press of a button.
"""

import streamlit as st

from dashboards import data
from dashboards.components.range_bar import clear_range
from dashboards.markup import notes
from dashboards.scope import Scope
from dashboards.wording import plural

_ASKED = "wide-range"


def wanted(scope: Scope, flows: int, flows_max: int, held_max: int | None = None) -> bool:
    """Whether to compute over so many flows now; else the page says why not and how to.

    A page that holds its flows in memory holds `held_max` of them at most, and offers no more.
    """
    if is_asked(scope, flows, flows_max):
        return True
    _say(f"{plural(flows, 'flow')} in this range", flows_max)
    with st.container(horizontal=True):
        st.button(f"Show the latest {flows_max:,} flows", key="wide-latest", on_click=clear_range)
        if held_max is None or flows <= held_max:
            _offer(flows, flows_max, _of(scope))
    if held_max is not None and flows > held_max:
        st.text(
            f"More than {held_max:,} flows are too many for a page: choose a shorter range above, "
            "or use the command line, which has no such limit."
        )
    return False


def is_asked(scope: Scope, flows: int, flows_max: int) -> bool:
    """Whether so many flows are computed over without a press, or somebody pressed."""
    return flows <= flows_max or st.session_state.get(_ASKED) == _of(scope)


def wanted_of_store(what: str, records: int, records_max: int) -> bool:
    """The same where no range helps: the numbers are of the whole store."""
    asked = (data.stamp_of(data.store_path()), what)
    if records <= records_max or st.session_state.get(_ASKED) == asked:
        return True
    _say(f"{records:,} {what} in the store, and these numbers are of all of them", records_max)
    _offer(records, records_max, asked)
    return False


def _of(scope: Scope) -> object:
    return (data.stamp_of(data.store_path()), scope)


def _say(many: str, at_once: int) -> None:
    told = f"{many}; this page answers for about {at_once:,} within a second"
    st.html(notes([f"{told}, so nothing is computed yet."], tone="warn"))


def _offer(records: int, at_once: int, asked: object) -> None:
    label = f"Compute over all {records:,} (about {_seconds(records, at_once)})"
    st.button(label, key="wide-all", on_click=_ask, args=(asked,))


def _seconds(flows: int, flows_max: int) -> str:
    seconds = -(-flows // flows_max)
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"


def _ask(asked: object) -> None:
    st.session_state[_ASKED] = asked
