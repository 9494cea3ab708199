"""The list of decisions, narrowed by what the address asks for."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from analyzer.oversight.joined import Joined
from dashboards import links
from dashboards.components.address_filters import filter_choice
from dashboards.components.exports import exports
from dashboards.components.picking_table import picking_table
from dashboards.oversight_parts.read import Looked
from dashboards.scope import Scope
from dashboards.wording import clean, plural, time_text

ROWS_MAX = 1_000
FLAGS = ("below threshold", "no gate recorded", "gate after the action", "overruled or reviewed")


def decisions_tab(found: Looked, scope: Scope) -> None:
    """The latest decisions that fit, each row one decision."""
    every = found.decisions
    columns = st.columns(4, gap="small")
    asked: dict[str, list[str]] = {}
    choices = [
        ("Model", "model", sorted({_model(it) for it in every})),
        ("Policy", "policy", sorted({_policy(it) for it in every})),
        ("Gate said", "gate", sorted({it.outcome or "nothing" for it in every})),
        ("Only decisions with", "flag", list(FLAGS)),
    ]
    for column, (label, name, options) in zip(columns, choices, strict=True):
        with column:
            asked[name] = filter_choice(label, name, options, clean)
    chosen = [it for it in every if _fits(it, asked)]
    if not chosen:
        st.text(f"None of {plural(len(every), 'decision')} fits all these filters.")
        if st.button("Clear filters", type="primary"):
            links.open_view("ai")
        return
    latest = list(reversed(chosen))
    shown = latest[:ROWS_MAX]
    cut = f"; the latest {ROWS_MAX:,} are listed" if len(latest) > ROWS_MAX else ""
    st.caption(
        f"{len(chosen):,} of {plural(len(every), 'decision')}{cut}. Select a row to see where it "
        "came from."
    )
    table = pl.DataFrame([_row(it) for it in shown])
    row = picking_table(
        table, key="decision_table", alt="Decisions, latest first", height_max_px=560
    )
    if row is not None:
        links.open_view("ai", decision=shown[row].decision.decision_id)
    exports(table, "decisions")
    with st.expander("From the command line"):
        links.as_command("decisions", "list", *scope.as_options(), "--json")


def _fits(it: Joined, asked: dict[str, list[str]]) -> bool:
    wanted: Sequence[tuple[list[str], str]] = (
        (asked["model"], _model(it)),
        (asked["policy"], _policy(it)),
        (asked["gate"], it.outcome or "nothing"),
    )
    if any(values and value not in values for values, value in wanted):
        return False
    return all(_flagged(it, flag) for flag in asked["flag"])


def _flagged(it: Joined, flag: str) -> bool:
    return {
        FLAGS[0]: it.below_threshold is True,
        FLAGS[1]: not it.outcome,
        FLAGS[2]: it.gate.value == "after",
        FLAGS[3]: it.reviewed,
    }.get(flag, False)


def _model(it: Joined) -> str:
    return f"{it.decision.model_name or 'not recorded'} {it.decision.model_version or ''}".strip()


def _policy(it: Joined) -> str:
    return f"{it.decision.policy_id or 'not recorded'} {it.decision.policy_version or ''}".strip()


def _row(it: Joined) -> dict[str, object]:
    decision = it.decision
    below = {True: "◐ below", False: "✔ met", None: "? not recorded"}[it.below_threshold]
    acted = {True: "yes", False: "no", None: "unknown"}[it.acted]
    return {
        "made": time_text(decision.time_ns),
        "chose": clean(decision.chosen),
        "confidence": decision.confidence or "–",
        "threshold": decision.threshold or "–",
        "": below,
        "gate said": clean(it.outcome) or "nothing",
        "gate came": it.gate.value.replace("_", " "),
        "carried out": acted,
        "person said": clean(str(it.review.get("outcome") or "–")),
        "model": clean(_model(it)),
        "policy": clean(_policy(it)),
        "flow": it.flow.flow_id if it.flow is not None else "in no flow",
        "decision": decision.decision_id,
    }
