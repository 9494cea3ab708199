"""No input breaks a reader: each record comes out or is refused with a reason."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.reader import MetricsSeen, discover
from ingest.redact import Redactor
from ingest.streams import Input
from store.model import Rejected, Span

SPAN: dict[str, Any] = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "x",
    "kind": 2,
    "startTimeUnixNano": "1",
    "endTimeUnixNano": "2",
    "status": {"code": 1},
    "attributes": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}]}}}],
    "events": [{"name": "e", "timeUnixNano": "1"}],
    "links": [{"traceId": "1" * 32, "spanId": "2" * 16}],
}
LOG = {"timeUnixNano": "1", "severityNumber": 9, "body": {"stringValue": "b"}}
DECISION = {"schema": "retrospan.decision/1", "decision_id": "d", "time": "x", "chosen": "c"}
DOCUMENT: dict[str, Any] = {
    "resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [SPAN, SPAN]}]}],
    "resourceLogs": [{"scopeLogs": [{"logRecords": [LOG]}]}],
    "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"sum": {"dataPoints": [{}]}}]}]}],
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just([[[]]]),
    st.just({"key": 1}),
)
SMALL = Limits(document_bytes=4000, line_bytes=4000, nesting_depth=8, attributes_per_record=4)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found += places(item, (*path, key))
    return found


def mutated(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    at = copy
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return copy


def check_read(name: str, data: bytes) -> list[Any]:
    """Everything that comes out is usable: reasons are there, texts can be stored."""
    redactor = Redactor(b"a key for tests only")
    items = [
        redactor.item(item)
        for item in discover()[name].read(Input(io.BytesIO(data), 10**6), SMALL)  # type: ignore[arg-type]
    ]
    for item in items:
        if isinstance(item, Rejected):
            assert item.record
            assert item.reason
        elif not isinstance(item, MetricsSeen):
            repr(item).encode("utf-8")
    return items


@pytest.mark.parametrize("name", sorted(discover()))
@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    items = check_read(name, data)
    assert len(items) <= data.count(b"\n") + 70


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet='{}[]",:\n\\ ane1-', max_size=80))
def test_any_brackets_are_read_or_refused(text: str) -> None:
    """Text of nothing but JSON's own letters reaches deeper than random bytes."""
    line = json.dumps(DOCUMENT)
    items = check_read("otlp_json", f"{line}\n{text}\n{line}".encode())
    assert [type(item).__name__ for item in items].count("Span") >= 2


@settings(max_examples=400, deadline=None)
@given(path=st.sampled_from(places(DOCUMENT)), new=SCALARS)
def test_one_odd_value_loses_at_most_its_own_record(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("otlp_json", json.dumps(mutated(DOCUMENT, path, new)).encode())
    spans = sum(isinstance(item, Span) for item in items)
    inside_one_span = path[:5] == ("resourceSpans", 0, "scopeSpans", 0, "spans") and len(path) > 5
    outside_spans = path[0] != "resourceSpans"
    assert spans >= (2 if outside_spans else 1 if inside_one_span else 0)
    if inside_one_span and spans < 2:
        assert any(isinstance(item, Rejected) for item in items)


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, len(json.dumps(DOCUMENT))),
    drop=st.integers(0, 5),
    put=st.binary(max_size=4),
    indent=st.sampled_from([None, 0, 2]),
)
def test_a_damaged_document_loses_no_other(
    at: int, drop: int, put: bytes, indent: int | None
) -> None:
    whole = json.dumps(DOCUMENT, indent=indent).encode()
    damaged = whole[:at] + put + whole[at + drop :]
    items = check_read("otlp_json", whole + b"\n" + damaged + b"\n" + whole)
    spans = sum(isinstance(item, Span) for item in items)
    assert spans >= 2
    assert spans >= 4 or any(isinstance(item, Rejected) for item in items) or b"\n" in put


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(sorted(DECISION)), new=SCALARS)
def test_an_odd_decision_is_read_or_refused(field: str, new: Any) -> None:
    items = check_read("decisions", json.dumps({**DECISION, field: new}).encode())
    assert len(items) == 1
