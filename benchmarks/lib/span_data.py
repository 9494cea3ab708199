"""Spans to measure with: diverse keys, interleaved traces, events, links, long bodies."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

SPANS_PER_MESSAGE = 250
TRACES_OPEN = 40
SERVICES = 12
KEYS_PER_SERVICE = 25
T0 = 1_700_000_000_000_000_000


def _pair(key: str, value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    return {"key": key, "value": {"stringValue": value}}


class Generator:
    """A stream of OTLP documents that is the same for the same seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._number = 0
        self._traces = [self._hex(16) for _ in range(TRACES_OPEN)]
        self._last: dict[str, str] = {}

    def documents(self, spans: int) -> Iterator[str]:
        """JSON lines of `SPANS_PER_MESSAGE` spans each."""
        return self._documents(spans, ("resourceSpans", "scopeSpans", "spans"), self._span)

    def log_documents(self, records: int) -> Iterator[str]:
        """JSON lines of as many log records each."""
        return self._documents(records, ("resourceLogs", "scopeLogs", "logRecords"), self._log)

    def _documents(
        self, records: int, keys: tuple[str, str, str], made: Callable[[int], dict[str, object]]
    ) -> Iterator[str]:
        for _ in range(0, records, SPANS_PER_MESSAGE):
            resources = []
            for service in self._random.sample(range(SERVICES), 5):
                count = SPANS_PER_MESSAGE // 5
                scope = {"name": f"otel.{service}", "version": "1.0"}
                group = {"scope": scope, keys[2]: [made(service) for _ in range(count)]}
                attributes = [
                    _pair("service.name", f"service-{service}"),
                    _pair("service.version", "1.2.3"),
                    _pair("host.name", f"node-{service % 4}"),
                ]
                resources.append({"resource": {"attributes": attributes}, keys[1]: [group]})
            yield json.dumps({keys[0]: resources}, separators=(",", ":"))

    def _span(self, service: int) -> dict[str, object]:
        chance = self._random
        self._number += 1
        place = chance.randrange(TRACES_OPEN)
        if chance.random() < 0.05:
            self._traces[place] = self._hex(16)
        trace, own = self._traces[place], self._hex(8)
        start = T0 + self._number * 100_000 + chance.randrange(50_000)
        span: dict[str, object] = {
            "traceId": trace,
            "spanId": own,
            "parentSpanId": self._last.get(trace, ""),
            "name": f"operation {chance.randrange(20)}",
            "kind": chance.randrange(1, 6),
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + chance.randrange(5_000_000)),
            "attributes": self._attributes(service),
            "status": {"code": 2, "message": "timed out"} if chance.random() < 0.05 else {},
        }
        if chance.random() < 0.2:
            note = [_pair("exception.type", "TimeoutError"), _pair("retry", chance.randrange(3))]
            event = {"name": "exception", "timeUnixNano": str(start + 5), "attributes": note}
            span["events"] = [event]
        if chance.random() < 0.05 and trace in self._last:
            span["links"] = [{"traceId": trace, "spanId": self._last[trace]}]
        self._last[trace] = own
        return span

    def _log(self, service: int) -> dict[str, object]:
        chance = self._random
        self._number += 1
        time = T0 + self._number * 100_000
        said = f"order {chance.randrange(10**6)} of t-{chance.randrange(500):03} was accepted"
        return {
            "traceId": self._traces[chance.randrange(TRACES_OPEN)],
            "spanId": self._hex(8),
            "timeUnixNano": str(time),
            "observedTimeUnixNano": str(time + chance.randrange(1_000_000)),
            "severityNumber": chance.choice((5, 9, 9, 9, 13, 17)),
            "severityText": "INFO",
            "body": {"stringValue": said},
            "attributes": self._attributes(service),
        }

    def _attributes(self, service: int) -> list[dict[str, object]]:
        chance = self._random
        found = [
            _pair("http.request.method", chance.choice(("GET", "POST"))),
            _pair("http.response.status_code", chance.choice((200, 200, 201, 503))),
            _pair("http.route", f"/v1/orders/{{id}}/{chance.randrange(30)}"),
            _pair("url.full", f"https://svc-{service}/v1/orders/{chance.randrange(10**6)}"),
            _pair("tenant.id", f"t-{chance.randrange(500):03}"),
        ]
        for number in chance.sample(range(KEYS_PER_SERVICE), 5):
            key = f"app.s{service}.field_{number}"
            kind = number % 5
            value: object = chance.randrange(10**9)
            if kind < 3:
                value = f"value {value if kind else int(str(value)[:2])}"
            elif kind == 3:
                value = chance.random() < 0.5
            found.append(_pair(key, value))
        if chance.random() < 0.05:
            body = json.dumps([{"role": "user", "content": "words " * chance.randrange(20, 200)}])
            found += [
                _pair("gen_ai.request.model", "large-1"),
                _pair("gen_ai.input.messages", body),
                _pair("gen_ai.usage.input_tokens", chance.randrange(4000)),
            ]
        return found

    def _hex(self, size: int) -> str:
        return self._random.randbytes(size).hex()


def protobuf_of(document: str) -> bytes:
    """The same document as protobuf, behind its length."""
    data = TracesData()
    for resource in json.loads(document)["resourceSpans"]:
        group = data.resource_spans.add()
        _put(group.resource.attributes, resource["resource"]["attributes"])
        for scope in resource["scopeSpans"]:
            inner = group.scope_spans.add(scope=scope["scope"])
            for span in scope["spans"]:
                _put_span(inner.spans.add(), span)
    message: bytes = data.SerializeToString()
    return len(message).to_bytes(4) + message


def _put_span(span: Any, value: dict[str, Any]) -> None:
    span.trace_id, span.span_id = map(bytes.fromhex, (value["traceId"], value["spanId"]))
    span.parent_span_id = bytes.fromhex(value["parentSpanId"])
    span.name, span.kind = value["name"], value["kind"]
    span.start_time_unix_nano = int(value["startTimeUnixNano"])
    span.end_time_unix_nano = int(value["endTimeUnixNano"])
    span.status.code = value["status"].get("code", 0)
    span.status.message = value["status"].get("message", "")
    _put(span.attributes, value["attributes"])
    for event in value.get("events", ()):
        added = span.events.add(name=event["name"], time_unix_nano=int(event["timeUnixNano"]))
        _put(added.attributes, event["attributes"])
    for link in value.get("links", ()):
        span.links.add(
            trace_id=bytes.fromhex(link["traceId"]), span_id=bytes.fromhex(link["spanId"])
        )


_KINDS = {
    "stringValue": "string_value",
    "intValue": "int_value",
    "boolValue": "bool_value",
    "doubleValue": "double_value",
}


def _put(attributes: Any, pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        ((kind, value),) = pair["value"].items()
        added = attributes.add(key=pair["key"])
        setattr(added.value, _KINDS[kind], int(value) if kind == "intValue" else value)
