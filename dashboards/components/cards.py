"""Cards: a number, what it is of, how it went over time, and the way to what it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from dashboards import links
from dashboards.links import QueryValue
from dashboards.wording import markdown_safe

TREND_MIN = 3  # fewer points make no trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number with its scope. Without a `link` there is nothing to lead to.

    `trend` is the number over time, from the beginning of the range to its end; NaN is a gap.
    """

    title: str
    value: str
    scope: str
    link: str = ""
    view: str = "flows"
    target: Mapping[str, QueryValue] = field(default_factory=dict)
    explanation: str | None = None
    trend: Sequence[float] = ()
    is_line: bool = False


def draw(cards: Sequence[Card]) -> None:
    """One row of cards."""
    for column, card in zip(st.columns(len(cards), gap="small"), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(
                card.title,
                card.value,
                help=card.explanation,
                chart_data=card.trend if len(card.trend) >= TREND_MIN else None,
                chart_type="line" if card.is_line else "bar",
            )
            st.caption(markdown_safe(card.scope))
            if card.link:
                links.view_link(card.view, card.link, **card.target)
