"""How a page begins: what it asks, the bar above it, and the screens of a store with no flows."""

from collections.abc import Callable

import streamlit as st

from dashboards import data, screens, wide_ranges
from dashboards.components.doubt_line import doubt_line
from dashboards.components.range_bar import range_bar, scope_in_force
from dashboards.data import FLOWS_MAX, HELD_MAX, Holdings, Overview
from dashboards.doubts import doubts_of
from dashboards.markup import heading
from dashboards.scope import Scope

Ask = Callable[[Holdings, Scope], object]
"""What a page asks of its scope; kept answers, so that it may ask again when it draws."""


def begun(
    title: str, question: str, flows_max: int = FLOWS_MAX, ask: Ask | None = None
) -> tuple[Overview, Scope] | None:
    """Heading and bar; the flows within the scope, or None when a screen said it all.

    More than `flows_max` flows are read only when somebody presses for it. Under the same lease
    the page may `ask` more.
    """

    def asks(holdings: Holdings, scope: Scope) -> None:
        if wide_ranges.is_asked(scope, data.flow_count(scope), flows_max):
            data.overview(scope)
            if ask is not None:
                ask(holdings, scope)

    start = scoped(title, question, flows_max, ask=asks)
    if start is None:
        return None
    _, scope = start
    if not wide_ranges.wanted(scope, data.flow_count(scope), flows_max, HELD_MAX):
        return None
    return data.overview(scope), scope


def scoped(
    title: str,
    question: str,
    flows_max: int | None,
    above: Callable[[Holdings], None] | None = None,
    *,
    ask: Ask | None = None,
    tells_doubts: bool = False,
) -> tuple[Holdings, Scope] | None:
    """Heading and bar; what the store holds, or None when a screen said it all. No flow is read.

    What the page will `ask` of the scope is asked under the same lease. `above` is drawn under
    both. Reasons to doubt the numbers stand on a line between, but on the page that tells of them.
    """
    with data.one_lease():
        holdings = data.holdings()
        scope = scope_in_force(holdings, flows_max)
        within = data.flow_count(scope) if holdings.flow_count else 0
        doubts = doubts_of(scope, holdings) if within else ()
        if within and ask is not None:
            ask(holdings, scope)
    left, right = st.columns([3, 7], gap="medium", vertical_alignment="center")
    with left:
        st.html(heading(title, above=question))
    if holdings.spans == 0:
        screens.nothing_recorded()
        return None
    if holdings.flow_count == 0:
        if above is not None:
            above(holdings)
        screens.nothing_derived(holdings.underived)
        return None
    with right:
        range_bar(scope, holdings, flows_max)
    if not tells_doubts:
        doubt_line(doubts, scope)
    if above is not None:
        above(holdings)
    if within == 0:
        screens.nothing_in_scope(scope)
        return None
    return holdings, scope
