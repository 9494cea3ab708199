"""Recorded data comes back equal, whatever it is. Times are taken to fit 64 bits: readers check."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from store.lease import Session, Store
from store.model import Batch, Decision, LogRecord, Span, SpanEvent, SpanLink
from store.read import read_decisions, read_logs, read_spans
from store.values import to_json
from store.write import write_batch

NS = st.integers(0, 2**63 - 1)
TRACE_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
SPAN_IDS = st.binary(min_size=8, max_size=8).map(bytes.hex)
TEXT = st.text(max_size=8)
ATTRIBUTES = st.dictionaries(
    TEXT | st.sampled_from(["http.route", "http.status_code", "$bytes", "a.b", 'a"b', "~/"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | TEXT
        | st.binary(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=5,
)
EVENTS = st.builds(SpanEvent, name=TEXT, time_ns=NS, attributes=ATTRIBUTES)
LINKS = st.builds(SpanLink, trace_id=TRACE_IDS, span_id=SPAN_IDS, attributes=ATTRIBUTES)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    parent_span_id=st.none() | SPAN_IDS,
    name=TEXT,
    kind=st.sampled_from(["internal", "server"]),
    service=TEXT,
    start_ns=NS,
    end_ns=st.none() | NS,
    status=st.sampled_from(["unset", "error"]),
    status_message=TEXT,
    trace_state=TEXT,
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
    scope_name=TEXT,
    scope_version=TEXT,
    events=st.lists(EVENTS, max_size=3).map(tuple),
    links=st.lists(LINKS, max_size=2).map(tuple),
)
LOGS = st.builds(
    LogRecord,
    time_ns=NS,
    observed_ns=NS,
    trace_id=st.none() | TRACE_IDS,
    span_id=st.none() | SPAN_IDS,
    severity_number=st.integers(0, 24),
    severity_text=TEXT,
    event_name=TEXT,
    body=ATTRIBUTES | TEXT | st.none(),
    service=TEXT,
    attributes=ATTRIBUTES,
    resource=ATTRIBUTES,
)
OPTIONAL = st.none() | TEXT
DECISIONS = st.builds(
    Decision,
    decision_id=TEXT,
    time_ns=NS,
    chosen=TEXT,
    trace_id=st.none() | TRACE_IDS,
    span_id=st.none() | SPAN_IDS,
    flow_id=OPTIONAL,
    seq=st.none() | NS,
    confidence=st.none() | st.sampled_from(["0.90", "1e-3", "high", "NaN"]),
    threshold=OPTIONAL,
    model_name=OPTIONAL,
    action_step_key=OPTIONAL,
    record=st.dictionaries(TEXT, TEXT | st.integers() | st.floats(allow_nan=False), max_size=3),
)


def stored(**records: Any) -> Batch:
    """A batch of these records."""
    return Batch(source="x", content_sha256="1", reader="r", rules_sha256="0", **records)


def exact(record: Span | LogRecord) -> str:
    """Text in which 1, 1.0 and True differ, but not the order of keys."""
    return to_json(asdict(record))


@settings(max_examples=12, deadline=None)
@given(
    spans=st.lists(SPANS, max_size=5, unique_by=lambda span: (span.trace_id, span.span_id)),
    logs=st.lists(LOGS, max_size=3, unique_by=lambda log: (log.time_ns, to_json(log.body))),
    decisions=st.lists(DECISIONS, max_size=3, unique_by=lambda decision: decision.decision_id),
)
def test_records_come_back_equal_from_a_reopened_file(
    spans: list[Span], logs: list[LogRecord], decisions: list[Decision]
) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder) / "s.duckdb")
        with store.lease("write", create=True) as session:
            counts = write_batch(session, stored(spans=spans, logs=logs, decisions=decisions))
        assert (counts.spans, counts.logs) == (len(spans), len(logs))
        with store.lease("read") as session:
            got = read_spans(session)
            assert got == sorted(spans, key=lambda s: (s.start_ns, s.trace_id, s.span_id))
            assert sorted(map(exact, got)) == sorted(map(exact, spans))
            assert sorted(map(exact, read_logs(session))) == sorted(map(exact, logs))
            assert {d.decision_id: d for d in read_decisions(session)} == {
                d.decision_id: d for d in decisions
            }
            for span in spans[:2]:
                assert span in read_spans(session, [span.trace_id])


def test_a_decision_belongs_to_the_traces_of_the_flow_it_names(
    session: Session, span: Callable[..., Span], batch: Callable[..., Batch]
) -> None:
    mine = span(1, attributes={"retrospan.flow.id": "order-7"})
    other = span(2, trace_id="f" * 32)
    decision = Decision(decision_id="d1", time_ns=5, chosen="retry", flow_id="order-7")
    write_batch(session, batch(mine, other, decisions=[decision]))
    assert read_decisions(session, [mine.trace_id]) == [decision]
    assert read_decisions(session, [other.trace_id]) == []


def test_ids_that_are_not_hex_select_nothing(
    session: Session, span: Callable[..., Span], batch: Callable[..., Batch]
) -> None:
    write_batch(session, batch(span()))
    assert read_spans(session, ["x' OR 1=1 --", "", "zz"]) == []
    assert read_spans(session, []) == []
