"""What a write stores, leaves out, counts and marks."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import pytest

from store.errors import DataError
from store.lease import Session
from store.model import (
    AttributeValue,
    Batch,
    BatchCounts,
    Decision,
    LogRecord,
    Rejected,
    Span,
    SpanEvent,
    SpanLink,
)
from store.read import (
    KeptReject,
    counts,
    read_decisions,
    read_dirty,
    read_logs,
    read_rejects,
    read_spans,
)
from store.values import NESTING_MAX
from store.write import replace_flows, write_batch

Spans = Callable[..., Span]
Batches = Callable[..., Batch]

LOG = LogRecord(
    time_ns=7,
    observed_ns=8,
    trace_id=None,
    span_id=None,
    severity_number=9,
    severity_text="INFO",
    event_name="",
    body="hello",
    service="payments",
)


def test_a_known_batch_is_left_alone(session: Session, span: Spans, batch: Batches) -> None:
    once = batch(span(1), span(2), logs=[LOG], metrics=3)
    first = write_batch(session, once)
    assert first == BatchCounts(spans=2, logs=1, metrics=3)
    assert write_batch(session, once) == BatchCounts(duplicates=3, known_batch=True)
    assert counts(session).generation == 1


def test_the_same_bytes_under_other_rules_are_looked_at_again(
    session: Session, span: Spans, batch: Batches
) -> None:
    once = batch(span(1))
    write_batch(session, once)
    again = write_batch(session, replace(once, rules_sha256="1"))
    assert again == BatchCounts(duplicates=1)
    assert counts(session).generation == 1


def test_spans_stored_before_are_duplicates_however_they_are_cut_into_batches(
    session: Session, span: Spans, batch: Batches
) -> None:
    write_batch(session, batch(span(1), span(2), span(1)))
    second = write_batch(session, batch(span(2), span(3, start_ns=5, end_ns=6)))
    assert second == BatchCounts(spans=1, duplicates=1)
    assert write_batch(session, batch(span(3, start_ns=5, end_ns=6))).duplicates == 1
    assert len(read_spans(session)) == counts(session).spans == 3


def test_the_finished_version_of_a_span_wins_in_any_order_and_any_batches(
    session: Session, span: Spans, batch: Batches
) -> None:
    event = SpanEvent(name="seen", time_ns=1)
    started = span(
        end_ns=None, events=(event, event), links=(SpanLink(trace_id="1" * 32, span_id="2" * 16),)
    )
    finished = span(events=(event,))
    amended = span(attributes={"late": True}, end_ns=finished.end_ns)
    versions = (started, finished, amended)
    for number, order in enumerate(permutations(versions)):
        renamed = [replace(version, trace_id=f"{number:032x}") for version in order]
        together = [replace(version, trace_id=f"{number + 100:032x}") for version in order]
        assert write_batch(session, batch(renamed[0])).spans == 1
        assert write_batch(session, batch(renamed[1])) == BatchCounts(superseded=1)
        assert write_batch(session, batch(renamed[2])) == BatchCounts(superseded=1)
        assert write_batch(session, batch(*together)) == BatchCounts(spans=1, superseded=2)
        for trace_id in (renamed[0].trace_id, together[0].trace_id):
            (kept,) = read_spans(session, [trace_id])
            assert kept.end_ns is not None
            assert replace(kept, trace_id=finished.trace_id) in (finished, amended)
    assert counts(session).spans == 12


def test_which_of_two_finished_versions_is_kept_does_not_depend_on_order(
    session: Session, span: Spans, batch: Batches
) -> None:
    one, two = span(1, attributes={"a": 1}), span(1, attributes={"a": 2})
    write_batch(session, batch(one))
    assert write_batch(session, batch(two)) == BatchCounts(superseded=1)
    first = read_spans(session)
    write_batch(session, batch(one))
    write_batch(session, batch(two, one))
    assert read_spans(session) == first
    later = replace(one, end_ns=one.start_ns + 10**12)
    assert write_batch(session, batch(later)) == BatchCounts(superseded=1)
    assert read_spans(session) == [later]


def test_a_changed_attribute_type_makes_another_version(
    session: Session, span: Spans, batch: Batches
) -> None:
    write_batch(session, batch(span(attributes={"n": 1})))
    assert write_batch(session, batch(span(attributes={"n": 1.0}))).superseded == 1


def test_traces_that_changed_are_marked_and_others_are_not(
    session: Session, span: Spans, batch: Batches
) -> None:
    assert read_dirty(session).generation == 0
    write_batch(session, batch(span(1)))
    write_batch(session, batch(span(1), span(2, trace_id="b" * 32)))
    dirty = read_dirty(session)
    assert (dirty.generation, dirty.trace_ids) == (2, (span().trace_id, "b" * 32))
    write_batch(session, batch(logs=[replace(LOG, trace_id="c" * 32, span_id="1" * 16)]))
    write_batch(session, batch(span(1)))
    assert read_dirty(session).trace_ids == (span().trace_id, "b" * 32, "c" * 32)
    assert read_dirty(session).generation == 3


def test_equal_logs_are_one_record(session: Session, batch: Batches) -> None:
    assert write_batch(session, batch(logs=[LOG, LOG, replace(LOG, body="bye")])) == BatchCounts(
        logs=2, duplicates=1
    )
    assert write_batch(session, batch(logs=[LOG])).duplicates == 1
    assert sorted(str(log.body) for log in read_logs(session)) == ["bye", "hello"]


def test_a_decision_is_never_replaced(session: Session, batch: Batches) -> None:
    first = Decision(decision_id="d", time_ns=1, chosen="allow", record={"big": 2**80})
    other = replace(first, chosen="deny")
    assert write_batch(session, batch(decisions=[first, first, other])) == BatchCounts(
        decisions=1, duplicates=1, superseded=1
    )
    assert write_batch(session, batch(decisions=[other])).superseded == 1
    write_batch(session, batch(decisions=[replace(first, decision_id="e")]))
    assert read_decisions(session) == [first, replace(first, decision_id="e")]
    leaves = session.cursor.execute("SELECT decision_id, leaf_index FROM decisions ORDER BY ALL")
    assert leaves.fetchall() == [("d", 0), ("e", 1)]


def test_a_late_decision_marks_the_traces_of_the_flow_it_names(
    session: Session, span: Spans, batch: Batches
) -> None:
    write_batch(session, batch(span(attributes={"retrospan.flow.id": "order-7"})))
    replace_flows(
        session,
        generation=read_dirty(session).generation,
        flows=(),
        members={},
        sagas=(),
        findings=(),
        code_digest="any",
    )
    assert read_dirty(session).trace_ids == ()
    write_batch(
        session,
        batch(decisions=[Decision(decision_id="d", time_ns=1, chosen="x", flow_id="order-7")]),
    )
    assert read_dirty(session).trace_ids == (span().trace_id,)


def test_rejects_are_kept_with_their_reason_and_judged_anew_by_a_newer_reader(
    session: Session, batch: Batches
) -> None:
    old = batch(rejected=[Rejected(record="line 2", reason="no trace id", excerpt="{")])
    write_batch(session, old)
    assert read_rejects(session) == [
        KeptReject(source=old.source, record="line 2", reason="no trace id", excerpt="{")
    ]
    write_batch(session, replace(old, reader="otlp/2", rejected=()))
    assert read_rejects(session) == []


def test_partial_data_is_data(session: Session, span: Spans, batch: Batches) -> None:
    orphan = span(3, parent_span_id="9" * 16, end_ns=None)
    backwards = span(4, end_ns=1)
    lone_log = replace(LOG, trace_id="d" * 32, span_id="1" * 16)
    written = write_batch(session, batch(orphan, backwards, logs=[lone_log]))
    assert (written.spans, written.logs) == (2, 1)
    assert read_logs(session, ["d" * 32]) == [lone_log]
    assert len(read_spans(session, [orphan.trace_id])) == 2


def test_hostile_text_stays_a_value(session: Session, span: Spans, batch: Batches) -> None:
    hostile = "'; DROP TABLE spans; -- \0 \" $x ${y} \u202e \U0001f4a5"
    evil = span(name=hostile, service=hostile, attributes={hostile: hostile, "http.route": hostile})
    write_batch(session, batch(evil, source=hostile))
    assert read_spans(session) == [evil]


def test_deep_and_long_attributes_survive(session: Session, span: Spans, batch: Batches) -> None:
    deep: AttributeValue = "end"
    for _ in range(NESTING_MAX - 2):
        deep = [deep]
    odd = span(
        attributes={"deep": deep, "long": "x" * 2_000_000, "": "empty key", "big": 2**64 - 1}
    )
    write_batch(session, batch(odd))
    assert read_spans(session) == [odd]


@pytest.mark.parametrize(
    "fields",
    [
        {"trace_id": "xyz"},
        {"trace_id": "0_" * 16},
        {"span_id": "0x00000000000001"},
        {"span_id": ""},
        {"start_ns": 2**63},
        {"name": "\ud800"},
    ],
)
def test_a_value_that_fits_no_column_is_refused_in_words_and_nothing_is_stored(
    session: Session, span: Spans, batch: Batches, fields: dict[str, object]
) -> None:
    bad = batch(span(1), replace(span(2), **fields))  # type: ignore[arg-type]
    with pytest.raises(DataError):
        write_batch(session, bad)
    assert counts(session).spans == 0
    assert not write_batch(session, replace(bad, spans=[span(1)])).known_batch


def test_columns_copy_the_attributes_questions_read(
    session: Session, span: Spans, batch: Batches
) -> None:
    write_batch(
        session,
        batch(
            span(
                1,
                attributes={
                    "http.method": "GET",
                    "http.request.method": "POST",
                    "http.status_code": "503",
                    "error.type": "timeout",
                    "http.route": 7,
                },
            )
        ),
    )
    got = session.cursor.execute(
        "SELECT http_method, http_status_code, error_type, http_route, duration_ns, span_id "
        "FROM span_facts"
    ).fetchall()
    assert got == [("POST", 503, "timeout", None, 50_000_000, "0000000000000001")]
