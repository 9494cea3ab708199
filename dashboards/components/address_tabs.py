"""Tabs whose truth is the address: a link opens one, Back goes to the one before."""

from collections.abc import Callable, Mapping

import streamlit as st


def address_tabs(name: str, parts: Mapping[str, Callable[[], None]]) -> None:
    """Draws the tabs and runs the open one; the first one stands for no word in the address."""
    key = f"tabs-{name}"
    labels = list(parts)
    wanted = st.query_params.get(name, "")
    st.session_state[key] = wanted if wanted in parts else labels[0]
    tabs = st.tabs(labels, key=key, on_change=_write, args=(key, name, labels[0]))
    for tab, show in zip(tabs, parts.values(), strict=True):
        if tab.open:
            with tab:
                show()


def _write(key: str, name: str, first: str) -> None:
    chosen = str(st.session_state[key])
    if chosen == first:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen
