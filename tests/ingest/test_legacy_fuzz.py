"""No input breaks the readers of formats from before OpenTelemetry."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.legacy.heads import paths_of
from store.model import Rejected, Span
from tests.ingest.jaeger_documents import a_span as jaeger_span
from tests.ingest.jaeger_documents import answer, reference, tag
from tests.ingest.test_datadog import a_span as datadog_span
from tests.ingest.test_fuzz import SCALARS, check_read, mutated, places
from tests.ingest.test_xray import a_segment, inside
from tests.ingest.test_zipkin import at, note, v1, v2

# Of each format: a document that holds every kind of part, and how deep its records stand.
JAEGER = jaeger_span(
    tags=[tag("a", "int64", "1"), tag("b", "binary", "AA==")],
    logs=[{"timestamp": 1, "fields": [tag("event", "string", "x")]}],
    references=[reference("CHILD_OF", "1"), reference("FOLLOWS_FROM", "2")],
    warnings=["x"],
)
ZIPKIN_2 = v2(
    parentId="b",
    kind="SERVER",
    localEndpoint=at("x", port=1),
    remoteEndpoint={"ipv6": "::1"},
    tags={"error": "x"},
    annotations=[note("x", 1)],
    shared=True,
)
ZIPKIN_1 = v1(
    parentId="b",
    timestamp=1,
    duration=2,
    annotations=[note("cs", 0), note("sr", 1), note("x", 2), note("ss", 3), note("cr", 4)],
    binaryAnnotations=[{"key": "sa", "value": True, "endpoint": at("y")}, {"key": "k", "value": 1}],
)
DATADOG_SPAN = datadog_span(
    meta={"_dd.p.tid": "6a19ef6000000000", "events": "[{}]", "_dd.span_links": "[{}]"},
    metrics={"a": 1},
    span_links=[{"trace_id": 1, "trace_id_high": 2, "span_id": 3, "attributes": {"a": "b"}}],
    span_events=[{"name": "x", "time_unix_nano": 1, "attributes": {"n": 1}}],
)
XRAY = a_segment(
    http={"request": {"method": "GET"}, "response": {"status": 200}},
    cause={"exceptions": [{"id": "1", "stack": [{"path": "p", "line": 1}]}]},
    annotations={"a": 1},
    metadata={"default": {"k": 1}},
    links=[{"trace_id": "1" * 32, "id": "2" * 16}],
    subsegments=[inside(namespace="remote")],
)
DOCUMENTS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "jaeger_json": (answer(JAEGER, JAEGER), ("data", 0, "spans")),
    "zipkin_v2": ([ZIPKIN_2, ZIPKIN_2], ()),
    "zipkin_v1": ([ZIPKIN_1, ZIPKIN_1], ()),
    "datadog": ([[DATADOG_SPAN, DATADOG_SPAN]], (0,)),
    "xray": ([XRAY, XRAY], ()),
}


def spans_in(items: list[Any]) -> int:
    return sum(isinstance(item, Span) for item in items)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@settings(max_examples=150, deadline=None)
@given(data=st.data(), new=SCALARS)
def test_one_odd_value_loses_at_most_its_own_record(name: str, data: Any, new: Any) -> None:
    document, records = DOCUMENTS[name]
    path = data.draw(st.sampled_from(places(document)))
    whole = spans_in(check_read(name, json.dumps(document).encode()))
    items = check_read(name, json.dumps(mutated(document, path, new)).encode())
    inside_one = path[: len(records)] == records and len(path) > len(records)
    if inside_one:
        assert spans_in(items) >= whole // 2
        # An empty array in place of a record is an empty trace; some spans hold two records.
        replaced = len(path) == len(records) + 1
        if not replaced and spans_in(items) < whole - (name in ("xray", "zipkin_v1")):
            assert any(isinstance(item, Rejected) for item in items)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
@settings(max_examples=80, deadline=None)
@given(at_byte=st.integers(0, 900), drop=st.integers(0, 5), put=st.binary(max_size=4))
def test_a_damaged_line_loses_no_other(name: str, at_byte: int, drop: int, put: bytes) -> None:
    """Says nothing of lines that are arrays: an open one is taken to go on on the next line."""
    document, _ = DOCUMENTS[name]
    while isinstance(document, list):
        document = document[0]
    line = json.dumps(document).encode()
    whole = spans_in(check_read(name, line))
    damaged = line[:at_byte] + put + line[at_byte + drop :]
    items = check_read(name, b"\n".join((line, damaged, line)))
    assert spans_in(items) >= whole
    assert spans_in(items) >= 2 * whole or b"\n" in put


def test_the_documents_of_this_file_are_read_whole() -> None:
    for name, (document, _) in DOCUMENTS.items():
        items = check_read(name, json.dumps(document).encode())
        assert spans_in(items) == {"xray": 4, "zipkin_v1": 4}.get(name, 2)
        assert len(items) == spans_in(items), name


@settings(max_examples=300, deadline=None)
@given(head=st.text(alphabet='{}[]",:\n\\ ane1', max_size=60).map(str.encode))
def test_any_brackets_can_be_sniffed(head: bytes) -> None:
    assert all(isinstance(path, str) for path in paths_of(head))
