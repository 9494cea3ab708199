"""Data quality: may I believe the rest?"""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from dashboards import data, screens
from dashboards.components.address_tabs import address_tabs
from dashboards.data import Holdings
from dashboards.doubts import Doubt, doubts_of
from dashboards.markup import chip, notes
from dashboards.moments import moment
from dashboards.pages import PageFacts
from dashboards.quality_parts.clocks_tab import clocks_tab
from dashboards.quality_parts.coverage_tab import coverage_tab
from dashboards.quality_parts.gaps_tab import gaps_tab
from dashboards.quality_parts.personal_tab import personal_tab
from dashboards.quality_parts.read import FLOWS_MAX, quality
from dashboards.quality_parts.versions_tab import versions_tab
from dashboards.scope import Scope
from dashboards.scoped import scoped
from dashboards.wide_ranges import is_asked, wanted
from dashboards.wording import plural

PAGE = PageFacts(title="Data quality", section="Data", order=95, url_path="quality")


def render() -> None:
    """The page: `?part=` opens a tab."""
    asks = "May I believe the rest?"
    start = scoped("Data quality", asks, FLOWS_MAX, ask=_ask, tells_doubts=True)
    if start is None:
        return
    holdings, scope = start
    _doubts(doubts_of(scope, holdings))
    st.html(_held(holdings))
    address_tabs(
        "part",
        {
            "Gaps": partial(_of_few, scope, gaps_tab),
            "Coverage": partial(coverage_tab, scope),
            "Personal data": partial(_of_few, scope, personal_tab),
            "Versions": partial(_of_few, scope, versions_tab),
            "Clocks and refused": partial(clocks_tab, holdings),
        },
    )


def _ask(holdings: Holdings, scope: Scope) -> None:
    if "part" not in st.query_params and is_asked(scope, data.flow_count(scope), FLOWS_MAX):
        quality(scope)


def _of_few(scope: Scope, tab: Callable[[Scope], None]) -> None:
    """A tab that looks at every record of the range, so not of any range at once."""
    if wanted(scope, data.flow_count(scope), FLOWS_MAX):
        tab(scope)


def _doubts(doubts: Sequence[Doubt]) -> None:
    if doubts:
        st.html(notes([line for doubt in doubts for line in doubt.told], tone="warn"))
    else:
        st.html(notes(["Counts give no reason to doubt this selection."], tone="ok"))


def _held(holdings: Holdings) -> str:
    """What the whole store holds, as chips."""
    told = [
        f"whole store: {plural(holdings.spans, 'span')} in {plural(holdings.flow_count, 'flow')}",
        f"{plural(holdings.rejected, 'record')} not read",
        f"{plural(holdings.underived, 'trace')} not derived",
    ]
    if holdings.first_ns is None:
        return "".join(map(chip, told))
    return (
        "".join(map(chip, told))
        + f"<div>Data from {moment(holdings.first_ns)} to {moment(holdings.last_ns)}</div>"
    )


if __name__ == "__main__":
    screens.guarded(render)
