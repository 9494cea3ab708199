"""The answer before the tabs: whether decisions were gated, sure enough, right, and recorded."""

from dataclasses import dataclass

import streamlit as st

from analyzer.oversight.measure import Measure
from dashboards import links
from dashboards.oversight_parts.measured import bounds_text, value_text
from dashboards.oversight_parts.read import Looked, measures_of
from dashboards.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    metric: str
    title: str
    what: str
    link: str
    target: dict[str, str]


_CARDS = (
    _Card(
        metric="gate_coverage",
        title="Gated before they acted",
        what="actions",
        link="Without a gate",
        target={"flag": "no gate recorded"},
    ),
    _Card(
        metric="below_threshold_rate",
        title="Acted below threshold",
        what="actions",
        link="Below threshold",
        target={"flag": "below threshold"},
    ),
    _Card(
        metric="override_rate",
        title="Overruled by people",
        what="reviews",
        link="Reviewed",
        target={"flag": "overruled or reviewed"},
    ),
    _Card(
        metric="calibration.error",
        title="Calibration error",
        what="labelled decisions",
        link="Curve and drift",
        target={"about": "Calibration and drift"},
    ),
    _Card(
        metric="audit_completeness",
        title="Records an audit can use",
        what="decisions",
        link="The log",
        target={"about": "Log"},
    ),
    _Card(
        metric="decision_cost.sum",
        title="Cost of decisions",
        what="decisions",
        link="Cost",
        target={"about": "Cost"},
    ),
)


def summary(found: Looked, end_ns: int) -> None:
    """One card per question, each with n, interval, what is unknown, and the way on."""
    names = list(dict.fromkeys(it.metric.split(".")[0] for it in _CARDS))
    told = {it.metric: it for it in measures_of(found, end_ns, names)}
    for column, card in zip(st.columns(len(_CARDS), gap="small"), _CARDS, strict=True):
        it = told.get(card.metric)
        with column.container(border=True, height="stretch"):
            st.metric(card.title, "–" if it is None else _short(it))
            st.caption("not measured" if it is None else _scope(it, card.what))
            links.view_link("ai", card.link, **card.target)


def _short(it: Measure) -> str:
    return f"{it.value:.2f} USD" if it.unit == "usd" and it.value else value_text(it.value, it.unit)


def _scope(it: Measure, what: str) -> str:
    bounds = bounds_text(it)
    told = {"–": "", "exact": "exact; "}.get(bounds, f"95 %: {bounds}; ")
    return f"{told}of {plural(it.n, what.removesuffix('s'))}, {it.unknown:,} unknown"
