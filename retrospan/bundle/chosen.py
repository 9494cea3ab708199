"""The records of a store that a bundle carries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.reader import Item
from retrospan.export.parts import SQL, Chosen, choose, leases, parts
from retrospan.incident import overlaps
from store import read
from store.conclusions import Incident
from store.errors import DataError
from store.lease import Store
from store.model import Decision, LogRecord, Span
from store.values import from_json, map_from_json, to_json

PURPOSE = "writing a bundle"
SPANS_MAX = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What was recorded, in an order that does not depend on how it was loaded."""

    spans: Sequence[Span]
    logs: Sequence[LogRecord]
    decisions: Sequence[Decision]

    @property
    def all(self) -> Iterator[Item]:
        yield from self.spans
        yield from self.logs
        yield from self.decisions


def chosen_records(store: Store, incident: Incident, around_ns: int | None) -> Records:
    """Everything that is stored, or flows that ran up to `around_ns` before or after the incident.

    All of it by default: what is normal is part of what a report says.
    """
    flow_ids: list[str] = []
    if around_ns is not None:
        with store.reading(PURPOSE) as session:
            flows = read.read_flows(session)
        low, high = incident.start_ns - around_ns, incident.end_ns + around_ns
        flow_ids = [flow.flow_id for flow in flows if overlaps(flow, low, high)]
        if not flow_ids:
            raise DataError(f"no flow ran in incident {incident.incident_id}")
    chosen = choose(store, flow_ids)
    stored = sum(spans for _, spans in chosen.traces)
    if stored > SPANS_MAX:
        raise DataError(
            f"{stored} spans are more than a bundle holds ({SPANS_MAX}): "
            "narrow it with --around, such as --around 1h"
        )
    spans, logs = _traced(store, chosen)
    if around_ns is None:
        logs += _loose(store)
    decisions = _decisions(store, None if around_ns is None else frozenset(flow_ids), chosen)
    return Records(
        spans=sorted(spans, key=lambda span: (span.start_ns, span.trace_id, span.span_id)),
        logs=sorted(logs, key=lambda log: (log.time_ns, log.observed_ns, _text(log))),
        decisions=sorted(decisions, key=lambda one: (one.time_ns, one.decision_id)),
    )


def _traced(store: Store, chosen: Chosen) -> tuple[list[Span], list[LogRecord]]:
    spans: list[Span] = []
    logs: list[LogRecord] = []
    for trace_ids in leases(chosen.traces):
        with store.reading(PURPOSE) as session:
            some, said = read.read_spans(session, trace_ids), read.read_logs(session, trace_ids)
        if chosen.members is not None:
            wanted = chosen.members
            some = [span for span in some if span.span_id in wanted[span.trace_id]]
            said = [
                log
                for log in said
                if log.span_id is None or log.span_id in wanted.get(log.trace_id or "", ())
            ]
        spans += some
        logs += said
    return spans, logs


def _loose(store: Store) -> list[LogRecord]:
    """Log records that belong to no trace."""
    found = []
    texts = {"body": from_json, "attributes": map_from_json, "resource": map_from_json}
    for frame in parts(store, "logs_without_trace", SQL / "logs_without_trace.sql"):
        for row in frame.iter_rows(named=True):
            decoded = {name: decode(row[name]) for name, decode in texts.items()}
            found.append(LogRecord(**{**row, **decoded, "trace_id": None}))
    return found


def _decisions(store: Store, flow_ids: frozenset[str] | None, chosen: Chosen) -> list[Decision]:
    with store.reading(PURPOSE) as session:
        decisions = read.read_decisions(session)
        if flow_ids is None:
            return decisions
        flows = read.read_flows(session)
    linked = {
        decision_id
        for flow in flows
        if flow.flow_id in flow_ids
        for decision_id in flow.decision_ids
    }
    traces = {trace_id for trace_id, _ in chosen.traces}
    return [
        one
        for one in decisions
        if one.decision_id in linked or one.flow_id in flow_ids or one.trace_id in traces
    ]


def _text(log: LogRecord) -> str:
    return to_json([getattr(log, name) for name in log.__slots__])
