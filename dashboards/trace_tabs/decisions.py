"""Which models and rules took part, and how sure they were."""

import polars as pl
import streamlit as st

from dashboards import links
from dashboards.components.plain_table import plain_table
from dashboards.flow_page import FlowPage
from dashboards.markup import facts, heading, worded
from dashboards.wording import body_text, clean, time_text
from store.model import Decision

DECISION_COUNT_MAX = 50  # shown one by one; the table lists all


def decisions_tab(page: FlowPage) -> None:
    """A table of all decisions, then each record as it was read."""
    if not page.decisions:
        st.text("No decision was recorded in this flow.")
        st.text("Decisions come from a decision log (retrospan.decision/1) given to the reader:")
        links.as_command("ingest", "decisions.jsonl")
        return
    table = pl.DataFrame([_row(decision) for decision in page.decisions])
    plain_table(table, key="flow_decisions", alt="Decisions of this flow")
    for decision in page.decisions[:DECISION_COUNT_MAX]:
        with st.container(border=True):
            st.html(
                heading(decision.chosen, above=f"decision {decision.decision_id}", size_rem="1.05")
            )
            st.html(facts(_facts(decision)))
            with st.expander("The record as it was read"):
                st.code(body_text(dict(decision.record)), language="json", wrap_lines=True)


def below_threshold(decision: Decision) -> bool | None:
    """Whether a model was less sure than it had to be; None when that was not recorded."""
    try:
        return float(str(decision.confidence)) < float(str(decision.threshold))
    except ValueError:
        return None


def _row(decision: Decision) -> dict[str, object]:
    sure = {True: "◐ below threshold", False: "✔ sure enough", None: "? not recorded"}
    return {
        "time (UTC)": time_text(decision.time_ns),
        "chosen": clean(decision.chosen),
        "confidence": decision.confidence or "",
        "threshold": decision.threshold or "",
        "sure?": sure[below_threshold(decision)],
        "model": clean(f"{decision.model_name or '–'} {decision.model_version or ''}".strip()),
        "policy": clean(f"{decision.policy_id or '–'} {decision.policy_version or ''}".strip()),
        "gate": worded(clean(decision.policy_outcome or "–")),
        "acts on": clean(decision.action_step_key or ""),
        "decision id": clean(decision.decision_id),
    }


def _facts(decision: Decision) -> list[tuple[str, str]]:
    pairs = [
        ("time", time_text(decision.time_ns, digits=6)),
        ("confidence / threshold", f"{decision.confidence or '–'} / {decision.threshold or '–'}"),
        ("model", f"{decision.model_name or '–'} {decision.model_version or ''}"),
        ("policy", f"{decision.policy_id or '–'} {decision.policy_version or ''}"),
        ("gate said", decision.policy_outcome or "not recorded"),
        ("acts on step", decision.action_step_key or "not recorded"),
        ("span", decision.span_id or "not recorded"),
    ]
    return [(key, value.strip()) for key, value in pairs]
