"""One row of a table that `retrospan export parquet` wrote, as the record it was."""

from collections.abc import Mapping
from typing import Any

from ingest import conventions
from ingest.ids import Id, Ids
from ingest.limits import Limits
from ingest.otlp.spans import KINDS, STATUSES
from ingest.otlp.values import UnreadableError
from ingest.parquet_rows import Cut, Row, RowReader
from store.conclusions import Incident
from store.model import AttributeValue, Decision, LogRecord, Rejected, Span, SpanEvent, SpanLink
from store.values import from_json

FORMAT = "retrospan.parquet/2"
IGNORED = frozenset({"batches", "inputs"})
"""Tables of the loads themselves: the new store keeps its own."""
INT64_MAX = 2**63 - 1
_BROKEN = (ValueError, KeyError, AttributeError, TypeError, RecursionError)


def span_of(row: Row, ids: Ids, limits: Limits) -> Span:
    """The span with its events and links; UnreadableError or BadIdError for one that is none."""
    cut = Cut(limits)
    attributes, resource = _map(row, "attributes", cut), _map(row, "resource", cut)
    events = tuple(
        SpanEvent(
            name=_text(one, "name"),
            time_ns=_whole(one, "timens"),
            attributes=_map(one, "attributes", cut),
        )
        for one in cut.listed(_rows(row, "events"), limits.events_per_span)
    )
    links = tuple(
        SpanLink(
            trace_id=_id(ids.trace(one.get("traceid")), "linked trace id"),
            span_id=_id(ids.span(one.get("spanid")), "linked span id"),
            attributes=_map(one, "attributes", cut),
        )
        for one in cut.listed(_rows(row, "links"), limits.links_per_span)
    )
    return Span(
        trace_id=_id(ids.trace(row.get("traceid")), "trace id"),
        span_id=_id(ids.span(row.get("spanid")), "span id"),
        parent_span_id=_known(ids.span(row.get("parentspanid"))),
        name=_text(row, "name"),
        kind=_one_of(row, "kind", KINDS),
        service=_text(row, "service"),
        start_ns=_whole(row, "startns"),
        end_ns=None if row.get("endns") is None else _whole(row, "endns"),
        status=_one_of(row, "status", STATUSES),
        status_message=_text(row, "statusmessage"),
        trace_state=_text(row, "tracestate"),
        attributes=_marked(attributes, cut),
        resource=resource,
        scope_name=_text(row, "scopename"),
        scope_version=_text(row, "scopeversion"),
        events=events,
        links=links,
    )


def log_of(row: Row, ids: Ids, limits: Limits) -> LogRecord:
    """The log record."""
    cut = Cut(limits)
    attributes, resource = _map(row, "attributes", cut), _map(row, "resource", cut)
    body = cut.value(_json(row, "body"), 0)
    return LogRecord(
        time_ns=_whole(row, "timens"),
        observed_ns=_whole(row, "observedns"),
        trace_id=_known(ids.trace(row.get("traceid"))),
        span_id=_known(ids.span(row.get("spanid"))),
        severity_number=_whole(row, "severitynumber"),
        severity_text=_text(row, "severitytext"),
        event_name=_text(row, "eventname"),
        body=body,
        service=_text(row, "service"),
        attributes=_marked(attributes, cut),
        resource=resource,
    )


def decision_of(row: Row, ids: Ids, limits: Limits) -> Decision:
    """The decision, in the order of its log."""
    record = _json(row, "record")
    if not isinstance(record, dict):
        raise UnreadableError("the record is no object")
    Cut(limits).value(record, 0)  # raises when it is nested too deeply
    return Decision(
        decision_id=_named(row, "decisionid"),
        time_ns=_whole(row, "timens"),
        chosen=_text(row, "chosen"),
        trace_id=_known(ids.trace(row.get("traceid"))),
        span_id=_known(ids.span(row.get("spanid"))),
        flow_id=_optional(row, "flowid"),
        seq=None if row.get("seq") is None else _whole(row, "seq"),
        confidence=_optional(row, "confidence"),
        threshold=_optional(row, "threshold"),
        model_name=_optional(row, "modelname"),
        model_version=_optional(row, "modelversion"),
        policy_id=_optional(row, "policyid"),
        policy_version=_optional(row, "policyversion"),
        policy_outcome=_optional(row, "policyoutcome"),
        action_step_key=_optional(row, "actionstepkey"),
        record=record,
    )


def incident_of(row: Row, ids: Ids, limits: Limits) -> Incident:
    """The incident that was declared or found."""
    cut = Cut(limits)
    times = {
        f"{name}_ns": None if row.get(f"{name}ns") is None else _whole(row, f"{name}ns")
        for name in ("detected", "mitigated", "recovered")
    }
    return Incident(
        incident_id=_named(row, "incidentid"),
        start_ns=_whole(row, "startns"),
        end_ns=_whole(row, "endns"),
        declared_by=_text(row, "declaredby"),
        title=_text(row, "title"),
        flow_ids=_texts(row, "flowids", cut),
        services=_texts(row, "services", cut),
        **times,
    )


def rejected_of(row: Row, ids: Ids, limits: Limits) -> Rejected:
    """What the other store had refused stays refused: its data is not whole."""
    return Rejected(
        record=f"{_text(row, 'record')} of {_text(row, 'source')}",
        reason=_text(row, "reason"),
        excerpt=_text(row, "excerpt"),
    )


ROWS: Mapping[str, RowReader] = {
    "spans": span_of,
    "logs": log_of,
    "decisions": decision_of,
    "incidents": incident_of,
    "rejects": rejected_of,
}


def _text(row: Row, name: str) -> str:
    return _optional(row, name) or ""


def _named(row: Row, name: str) -> str:
    text = _text(row, name)
    if not text:
        raise UnreadableError(f"{name} is empty")
    return text


def _optional(row: Row, name: str) -> str | None:
    raw = row.get(name)
    if raw is not None and not isinstance(raw, str):
        raise UnreadableError(f"{name} is {type(raw).__name__}, expected text")
    return raw


def _texts(row: Row, name: str, cut: Cut) -> list[str]:
    raw = row.get(name) or []
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        raise UnreadableError(f"{name} is no list of texts")
    return cut.listed(raw, len(raw))


def _rows(row: Row, name: str) -> list[Row]:
    raw = row.get(name) or []
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise UnreadableError(f"{name} is no list of structures")
    return [{key.replace("_", ""): value for key, value in one.items()} for one in raw]


def _whole(row: Row, name: str) -> int:
    raw = row.get(name)
    if type(raw) is not int or not 0 <= raw <= INT64_MAX:
        raise UnreadableError(f"{name} is {str(raw)[:40]!r}, expected a whole number")
    return raw


def _one_of(row: Row, name: str, known: tuple[str, ...]) -> str:
    text = _text(row, name)
    if text not in known:
        raise UnreadableError(f"{name} {text[:40]!r} is none of {', '.join(known)}")
    return text


def _id(found: Id | None, what: str) -> str:
    hex_id = _known(found)
    if hex_id is None:
        raise UnreadableError(f"{what} is missing")
    return hex_id


def _known(found: Id | None) -> str | None:
    if found is None:
        return None
    if found.original is not None:
        raise UnreadableError(f"{found.original[:40]!r} is no id in hex")
    return found.hex


def _json(row: Row, name: str) -> Any:
    try:
        return from_json(_text(row, name))
    except _BROKEN as error:
        raise UnreadableError(f"{name} is not what the store writes: {error}"[:200]) from error


def _map(row: Row, name: str, cut: Cut) -> dict[str, AttributeValue]:
    raw = _json(row, name)
    if not isinstance(raw, dict):
        raise UnreadableError(f"{name} is no object")
    return {key: cut.value(item, 0) for key, item in cut.listed(list(raw.items()))}


def _marked(attributes: dict[str, AttributeValue], cut: Cut) -> dict[str, AttributeValue]:
    if cut.count:
        attributes[conventions.TRUNCATED] = cut.count
    return attributes
