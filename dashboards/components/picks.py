"""Selections that lead away: once followed they are gone, so that Back does not follow them again.

A browser keeps what was selected in a widget for as long as the widget has the same key.
"""

import streamlit as st


def pick_key(key: str) -> str:
    """The key of a widget until its selection is followed."""
    return f"{key}-{st.session_state.get(_counter(key), 0)}"


def followed(key: str) -> None:
    """The next run draws the widget anew, with nothing selected."""
    st.session_state[_counter(key)] = st.session_state.get(_counter(key), 0) + 1


def _counter(key: str) -> str:
    return f"picks-{key}"
