"""OTLP protobuf messages as the structures that the JSON walker reads.

One walker decodes both encodings, so a record has the same value whichever way it came. Ids become
hex as in OTLP JSON; enumerations and times stay numbers; bytes become base64, as JSON has them.
"""

import binascii
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.jsonstream import UndecodableError
from ingest.otlp.values import Object

Message: TypeAlias = Any  # a generated class; its attributes are made at run time


def traces_of(data: bytes) -> Object:
    """A `TracesData` or `ExportTraceServiceRequest`, which share their encoding."""
    message = _parsed(TracesData(), data)
    return {"resourceSpans": [_resource_spans(part) for part in message.resource_spans]}


def logs_of(data: bytes) -> Object:
    """A `LogsData` or `ExportLogsServiceRequest`."""
    message = _parsed(LogsData(), data)
    return {"resourceLogs": [_resource_logs(part) for part in message.resource_logs]}


def metrics_of(data: bytes) -> Object:
    """A `MetricsData` or `ExportMetricsServiceRequest`; points are only there to be counted."""
    message = _parsed(MetricsData(), data)
    return {"resourceMetrics": [_resource_metrics(part) for part in message.resource_metrics]}


def _parsed(message: Message, data: bytes) -> Message:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        reason = " ".join(str(error).split())[:120]
        raise UndecodableError(
            f"no {type(message).__name__} in protobuf encoding ({reason})"
        ) from error
    return message


def _resource_spans(part: Message) -> Object:
    return {
        **_resource(part),
        "scopeSpans": [
            {**_scope(inner), "spans": [_span(span) for span in inner.spans]}
            for inner in part.scope_spans
        ],
    }


def _resource_logs(part: Message) -> Object:
    return {
        **_resource(part),
        "scopeLogs": [
            {**_scope(inner), "logRecords": [_log(log) for log in inner.log_records]}
            for inner in part.scope_logs
        ],
    }


def _resource_metrics(part: Message) -> Object:
    return {
        **_resource(part),
        "scopeMetrics": [
            {"metrics": [_metric(metric) for metric in inner.metrics]}
            for inner in part.scope_metrics
        ],
    }


def _resource(part: Message) -> Object:
    return {"resource": {"attributes": attributes_of(part.resource.attributes)}}


def _scope(part: Message) -> Object:
    scope = part.scope
    return {
        "scope": {
            "name": scope.name,
            "version": scope.version,
            "attributes": attributes_of(scope.attributes),
        }
    }


def _span(span: Message) -> Object:
    found: Object = {
        "traceId": span.trace_id.hex(),
        "spanId": span.span_id.hex(),
        "parentSpanId": span.parent_span_id.hex(),
        "traceState": span.trace_state,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start_time_unix_nano,
        "endTimeUnixNano": span.end_time_unix_nano,
        "attributes": attributes_of(span.attributes),
    }
    if span.HasField("status"):
        found["status"] = {"code": span.status.code, "message": span.status.message}
    if span.events:
        found["events"] = [
            {
                "name": event.name,
                "timeUnixNano": event.time_unix_nano,
                "attributes": attributes_of(event.attributes),
            }
            for event in span.events
        ]
    if span.links:
        found["links"] = [
            {
                "traceId": link.trace_id.hex(),
                "spanId": link.span_id.hex(),
                "attributes": attributes_of(link.attributes),
            }
            for link in span.links
        ]
    return found


def _log(log: Message) -> Object:
    return {
        "timeUnixNano": log.time_unix_nano,
        "observedTimeUnixNano": log.observed_time_unix_nano,
        "severityNumber": log.severity_number,
        "severityText": log.severity_text,
        "eventName": log.event_name,
        "body": value_of(log.body),
        "attributes": attributes_of(log.attributes),
        "traceId": log.trace_id.hex(),
        "spanId": log.span_id.hex(),
    }


def _metric(metric: Message) -> Object:
    kind = metric.WhichOneof("data")
    points = getattr(metric, kind).data_points if kind else ()
    return {"data": {"dataPoints": [None] * len(points)}}


def attributes_of(pairs: Iterable[Message]) -> list[object]:
    """KeyValue messages as pairs."""
    return [{"key": pair.key, "value": value_of(pair.value)} for pair in pairs]


def value_of(value: Message) -> Object:
    """An AnyValue message: the one field of it that is set."""
    tag = value.WhichOneof("value")
    if tag == "string_value":  # nearly all are
        return {"stringValue": value.string_value}
    convert = _VALUES.get(tag)
    return {} if convert is None else convert(value)


def _array(value: Message) -> Object:
    return {"arrayValue": {"values": [value_of(item) for item in value.array_value.values]}}


def _map(value: Message) -> Object:
    return {"kvlistValue": {"values": attributes_of(value.kvlist_value.values)}}


def _bytes(value: Message) -> Object:
    return {"bytesValue": binascii.b2a_base64(value.bytes_value, newline=False).decode()}


# A tag that is not here is unknown to OTLP JSON too, and gives a value of nothing.
_VALUES: dict[str | None, Callable[[Message], Object]] = {
    "int_value": lambda value: {"intValue": value.int_value},
    "bool_value": lambda value: {"boolValue": value.bool_value},
    "double_value": lambda value: {"doubleValue": value.double_value},
    "array_value": _array,
    "kvlist_value": _map,
    "bytes_value": _bytes,
}
