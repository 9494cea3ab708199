"""Spans and log records as the SDKs of OpenTelemetry print them, turned into the names of OTLP.

Python: `ReadableSpan.to_json` and `ReadableLogRecord.to_json`, which the console exporters write.
JavaScript: span objects as JSON, times as [seconds, nanoseconds].
"""

import re

from ingest.otlp.values import Object, UnreadableError, list_of, object_of, text_of
from ingest.times import BadTimeError, rfc3339

_STATE = re.compile(r"\{key=([^,{}]{1,256}), value=([^{}]{0,256})\}")
_NANOSECONDS = 1_000_000_000


def scoped(raw: Object) -> Object:
    """The resource and the scope of a printed record."""
    resource = object_of(raw.get("resource"), "resource")
    attributes = resource.get("attributes") or resource.get("_attributes")
    return {
        "resource": {"attributes": _attributes(attributes)},
        "scope": raw.get("instrumentationScope") or raw.get("instrumentationLibrary"),
    }


def span(raw: Object) -> Object:
    """A span of OTLP; raises UnreadableError with the reason when it is none."""
    javascript = "spanContext" in raw
    context = object_of(raw.get("spanContext") if javascript else raw.get("context"), "context")
    status = object_of(raw.get("status"), "status")
    parent = object_of(raw.get("parentSpanContext"), "parent context")
    kind = raw.get("kind")
    if javascript and type(kind) is int:
        kind += 1  # 0 is unspecified in OTLP, internal in JavaScript
    elif isinstance(kind, str):
        kind = kind.removeprefix("SpanKind.")
    return {
        "name": raw.get("name"),
        "traceId": _id(context, "traceId", "trace_id"),
        "spanId": _id(context, "spanId", "span_id"),
        "parentSpanId": _id(raw, "parentSpanId", "parent_id") or _id(parent, "spanId", "span_id"),
        "traceState": _state(context),
        "kind": kind,
        "startTimeUnixNano": _time(raw, "startTime", "start_time"),
        "endTimeUnixNano": _time(raw, "endTime", "end_time"),
        "status": {
            "code": status.get("code", status.get("status_code")),
            "message": status.get("message", status.get("description")),
        },
        "attributes": _attributes(raw.get("attributes")),
        "events": [_event(object_of(it, "event")) for it in list_of(raw.get("events"), "events")],
        "links": [_link(object_of(it, "link")) for it in list_of(raw.get("links"), "links")],
    }


def log(raw: Object) -> Object:
    """A log record of OTLP; raises UnreadableError with the reason when it is none."""
    return {
        "traceId": _id(raw, "traceId", "trace_id"),
        "spanId": _id(raw, "spanId", "span_id"),
        "timeUnixNano": _time(raw, "timestamp", "time"),
        "observedTimeUnixNano": _time(raw, "observed_timestamp", "observedTimestamp"),
        "severityNumber": raw.get("severity_number"),
        "severityText": raw.get("severity_text"),
        "eventName": raw.get("event_name"),
        "body": _value(raw.get("body")),
        "attributes": _attributes(raw.get("attributes")),
    }


def _event(raw: Object) -> Object:
    return {
        "name": raw.get("name"),
        "timeUnixNano": _time(raw, "time", "timestamp"),
        "attributes": _attributes(raw.get("attributes")),
    }


def _link(raw: Object) -> Object:
    context = object_of(raw.get("context"), "context of a link")
    return {
        "traceId": _id(context, "traceId", "trace_id"),
        "spanId": _id(context, "spanId", "span_id"),
        "attributes": _attributes(raw.get("attributes")),
    }


def _id(raw: Object, *names: str) -> object:
    found = next((raw[name] for name in names if raw.get(name) is not None), None)
    return found.removeprefix("0x") if isinstance(found, str) else found


def _state(context: Object) -> str:
    """The header of a trace state that is printed as a list of its pairs."""
    printed = context.get("trace_state")
    if not isinstance(printed, str):
        return text_of(context.get("traceState"), "trace state")
    return ",".join(f"{key}={value}" for key, value in _STATE.findall(printed))


def _time(raw: Object, *names: str) -> int:
    name = next((name for name in names if raw.get(name) is not None), None)
    if name is None:
        return 0
    printed = raw[name]
    if isinstance(printed, list):
        if len(printed) != 2 or any(type(part) is not int or part < 0 for part in printed):
            raise UnreadableError(f"{name} is not [seconds, nanoseconds]")
        return int(printed[0]) * _NANOSECONDS + int(printed[1])
    try:
        return rfc3339(printed, name)
    except BadTimeError as error:
        raise UnreadableError(str(error)) from None


def _attributes(raw: object) -> list[object]:
    return [
        {"key": name, "value": _value(value)}
        for name, value in object_of(raw, "attributes").items()
    ]


def _value(value: object) -> Object:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(value)}}
    return {} if value is None else {"stringValue": str(value)}
