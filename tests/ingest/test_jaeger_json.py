"""Jaeger JSON in each of its spellings comes out as the same spans."""

from typing import Any

import pytest

from store.model import Span
from tests.ingest.conftest import Read
from tests.ingest.jaeger_documents import START, TRACE, a_span, answer, reference, tag


@pytest.fixture
def one(read: Read) -> Any:
    """The only span of a document."""

    def read_one(document: object) -> Span:
        (item,) = read(document, reader="jaeger_json")
        assert isinstance(item, Span), item
        return item

    return read_one


def test_ids_are_padded_not_hashed_and_times_are_exact(one: Any) -> None:
    span = one(answer(a_span()))
    assert (span.trace_id, span.span_id) == ("0" * 16 + TRACE, "0" * 15 + "7")
    assert (span.start_ns, span.end_ns) == (START * 1000, START * 1000 + 5000)
    assert (span.name, span.service, span.parent_span_id) == ("charge", "pay", None)
    assert span.resource == {"service.name": "pay", "hostname": "h"}
    assert span.attributes == {}


def test_an_id_that_is_no_hex_is_mapped_and_kept_as_text(one: Any) -> None:
    span = one(answer(a_span(traceID="T-one", references=[reference("CHILD_OF", "S1", "T-one")])))
    assert len(span.trace_id) == 32
    assert len(span.parent_span_id) == 16
    assert span.attributes == {
        "retrospan.original.trace_id": "T-one",
        "retrospan.original.parent_span_id": "S1",
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (tag("k", "int64", "9223372036854775222"), 9223372036854775222),
        (tag("k", "int64", 7.0), 7),
        (tag("k", "int64", "much"), "much"),
        (tag("k", "float64", "72.5"), 72.5),
        (tag("k", "float64", 3), 3.0),
        (tag("k", "bool", "true"), True),
        (tag("k", "bool", False), False),
        (tag("k", "string", "7"), "7"),
        (tag("k", "binary", "AAAwOQ=="), b"\x00\x0009"),
        ({"key": "k", "value": [1, {"a": None}]}, [1, {"a": None}]),
        ({"key": "k", "vType": "LONG", "vLong": 9}, 9),
        ({"key": "k", "v_type": 0, "v_str": "x"}, "x"),
        ({"Key": "k", "ValueType": "int64", "value_long": 9}, 9),
    ],
)
def test_tags_have_the_type_that_is_named(one: Any, written: object, value: object) -> None:
    found = one(answer(a_span(tags=[written]))).attributes["k"]
    assert found == value
    assert type(found) is type(value)


def test_the_first_child_of_in_this_trace_is_the_parent_and_the_rest_are_links(one: Any) -> None:
    references = [
        reference("CHILD_OF", "ff", "ff"),
        reference("FOLLOWS_FROM", "2"),
        reference("CHILD_OF", "3"),
        reference("CHILD_OF", "4"),
    ]
    span = one(answer(a_span(references=references)))
    assert span.parent_span_id == "0" * 15 + "3"
    assert [
        (link.trace_id.lstrip("0"), link.span_id.lstrip("0"), *link.attributes.values())
        for link in span.links
    ] == [("ff", "ff", "child_of"), (TRACE, "2", "follows_from"), (TRACE, "4", "child_of")]


def test_what_only_follows_has_its_predecessor_as_parent_and_as_link(one: Any) -> None:
    span = one(answer(a_span(references=[reference("FOLLOWS_FROM", "2")])))
    assert span.parent_span_id == "0" * 15 + "2"
    assert [link.attributes for link in span.links] == [{"opentracing.ref_type": "follows_from"}]
    named = one(answer(a_span(parentSpanID="9", references=[reference("FOLLOWS_FROM", "2")])))
    assert named.parent_span_id == "0" * 15 + "9"


def test_logs_are_events_named_by_their_field_event(one: Any) -> None:
    logs = [
        {"timestamp": START + 1, "fields": [tag("event", "string", "retry"), tag("n", "int64", 2)]},
        {"timestamp": START + 2, "fields": [tag("event", "int64", 5)]},
    ]
    events = one(answer(a_span(logs=logs))).events
    assert [(e.name, e.time_ns - START * 1000, e.attributes) for e in events] == [
        ("retry", 1000, {"n": 2}),
        ("", 2000, {"event": 5}),
    ]


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ([tag("error", "bool", True)], ("error", "")),
        ([tag("error", "string", "true")], ("error", "")),
        ([tag("error", "bool", False)], ("unset", "")),
        ([tag("otel.status_code", "string", "OK"), tag("error", "bool", True)], ("ok", "")),
        (
            [
                tag("otel.status_code", "string", "ERROR"),
                tag("otel.status_description", "string", "declined"),
            ],
            ("error", "declined"),
        ),
        ([], ("unset", "")),
    ],
)
def test_the_status_is_otels_tag_before_the_error_tag(
    one: Any, tags: list[object], status: tuple[str, str]
) -> None:
    span = one(answer(a_span(tags=tags)))
    assert (span.status, span.status_message) == status


def test_tags_with_a_place_of_their_own_fill_it_and_stay(one: Any) -> None:
    tags = [
        tag("span.kind", "string", "PRODUCER"),
        tag("otel.scope.name", "string", "lib"),
        tag("otel.scope.version", "string", "1"),
        tag("w3c.tracestate", "string", "ot=th:8"),
    ]
    span = one(answer(a_span(tags=tags)))
    assert (span.kind, span.scope_name, span.scope_version) == ("producer", "lib", "1")
    assert span.trace_state == "ot=th:8"
    assert len(span.attributes) == 4
    assert one(answer(a_span(tags=[tag("span.kind", "string", "odd")]))).kind == "unspecified"


def test_warnings_stay_as_an_attribute(one: Any) -> None:
    assert one(answer(a_span(warnings=["clock skew"]))).attributes == {
        "@jaeger@warnings": ["clock skew"]
    }
    assert one(answer(a_span(warnings=None))).attributes == {}


ELASTIC = {
    **{k: v for k, v in a_span().items() if k != "processID"},
    "startTimeMillis": START // 1000,
    "process": {"serviceName": "pay", "tags": [], "tag": {"host@name": "h"}},
    "tag": {"http@method": "GET"},
    "tags": [tag("blob", "binary", "00003039")],
}


@pytest.mark.parametrize(
    "document",
    [
        ELASTIC,
        [ELASTIC],
        {"_index": "jaeger-span", "_source": ELASTIC},
        {"took": 1, "hits": {"total": 1, "hits": [{"_source": ELASTIC}]}},
    ],
)
def test_spans_of_elasticsearch_hold_their_process_and_bytes_as_hex(
    one: Any, document: object
) -> None:
    span = one(document)
    assert span.attributes == {"http.method": "GET", "blob": b"\x00\x0009"}
    assert span.resource == {"service.name": "pay", "host.name": "h"}


def test_thrift_and_protobuf_spellings_give_the_span_of_the_api(one: Any) -> None:
    thrift = {
        "process": {"serviceName": "pay", "tags": []},
        "spans": [
            {
                "traceIdLow": 0x2BE38093EAD7A083,
                "spanId": 7,
                "parentSpanId": -1,
                "operationName": "charge",
                "startTime": START,
                "duration": 5,
            }
        ],
    }
    protobuf = {
        "traceId": "AAAAAAAAAAAr44CT6tegg" + "w==",
        "spanId": "AAAAAAAAAAc=",
        "operationName": "charge",
        "references": [{"traceId": "AAAAAAAAAAAr44CT6tegg" + "w==", "spanId": "//////////8="}],
        "startTime": "2017-01-26T16:46:31.639875-05:00",
        "duration": "0.000005s",
        "process": {"serviceName": "pay"},
    }
    go = {
        "process": {"service_name": "pay"},
        "spans": [
            {
                "trace_id": TRACE,
                "span_id": "AAAAAAAAAAc=",
                "operation_name": "charge",
                "references": [{"ref_type": 0, "trace_id": TRACE, "span_id": "f" * 16}],
                "start_time": "2017-01-26T21:46:31.639875Z",
                "duration": 5000,
            }
        ],
    }
    want = one(thrift)
    assert want.parent_span_id == "f" * 16
    assert want.end_ns == START * 1000 + 5000
    assert one(protobuf) == want
    assert one(go) == want


def test_a_span_without_a_start_says_so(one: Any) -> None:
    span = one({"traceID": TRACE, "spanID": "7", "duration": 5})
    assert (span.start_ns, span.end_ns) == (0, None)
    assert span.attributes == {"retrospan.start_missing": True}
    assert span.service == "unknown_service"
