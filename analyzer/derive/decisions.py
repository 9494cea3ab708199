"""The decisions of a flow, from its decision log joined with its gate spans."""

from dataclasses import replace

from analyzer.assign.flows import FlowRows
from analyzer.conventions import (
    DECISION_CHOSEN,
    DECISION_CONFIDENCE,
    DECISION_GATE_OUTCOME,
    DECISION_ID,
    DECISION_POLICY_ID,
    DECISION_POLICY_VERSION,
    DECISION_THRESHOLD,
    key_of,
    text,
)
from store.model import Decision, Span

_FIELDS = ("confidence", "threshold", "policy_id", "policy_version", "policy_outcome")


def decisions_in(rows: FlowRows) -> list[Decision]:
    """Every decision once; the log's record wins, spans fill in what it leaves out."""
    found = {decision.decision_id: decision for decision in rows.decisions}
    by_span = {(it.trace_id, it.span_id): it.decision_id for it in rows.decisions if it.span_id}
    for span in rows.spans:
        told = _told(span)
        if told is None:
            continue
        decision_id = told.decision_id
        if DECISION_ID not in span.attributes:  # it says not which: the one recorded of it
            decision_id = by_span.get(key_of(span), decision_id)
        known = found.get(decision_id)
        found[decision_id] = told if known is None else _filled(known, told)
    return sorted(found.values(), key=lambda it: (it.time_ns, it.decision_id))


def _told(span: Span) -> Decision | None:
    """The decision a gate or decision span tells of by itself."""
    attributes = span.attributes
    if DECISION_GATE_OUTCOME not in attributes and DECISION_CONFIDENCE not in attributes:
        return None
    return Decision(
        decision_id=text(attributes, DECISION_ID) or f"span:{span.trace_id}/{span.span_id}",
        time_ns=span.end_ns if span.end_ns is not None else span.start_ns,
        chosen=text(attributes, DECISION_CHOSEN) or "",
        trace_id=span.trace_id,
        span_id=span.span_id,
        confidence=text(attributes, DECISION_CONFIDENCE),
        threshold=text(attributes, DECISION_THRESHOLD),
        policy_id=text(attributes, DECISION_POLICY_ID),
        policy_version=text(attributes, DECISION_POLICY_VERSION),
        policy_outcome=text(attributes, DECISION_GATE_OUTCOME),
    )


def _filled(known: Decision, told: Decision) -> Decision:
    missing = {
        field: value
        for field in _FIELDS
        if getattr(known, field) is None and (value := getattr(told, field)) is not None
    }
    return replace(known, **missing) if missing else known


def decision_ids(rows: FlowRows) -> list[str]:
    """Ids of the decisions that were stored or name themselves."""
    stored = {decision.decision_id for decision in rows.decisions}
    told = {decision.decision_id for decision in decisions_in(rows)}
    return sorted(stored | {decision_id for decision_id in told if decision_id[:5] != "span:"})
