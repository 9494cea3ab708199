"""Records as OTLP/JSON documents, so that reading them gives equal records."""

from base64 import b64encode
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ingest.otlp.spans import KIND_NUMBERS, STATUS_NUMBERS
from store.model import Attributes, AttributeValue, JsonValue, LogRecord, Span, SpanEvent, SpanLink
from store.values import to_json

Document = dict[str, JsonValue]
Entry = TypeVar("Entry", Span, LogRecord)


def spans_document(spans: Sequence[Span]) -> Document:
    """An `ExportTraceServiceRequest`: spans under their resources and scopes."""
    return {
        "resourceSpans": [
            {
                "resource": _resource(group[0].resource),
                "scopeSpans": [
                    {
                        "scope": {"name": inner[0].scope_name, "version": inner[0].scope_version},
                        "spans": [span_object(span) for span in inner],
                    }
                    for inner in _groups(group, lambda span: (span.scope_name, span.scope_version))
                ],
            }
            for group in _groups(spans, _by_resource())
        ]
    }


def logs_document(logs: Sequence[LogRecord]) -> Document:
    """An `ExportLogsServiceRequest`; a log's scope stands among its attributes."""
    return {
        "resourceLogs": [
            {
                "resource": _resource(group[0].resource),
                "scopeLogs": [{"scope": {}, "logRecords": [log_object(log) for log in group]}],
            }
            for group in _groups(logs, _by_resource())
        ]
    }


def span_object(span: Span) -> Document:
    """One span; an unfinished one has no end time."""
    found: Document = {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "name": span.name,
        "kind": KIND_NUMBERS[span.kind.upper()],
        "startTimeUnixNano": str(span.start_ns),
        "attributes": _attributes(span.attributes),
    }
    if span.parent_span_id is not None:
        found["parentSpanId"] = span.parent_span_id
    if span.end_ns is not None:
        found["endTimeUnixNano"] = str(span.end_ns)
    if span.trace_state:
        found["traceState"] = span.trace_state
    if span.status != "unset" or span.status_message:
        found["status"] = {
            "code": STATUS_NUMBERS[span.status.upper()],
            "message": span.status_message,
        }
    if span.events:
        found["events"] = [_event(event) for event in span.events]
    if span.links:
        found["links"] = [_link(link) for link in span.links]
    return found


def log_object(log: LogRecord) -> Document:
    """One log record."""
    found: Document = {
        "timeUnixNano": str(log.time_ns),
        "observedTimeUnixNano": str(log.observed_ns),
        "severityNumber": log.severity_number,
        "severityText": log.severity_text,
        "body": any_value(log.body),
        "attributes": _attributes(log.attributes),
    }
    if log.trace_id is not None:
        found["traceId"] = log.trace_id
    if log.span_id is not None:
        found["spanId"] = log.span_id
    if log.event_name:
        found["eventName"] = log.event_name
    return found


def any_value(value: AttributeValue) -> Document:
    """An `AnyValue`: the field that is set says the type, so none is lost."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": _double(value)}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _attributes(value)}}
    return {"arrayValue": {"values": [any_value(item) for item in value]}}


def _double(value: float) -> JsonValue:
    """JSON has no word for what is no number; protobuf's JSON mapping has."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _attributes(attributes: Attributes) -> list[JsonValue]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def _resource(resource: Attributes) -> Document:
    return {"attributes": _attributes(resource)}


def _event(event: SpanEvent) -> Document:
    return {
        "name": event.name,
        "timeUnixNano": str(event.time_ns),
        "attributes": _attributes(event.attributes),
    }


def _link(link: SpanLink) -> Document:
    return {
        "traceId": link.trace_id,
        "spanId": link.span_id,
        "attributes": _attributes(link.attributes),
    }


def _by_resource() -> Callable[[Any], str]:
    """The resource as text; one that many records share is written once."""
    texts: dict[int, tuple[Attributes, str]] = {}

    def text_of(record: Any) -> str:
        known = texts.get(id(record.resource))
        if known is None:
            known = texts[id(record.resource)] = (record.resource, to_json(record.resource))
        return known[1]

    return text_of


def _groups(records: Iterable[Entry], key_of: Callable[[Entry], Hashable]) -> Iterable[list[Entry]]:
    """Records with equal keys together, in the order in which each key came first."""
    found: dict[Hashable, list[Entry]] = {}
    for record in records:
        found.setdefault(key_of(record), []).append(record)
    return found.values()
