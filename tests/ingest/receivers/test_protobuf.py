"""Protobuf and JSON of one request give equal records, whatever is in it."""

import base64
import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.jsonstream import UndecodableError
from ingest.limits import Limits
from ingest.otlp import protobuf
from ingest.otlp.documents import Walker
from ingest.otlp.values import Object
from ingest.reader import Item, MetricsSeen
from store.model import Rejected, Span

IDS = ("traceId", "spanId", "parentSpanId")
TEXTS = st.text("aé😀\0", max_size=4)
TIMES = st.integers(0, 2**64 - 1)
VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.just({}),
        st.fixed_dictionaries({"string_value": TEXTS}),
        st.fixed_dictionaries({"bool_value": st.booleans()}),
        st.fixed_dictionaries({"int_value": st.integers(-(2**63), 2**63 - 1)}),
        st.fixed_dictionaries({"double_value": st.floats(allow_nan=False)}),
        st.fixed_dictionaries({"bytes_value": st.binary(max_size=9)}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda found: {"array_value": {"values": found}}),
        st.lists(st.fixed_dictionaries({"key": TEXTS, "value": inner}), max_size=3).map(
            lambda found: {"kvlist_value": {"values": found}}
        ),
    ),
    max_leaves=6,
)
ATTRIBUTES = st.lists(st.fixed_dictionaries({"key": TEXTS, "value": VALUES}), max_size=3)
TRACE_IDS = st.one_of(st.binary(min_size=16, max_size=16), st.binary(max_size=20))
SPAN_IDS = st.one_of(st.binary(min_size=8, max_size=8), st.binary(max_size=12))
SPANS = st.fixed_dictionaries(
    {
        "trace_id": TRACE_IDS,
        "span_id": SPAN_IDS,
        "parent_span_id": SPAN_IDS,
        "trace_state": TEXTS,
        "name": TEXTS,
        "kind": st.integers(0, 7),
        "start_time_unix_nano": TIMES,
        "end_time_unix_nano": TIMES,
        "attributes": ATTRIBUTES,
        "status": st.fixed_dictionaries({"code": st.integers(0, 4), "message": TEXTS}),
        "events": st.lists(
            st.fixed_dictionaries(
                {"name": TEXTS, "time_unix_nano": TIMES, "attributes": ATTRIBUTES}
            ),
            max_size=2,
        ),
        "links": st.lists(
            st.fixed_dictionaries(
                {"trace_id": TRACE_IDS, "span_id": SPAN_IDS, "attributes": ATTRIBUTES}
            ),
            max_size=2,
        ),
    }
)
LOGS = st.fixed_dictionaries(
    {
        "time_unix_nano": TIMES,
        "observed_time_unix_nano": TIMES,
        "severity_number": st.integers(0, 30),
        "severity_text": TEXTS,
        "event_name": TEXTS,
        "body": VALUES,
        "attributes": ATTRIBUTES,
        "trace_id": TRACE_IDS,
        "span_id": SPAN_IDS,
    }
)


def as_json(message: Any) -> Object:
    """The message as OTLP JSON: protobuf's JSON mapping, with ids in hex."""
    found: Object = fixed(MessageToDict(message, always_print_fields_with_no_presence=True))
    return found


def fixed(value: Any) -> Any:
    if isinstance(value, list):
        return [fixed(item) for item in value]
    if isinstance(value, dict):
        return {
            key: base64.b64decode(item).hex() if key in IDS else fixed(item)
            for key, item in value.items()
        }
    return value


def records(document: object) -> list[Item]:
    return list(Walker(Limits()).walk(document, "request"))


@settings(deadline=None, max_examples=80)
@given(st.lists(SPANS, max_size=3), ATTRIBUTES, TEXTS)
def test_spans_are_equal(spans: list[Any], attributes: list[Any], name: str) -> None:
    scope = {"name": name, "version": "1", "attributes": attributes}
    part = {
        "resource": {"attributes": attributes},
        "scope_spans": [{"scope": scope, "spans": spans}],
    }
    message = TracesData(resource_spans=[part])  # type: ignore[list-item]
    found = records(protobuf.traces_of(message.SerializeToString()))
    assert found == records(as_json(message))
    assert len([one for one in found if isinstance(one, Span)]) <= len(spans)


@settings(deadline=None, max_examples=60)
@given(st.lists(LOGS, max_size=3), ATTRIBUTES)
def test_log_records_are_equal(logs: list[Any], attributes: list[Any]) -> None:
    part = {"resource": {"attributes": attributes}, "scope_logs": [{"log_records": logs}]}
    message = LogsData(resource_logs=[part])  # type: ignore[list-item]
    assert records(protobuf.logs_of(message.SerializeToString())) == records(as_json(message))


def test_every_kind_of_metric_point_is_counted() -> None:
    message = MetricsData()
    scope = message.resource_metrics.add().scope_metrics.add()
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        getattr(scope.metrics.add(name=kind), kind).data_points.add()
    scope.metrics.add(name="none")
    assert records(protobuf.metrics_of(message.SerializeToString())) == [MetricsSeen(5)]


def test_what_is_no_message_says_so() -> None:
    for data in (b"\xff\xff", b"\x0a\x05abc"):
        with pytest.raises(UndecodableError, match="no TracesData in protobuf encoding"):
            protobuf.traces_of(data)


def test_values_nested_past_the_limit_are_rejected_alone() -> None:
    message = TracesData()
    scope = message.resource_spans.add().scope_spans.add()
    for number in (1, 2):
        scope.spans.add(trace_id=b"1" * 16, span_id=bytes([number] * 8), name=str(number))
    value: AnyValue = scope.spans[0].attributes.add(key="deep").value
    for _ in range(20):
        value = value.array_value.values.add()
    found = list(
        Walker(Limits(nesting_depth=10)).walk(
            protobuf.traces_of(message.SerializeToString()), "request"
        )
    )
    assert [type(one) for one in found] == [Rejected, Span]


def test_a_message_is_the_same_record_as_its_json_text() -> None:
    """Through text, not only through the structure."""
    message = TracesData()
    span = message.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = b"a" * 16, b"b" * 8, "pay"
    span.attributes.add(key="nan").value.double_value = float("inf")
    text = json.dumps(as_json(message))
    assert records(protobuf.traces_of(message.SerializeToString())) == records(json.loads(text))
