"""Records back from the store, as they were written.

Every list has a total order. Sequences inside records are tuples. The functions that read
conclusions live in `store.read_derived` and are offered here too.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.lease import Session
from store.ledger import KnownInput, known_inputs
from store.model import Decision, LogRecord, Span, SpanEvent, SpanLink
from store.read_derived import (
    ClockSkew,
    FlowSelection,
    count_violations,
    read_clock_skew,
    read_code_digests,
    read_findings,
    read_flow,
    read_flows,
    read_incident,
    read_incidents,
    read_replays,
    read_sagas,
    read_sampling,
)
from store.values import from_json, map_from_json

__all__ = [
    "ClockSkew",
    "Dirty",
    "FlowSelection",
    "KeptReject",
    "KnownInput",
    "StoreCounts",
    "count_violations",
    "counts",
    "known_inputs",
    "read_clock_skew",
    "read_code_digests",
    "read_decisions",
    "read_dirty",
    "read_findings",
    "read_flow",
    "read_flows",
    "read_incident",
    "read_incidents",
    "read_logs",
    "read_rejects",
    "read_replays",
    "read_sagas",
    "read_sampling",
    "read_spans",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirty:
    """The traces whose flows are to be derived, and the generation to hand to `replace_flows`."""

    generation: int
    trace_ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReject:
    """A `Rejected` record with the input it came from."""

    source: str
    record: str
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCounts:
    """How much the store holds. The data's start and end are None while it holds nothing timed."""

    generation: int
    spans: int
    logs: int
    decisions: int
    rejects: int
    flows: int
    underived_traces: int
    data_start_ns: int | None
    data_end_ns: int | None


def read_range(session: Session, trace_ids: Sequence[str] | None = None) -> tuple[int, int]:
    """Where in time the spans of these traces lie: everywhere for all, nowhere for unknown ones."""
    low, high = session.row("read/range_of_traces", _which(trace_ids))
    return int(low), int(high)


def read_spans(session: Session, trace_ids: Sequence[str] | None = None) -> list[Span]:
    """Spans by start, trace id, span id; all, or those of some traces."""
    which = _which(trace_ids)
    low, high = read_range(session, trace_ids)
    bounds = {**which, "low": low, "high": high}
    events: defaultdict[tuple[str, str], list[SpanEvent]] = defaultdict(list)
    for trace_id, span_id, time_ns, name, attributes in session.rows("read/span_events", bounds):
        event = SpanEvent(name=name, time_ns=time_ns, attributes=map_from_json(attributes))
        events[trace_id, span_id].append(event)
    links: defaultdict[tuple[str, str], list[SpanLink]] = defaultdict(list)
    for trace_id, span_id, to_trace, to_span, attributes in session.rows("read/links", bounds):
        link = SpanLink(trace_id=to_trace, span_id=to_span, attributes=map_from_json(attributes))
        links[trace_id, span_id].append(link)
    resource_of = _once(map_from_json)
    return [
        Span(
            trace_id=row[0],
            span_id=row[1],
            parent_span_id=row[2],
            name=row[3],
            kind=row[4],
            service=row[5],
            start_ns=row[6],
            end_ns=row[7],
            status=row[8],
            status_message=row[9],
            trace_state=row[10],
            scope_name=row[11],
            scope_version=row[12],
            attributes=map_from_json(row[13]),
            resource=resource_of(row[14]),
            events=tuple(events.get(row[:2], ())),
            links=tuple(links.get(row[:2], ())),
        )
        for row in session.rows("read/spans", bounds)
    ]


def read_logs(session: Session, trace_ids: Sequence[str] | None = None) -> list[LogRecord]:
    """Log records by time; all, or those of some traces."""
    resource_of = _once(map_from_json)
    return [
        LogRecord(
            time_ns=row[0],
            observed_ns=row[1],
            trace_id=row[2],
            span_id=row[3],
            severity_number=row[4],
            severity_text=row[5],
            event_name=row[6],
            body=from_json(row[7]),
            service=row[8],
            attributes=map_from_json(row[9]),
            resource=resource_of(row[10]),
        )
        for row in session.rows("read/logs", _which(trace_ids))
    ]


def read_decisions(
    session: Session,
    trace_ids: Sequence[str] | None = None,
    decision_ids: Sequence[str] | None = None,
    flow_ids: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Decision]:
    """Decisions by time and id, the first `limit`.

    All, or those that belong to some traces, have some ids, or name some flows. A decision without
    a trace belongs to the traces of the flow it names.
    """
    chosen = {
        "all": trace_ids is None and decision_ids is None and flow_ids is None,
        "trace_ids": list(trace_ids or ()),
        "decision_ids": list(decision_ids or ()),
        "flow_ids": list(flow_ids or ()),
        "limit": limit,
    }
    return [
        Decision(
            decision_id=row[0],
            time_ns=row[1],
            chosen=row[2],
            trace_id=row[3],
            span_id=row[4],
            flow_id=row[5],
            seq=row[6],
            confidence=row[7],
            threshold=row[8],
            model_name=row[9],
            model_version=row[10],
            policy_id=row[11],
            policy_version=row[12],
            policy_outcome=row[13],
            action_step_key=row[14],
            record=map_from_json(row[15]),
        )
        for row in session.rows("read/decisions", chosen)
    ]


def read_dirty(session: Session) -> Dirty:
    """What is to be derived; `trace_ids` are sorted."""
    generation, trace_ids = session.row("read/dirty")
    return Dirty(generation=generation, trace_ids=tuple(trace_ids))


def read_dirty_among(session: Session, trace_ids: Sequence[str]) -> frozenset[str]:
    """Which of these traces are to be derived."""
    found = session.rows("read/dirty_among", {"trace_ids": list(trace_ids)})
    return frozenset(trace_id for (trace_id,) in found)


def read_rejects(session: Session, limit: int | None = None) -> list[KeptReject]:
    """Records that were refused, by source and place; the first `limit`."""
    return [
        KeptReject(source=source, record=record, reason=reason, excerpt=excerpt)
        for source, record, reason, excerpt in session.rows("read/rejects", {"limit": limit})
    ]


def counts(session: Session) -> StoreCounts:
    """How much the store holds."""
    row = session.row("read/counts")
    return StoreCounts(
        generation=row[0],
        spans=row[1],
        logs=row[2],
        decisions=row[3],
        rejects=row[4],
        flows=row[5],
        underived_traces=row[6],
        data_start_ns=row[7],
        data_end_ns=row[8],
    )


def _which(trace_ids: Sequence[str] | None) -> Mapping[str, object]:
    return {"all": trace_ids is None, "trace_ids": list(trace_ids or ())}


def _once(decode: Callable[[str], Any]) -> Callable[[str], Any]:
    """Decode equal texts once. The value is shared, as the resource of a service's spans is."""
    known: dict[str, Any] = {}

    def decode_once(text: str) -> Any:
        if text not in known:
            known[text] = decode(text)
        return known[text]

    return decode_once
