"""The same data in every dialect of OTLP JSON gives equal records, value by value."""

import base64
import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from store.model import LogRecord, Span, SpanEvent, SpanLink

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"
PARENT = "eee19b7ec3c1b173"

ATTRIBUTES = [
    {"key": "text", "value": {"stringValue": "häß 😀"}},
    {"key": "whole", "value": {"intValue": "9007199254740993"}},
    {"key": "part", "value": {"doubleValue": 0.1}},
    {"key": "endless", "value": {"doubleValue": "-Infinity"}},
    {"key": "yes", "value": {"boolValue": True}},
    {"key": "raw", "value": {"bytesValue": "AP8="}},
    {"key": "list", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": ""}]}}},
    {
        "key": "map",
        "value": {
            "kvlistValue": {
                "values": [
                    {"key": "inner_key", "value": {"arrayValue": {}}},
                    {"key": "two", "value": {"kvlistValue": {"values": []}}},
                ]
            }
        },
    },
    {"key": "nothing", "value": {}},
]
DECODED: dict[str, Any] = {
    "text": "häß 😀",
    "whole": 9007199254740993,
    "part": 0.1,
    "endless": float("-inf"),
    "yes": True,
    "raw": b"\x00\xff",
    "list": [1, ""],
    "map": {"inner_key": [], "two": {}},
    "nothing": None,
}
DOCUMENT: dict[str, Any] = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeSpans": [
                {
                    "scope": {"name": "tracer", "version": "1.2"},
                    "spans": [
                        {
                            "traceId": TRACE,
                            "spanId": SPAN,
                            "parentSpanId": PARENT,
                            "traceState": "ot=th:8",
                            "name": "pay",
                            "kind": 3,
                            "startTimeUnixNano": "1544712660000000001",
                            "endTimeUnixNano": "1544712661000000003",
                            "attributes": ATTRIBUTES,
                            "status": {"code": 2, "message": "declined"},
                            "events": [
                                {
                                    "timeUnixNano": "1544712660500000002",
                                    "name": "retry",
                                    "attributes": ATTRIBUTES[:2],
                                }
                            ],
                            "links": [
                                {"traceId": TRACE, "spanId": PARENT, "attributes": ATTRIBUTES[:1]}
                            ],
                        }
                    ],
                }
            ],
        }
    ],
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeLogs": [
                {
                    "scope": {},
                    "logRecords": [
                        {
                            "timeUnixNano": "1544712660300000000",
                            "observedTimeUnixNano": "1544712660300000009",
                            "severityNumber": 10,
                            "severityText": "Info2",
                            "eventName": "order.paid",
                            "traceId": TRACE,
                            "spanId": SPAN,
                            "body": {"kvlistValue": {"values": ATTRIBUTES[:2]}},
                            "attributes": ATTRIBUTES[:1],
                        }
                    ],
                }
            ],
        }
    ],
}
EXPECTED_SPAN = Span(
    trace_id=TRACE,
    span_id=SPAN,
    parent_span_id=PARENT,
    name="pay",
    kind="client",
    service="shop",
    start_ns=1544712660000000001,
    end_ns=1544712661000000003,
    status="error",
    status_message="declined",
    trace_state="ot=th:8",
    attributes=DECODED,
    resource={"service.name": "shop"},
    scope_name="tracer",
    scope_version="1.2",
    events=(
        SpanEvent(
            name="retry",
            time_ns=1544712660500000002,
            attributes={"text": "häß 😀", "whole": 9007199254740993},
        ),
    ),
    links=(SpanLink(trace_id=TRACE, span_id=PARENT, attributes={"text": "häß 😀"}),),
)
EXPECTED_LOG = LogRecord(
    time_ns=1544712660300000000,
    observed_ns=1544712660300000009,
    trace_id=TRACE,
    span_id=SPAN,
    severity_number=10,
    severity_text="Info2",
    event_name="order.paid",
    body={"text": "häß 😀", "whole": 9007199254740993},
    service="shop",
    attributes={"text": "häß 😀"},
    resource={"service.name": "shop"},
)


def mapped(value: Any, change: Callable[[str, Any], tuple[str, Any]]) -> Any:
    """The value with every field changed, from the inside out."""
    if isinstance(value, list):
        return [mapped(item, change) for item in value]
    if isinstance(value, dict):
        return dict(change(key, mapped(item, change)) for key, item in value.items())
    return value


def with_ids(spell: Callable[[str], str]) -> Any:
    ids = {"traceId", "spanId", "parentSpanId"}
    return mapped(DOCUMENT, lambda key, value: (key, spell(value) if key in ids else value))


def snake(document: Any) -> Any:
    return mapped(document, lambda k, v: (re.sub(r"(?<!^)([A-Z])", r"_\1", k).lower(), v))


def renamed(names: dict[str, str]) -> Any:
    return mapped(DOCUMENT, lambda key, value: (names.get(key, key), value))


def with_numbers(number: Callable[[str], Any]) -> Any:
    fields = re.compile("Nano$|^intValue$")
    return mapped(DOCUMENT, lambda k, v: (k, number(v) if fields.search(k) else v))


def with_enums(kind: Any, code: Any, severity: Any) -> Any:
    values = {"kind": kind, "code": code, "severityNumber": severity}
    return mapped(DOCUMENT, lambda key, value: (key, values.get(key, value)))


def with_nulls() -> Any:
    document = copy.deepcopy(DOCUMENT)
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span |= {"flags": None, "droppedAttributesCount": None, "some_day": None, "future": {"x": [1]}}
    span["attributes"] = [None, *span["attributes"]]
    span["attributes"][1]["value"]["intValue"] = None
    document["resourceSpans"][0]["schemaUrl"] = None
    document["resourceMetrics"] = None
    return document


def base64_of(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text)).decode()


JSON_TEXT = json.dumps(DOCUMENT)
LIBRARY = {
    "scopeSpans": "instrumentationLibrarySpans",
    "scopeLogs": "instrumentationLibraryLogs",
    "scope": "instrumentationLibrary",
}
VARIANTS = {
    "upper-case hex": with_ids(str.upper),
    "base64": with_ids(base64_of),
    "base64 without padding": with_ids(lambda text: base64_of(text).rstrip("=")),
    "base64 of the web": with_ids(lambda text: base64_of(text).translate({43: "-", 47: "_"})),
    "snake case": snake(DOCUMENT),
    "instrumentation library": renamed(LIBRARY),
    "instrumentation library in snake case": snake(renamed(LIBRARY)),
    "batches of Tempo": renamed({"resourceSpans": "batches"}),
    "enumeration names": with_enums(
        "SPAN_KIND_CLIENT", "STATUS_CODE_ERROR", "SEVERITY_NUMBER_INFO2"
    ),
    "short enumeration names": with_enums("Client", "Error", "info2"),
    "enumeration digits": with_enums("3", "2", "10"),
    "numbers instead of text": with_numbers(int),
    "nulls and unknown keys": with_nulls(),
    "indented": json.dumps(DOCUMENT, indent=2),
    "indented by nothing": json.dumps(DOCUMENT, indent=0),
    "Windows line ends": json.dumps(DOCUMENT, indent=1).replace("\n", "\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + JSON_TEXT.encode(),
    "in an array": [DOCUMENT],
    "blank lines around": f"\n \n{JSON_TEXT}\n\n\t\n",
}


@pytest.mark.parametrize("dialect", VARIANTS)
def test_every_dialect_gives_the_same_span_and_log(read: Any, dialect: str) -> None:
    assert read(VARIANTS[dialect]) == [EXPECTED_SPAN, EXPECTED_LOG]


def test_the_plain_document_gives_every_value(read: Any) -> None:
    assert read(DOCUMENT) == [EXPECTED_SPAN, EXPECTED_LOG]


def test_tempo_may_wrap_a_trace(read: Any) -> None:
    spans = {"trace": {"resourceSpans": DOCUMENT["resourceSpans"]}}
    assert read(spans) == [EXPECTED_SPAN]


@pytest.mark.parametrize("between", ["", " ", "\n", "\n\n", "\r\n"])
@pytest.mark.parametrize("indent", [None, 0, 3])
def test_documents_may_follow_each_other(read: Any, between: str, indent: int | None) -> None:
    text = json.dumps(DOCUMENT, indent=indent)
    assert read(between.join([text] * 3)) == [EXPECTED_SPAN, EXPECTED_LOG] * 3


def test_a_large_document_is_read_resource_by_resource_alike(read: Any) -> None:
    document = {
        "resourceSpans": DOCUMENT["resourceSpans"] * 4000,
        "note": "x" * 10,
    }
    data = json.dumps(document).encode()
    assert len(data) > 4 * 1024 * 1024
    items = read(data)
    assert len(items) == 4000
    assert items[0] == items[-1] == EXPECTED_SPAN


def test_missing_fields_have_the_values_of_the_specification(read: Any) -> None:
    bare = {"traceId": TRACE, "spanId": SPAN}
    (span,) = read({"resourceSpans": [{"scopeSpans": [{"spans": [bare]}]}]})
    assert span == Span(
        trace_id=TRACE,
        span_id=SPAN,
        parent_span_id=None,
        name="",
        kind="unspecified",
        service="unknown_service",
        start_ns=0,
        end_ns=None,
    )


def test_not_a_number_stays_one(read: Any) -> None:
    for written in ("NaN", float("nan")):  # as the specification says, as Python writes it
        document = copy.deepcopy(DOCUMENT)
        span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
        span["attributes"] = [{"key": "x", "value": {"doubleValue": written}}]
        value = read(document)[0].attributes["x"]
        assert isinstance(value, float)
        assert value != value
