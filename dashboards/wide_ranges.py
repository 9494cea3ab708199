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


def wanted(scope: Scope, flows: int, flows_max: int) -> bool:
    """Whether to compute over so many flows now; else the page says why not and how to."""
    if flows <= flows_max:
        return True
    asked = (data.stamp_of(data.store_path()), scope)
    if st.session_state.get(_ASKED) == asked:
        return True
    st.html(
        notes(
            [
                f"{plural(flows, 'flow')} in this range; this page answers for about "
                f"{flows_max:,} within a second, so nothing is computed yet."
            ],
            tone="warn",
        )
    )
    with st.container(horizontal=True):
        st.button(f"Show the latest {flows_max:,} flows", key="wide-latest", on_click=clear_range)
        st.button(
            f"Compute over all {flows:,} (about {_seconds(flows, flows_max)})",
            key="wide-all",
            on_click=_ask,
            args=(asked,),
        )
    return False


def _seconds(flows: int, flows_max: int) -> str:
    seconds = -(-flows // flows_max)
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"


def _ask(asked: object) -> None:
    st.session_state[_ASKED] = asked
