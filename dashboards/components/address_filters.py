"""Filters whose truth is the address: a link, Back and a reload show the same flows.

Streamlit can bind a widget to the address itself, but writes its labels there, icons included; an
address must outlive a change of wording.
"""

from collections.abc import Callable, Sequence

import streamlit as st

TEXT_LENGTH_MAX = 200


def filter_choice(
    label: str,
    name: str,
    options: Sequence[str],
    words: Callable[[str], str],
    placeholder: str = "any",
) -> list[str]:
    """Chosen values, `placeholder` where there is none. One that nothing in the store has stays
    chosen: it then finds nothing."""
    key = f"filter-{name}"
    wanted = list(dict.fromkeys(st.query_params.get_all(name)))
    st.session_state[key] = wanted
    return st.multiselect(
        label,
        list(dict.fromkeys([*options, *wanted])),
        key=key,
        format_func=words,
        placeholder=placeholder,
        on_change=_write,
        args=(key, name),
    )


def filter_text(label: str, name: str, placeholder: str | None = None) -> str:
    """A text to look for."""
    key = f"filter-{name}"
    st.session_state[key] = st.query_params.get(name, "")[:TEXT_LENGTH_MAX]
    text = st.text_input(
        label,
        key=key,
        type="search" if placeholder is None else "default",
        placeholder=placeholder,
        max_chars=TEXT_LENGTH_MAX,
        on_change=_write,
        args=(key, name),
    )
    return text or ""


def one_of(label: str, name: str, options: Sequence[str], words: Callable[[str], str] = str) -> str:
    """One of a few options side by side; the first one stands for no word in the address."""
    key = f"choice-{name}"
    wanted = st.query_params.get(name, "")
    st.session_state[key] = wanted if wanted in options else options[0]
    chosen = st.segmented_control(
        label,
        list(options),
        key=key,
        format_func=words,
        required=True,
        on_change=_write_other,
        args=(key, name, options[0]),
    )
    return str(chosen)


def switched(label: str, name: str, explanation: str | None = None) -> bool:
    """Whether something is on: `name=1` in the address."""
    key = f"switch-{name}"
    st.session_state[key] = st.query_params.get(name) == "1"
    return st.toggle(label, key=key, help=explanation, on_change=_write_switch, args=(key, name))


def _write_other(key: str, name: str, first: str) -> None:
    chosen = str(st.session_state[key])
    if chosen == first:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen


def _write_switch(key: str, name: str) -> None:
    if st.session_state[key]:
        st.query_params[name] = "1"
    else:
        st.query_params.pop(name, None)


def _write(key: str, name: str) -> None:
    value = st.session_state[key]
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
