"""AI governance: can we trust and explain what models decided?"""

from functools import partial

import streamlit as st

from dashboards import data, links, screens
from dashboards.components.address_tabs import address_tabs
from dashboards.oversight_parts.backtest import backtest_tab
from dashboards.oversight_parts.decision import decision_part
from dashboards.oversight_parts.listed import decisions_tab
from dashboards.oversight_parts.read import FLOWS_MAX, WHOLE_MAX, Looked, looked
from dashboards.oversight_parts.summary import summary
from dashboards.oversight_parts.tabs import (
    calibration_tab,
    cost_tab,
    gates_tab,
    log_tab,
    metrics_tab,
    versions_tab,
)
from dashboards.pages import PageFacts
from dashboards.scoped import begun
from dashboards.wording import plural

PAGE = PageFacts(title="AI governance", section="AI", order=80, url_path="ai")


def render() -> None:
    """The page; `?decision=ID` shows one decision."""
    whole = data.holdings().flow_count <= WHOLE_MAX
    asks = "Can we trust and explain what models decided?"
    start = begun("AI governance", asks, WHOLE_MAX if whole else FLOWS_MAX)
    if start is None:
        return
    overview, scope = start
    wanted = st.query_params.get("decision")
    if wanted:
        decision_part(wanted)
        return
    found = looked(overview, scope)
    if not found.decisions:
        _none(overview.flows.height)
        return
    end_ns = overview.last_ns or 0
    _told(found)
    summary(found, end_ns)
    parts = {
        "Decisions": partial(decisions_tab, found, scope),
        "Versions": partial(versions_tab, found, end_ns),
        "Calibration and drift": partial(calibration_tab, found, end_ns),
        "Gates and people": partial(gates_tab, found, end_ns, overview),
        "Policy back-test": partial(backtest_tab, found),
        "Cost": partial(cost_tab, found, end_ns),
        "Log": partial(log_tab, found, end_ns),
        "All metrics": partial(metrics_tab, found, end_ns),
    }
    address_tabs("about", parts)


def _told(found: Looked) -> None:
    homeless = sum(it.flow is None for it in found.decisions)
    cut = (
        f"; only the latest {found.looked_at:,} flows are looked at, the command takes all"
        if found.looked_at < found.whole
        else ""
    )
    st.caption(
        f"{plural(len(found.decisions), 'decision')} in {plural(found.whole, 'flow')}, "
        f"{homeless:,} in no flow{cut}."
    )


def _none(flows: int) -> None:
    st.text(f"No decision is recorded in {plural(flows, 'flow')} of this selection.")
    st.text(
        "Decisions come from a decision log (JSON lines, retrospan.decision/1), from gen_ai spans "
        "and events, or from policy engines' logs. Load one:"
    )
    links.as_command("ingest", "decisions.jsonl")


if __name__ == "__main__":
    screens.guarded(render)
