"""What sets one selection of flows apart from another, asked once per pair of selections."""

from collections.abc import Sequence
from functools import partial

import polars as pl
import streamlit as st

from analyzer.contrast import Contrast, Difference, Term, contrast, read_facts
from analyzer.contrast.facts import Facts
from analyzer.contrast.groups import COMPARED_MAX, chance
from dashboards import data
from dashboards.data import Stamp
from dashboards.wording import clean, duration_text

AT_ONCE = 800  # flows that are compared without being asked to; of more a sample:
SAMPLE = 200  # of each group
FLOWS_PER_SECOND = 2_000  # beyond the first second
DURATION = "duration_ns"
ABOVE = "> "
_WIDE = "differences-wide"  # in the session: the selections somebody wants more of compared


def contrasted(selected: Sequence[str], baseline: Sequence[str]) -> tuple[Contrast, bool]:
    """The differences of two lists of flow ids, and whether all of them were compared.

    Of many flows a sample is compared, which is said with a button for more.
    """
    asked = (tuple(selected), tuple(baseline))
    every = len(selected) + len(baseline)
    most = _most(*asked)
    path = data.store_path()
    found = _contrasted(str(path), data.stamp_of(path), *asked, most)
    if found.n_selected + found.n_baseline == every:
        return found, True
    st.caption(
        f"A sample: {found.n_selected:,} of A and {found.n_baseline:,} of B were compared, "
        "chosen by nothing that counts."
    )
    if most < COMPARED_MAX:
        many = sum(min(COMPARED_MAX, len(ids)) for ids in asked)
        label = f"Compare {many:,} flows (about {_seconds(many)} s)"
        st.button(label, key="differences-all", on_click=_widen, args=(asked,))
    return found, False


def ask_contrast(selected: Sequence[str], baseline: Sequence[str]) -> None:
    """Asks what `contrasted` compares, under the lease of whoever asks."""
    most = _most(tuple(selected), tuple(baseline))
    if selected and baseline and most < COMPARED_MAX:
        path = data.store_path()
        _facts(str(path), data.stamp_of(path), (*_few(selected, most), *_few(baseline, most)))


def _most(*asked: tuple[str, ...]) -> int:
    """Of how many of each group the facts are read."""
    whole = sum(map(len, asked)) <= AT_ONCE or st.session_state.get(_WIDE) == asked
    return COMPARED_MAX if whole else SAMPLE


def _seconds(flows: int) -> int:
    return 1 + flows // FLOWS_PER_SECOND


def _widen(asked: object) -> None:
    st.session_state[_WIDE] = asked


@st.cache_resource(max_entries=6, show_spinner="Comparing flows …")
def _contrasted(
    path: str, stamp: Stamp, selected: tuple[str, ...], baseline: tuple[str, ...], most: int
) -> Contrast:
    few = [_few(ids, most) for ids in (selected, baseline)]
    return contrast(_facts(path, stamp, (*few[0], *few[1])), len(few[0]))


@st.cache_resource(max_entries=2, show_spinner=False)
def _facts(path: str, stamp: Stamp, flow_ids: tuple[str, ...]) -> Facts:
    del stamp  # only part of the key
    return data.held("contrasting flows", partial(read_facts, flow_ids=flow_ids), path)


def _few(flow_ids: Sequence[str], most: int) -> Sequence[str]:
    return flow_ids if len(flow_ids) <= most else sorted(flow_ids, key=chance)[:most]


def difference_row(one: Difference) -> dict[str, object]:
    """A difference as a row of a table; shares with what they are of."""
    interval = one.difference
    return {
        "what": clean(" and ".join(term_words(term) for term in one.terms)),
        "in A": one.share_selected * 100,
        "in B": one.share_baseline * 100,
        "A (n)": f"{one.selected:,} of {one.n_selected:,}",
        "B (n)": f"{one.baseline:,} of {one.n_baseline:,}",
        "A − B, 95 %": ""
        if interval is None
        else f"{interval.low * 100:+.1f} to {interval.high * 100:+.1f} points",
        "q": "< 0.0001" if one.q_value < 0.0001 else f"{one.q_value:.4f}",
        "known": f"{one.known_selected + one.known_baseline:,} of "
        f"{one.n_selected + one.n_baseline:,}",
        "before the flow acted": "✔ given" if one.given else "may be a consequence",
        "says the same": clean(
            "; ".join(("" if same else "not ") + term_words(term) for same, term in one.twins)
        ),
    }


def term_words(term: Term) -> str:
    """`orchestrator http.response.status_code = 503`, as a person would say it."""
    whose = f"{term.attribute.service} " if term.attribute.service else ""
    name, value = term.attribute.name, term.value
    if name.endswith(DURATION) and value.startswith(ABOVE):
        length = duration_text(int(float(value.removeprefix(ABOVE))))
        return f"{whose}{name.removesuffix(DURATION)}duration > {length}"
    return f"{whose}{name} {value if value.startswith(ABOVE) else '= ' + value}"


def table_of(found: Contrast) -> pl.DataFrame:
    """All differences as rows, strongest first."""
    return pl.DataFrame([difference_row(one) for one in found.differences])
