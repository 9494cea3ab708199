"""An event is an event, whether it came inside its span or as a log record."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from analyzer.events import event_name, events_of, read_with_events, with_events
from store.conclusions import Flow
from store.lease import Store
from store.model import AttributeValue, Batch, LogRecord, Span, SpanEvent
from store.write import write_batch
from tests.analyzer.builder import Recording, at

THROWN: dict[str, AttributeValue] = {
    "exception.type": "java.net.SocketTimeoutException",
    "exception.message": "Read timed out",
}


def log_of(span: Span, event: SpanEvent) -> LogRecord:
    """The event as a log record of the span."""
    return LogRecord(
        time_ns=event.time_ns,
        observed_ns=event.time_ns + 5,
        trace_id=span.trace_id,
        span_id=span.span_id,
        severity_number=17,
        severity_text="ERROR",
        event_name=event.name,
        body=None,
        service=span.service,
        attributes=event.attributes,
    )


def failing() -> tuple[list[Span], Span]:
    """A flow whose one call failed, with nothing but a status to say so."""
    recording = Recording(status="failed")
    call = recording.call("bank", "POST /charge", 10, 40, error="x", callee_seen=False)
    root = recording.add("order", 0, 100, parent=None)
    bare = {name: value for name, value in call.attributes.items() if name != "error.type"}
    call = replace(call, attributes=bare, parent_span_id=root.span_id)
    return [root, call], call


def flow_of(spans: list[Span], logs: list[LogRecord]) -> Flow:
    (rows,) = assign(spans, logs, [], AssignSettings())
    return derive(rows, DeriveSettings())


@pytest.mark.parametrize("named", ["exception", "", "app.crash"])
def test_an_exception_recorded_as_a_log_gives_the_flow_it_gives_as_a_span_event(named: str) -> None:
    (root, call), _ = failing()
    event = SpanEvent(name="exception", time_ns=at(30), attributes=THROWN)
    inside = flow_of([root, replace(call, events=(event,))], [])
    log = replace(log_of(call, event), event_name=named)
    assert flow_of([root, call], [log]) == inside
    (attempt,) = inside.steps[0].attempts
    assert (attempt.status, attempt.error) == ("timeout", "Read timed out")
    assert flow_of([root, call], []) != inside


def test_an_event_recorded_both_ways_counts_once() -> None:
    _, call = failing()
    event = SpanEvent(name="exception", time_ns=at(30), attributes=THROWN)
    call = replace(call, events=(event,))
    assert events_of(call, [log_of(call, event)]) == (event,)


def test_events_stand_in_order_of_time_then_name_however_they_came() -> None:
    _, call = failing()
    events = [
        SpanEvent(name=name, time_ns=at(ms)) for ms, name in ((30, "a"), (30, "b"), (20, "c"))
    ]
    for order in permutations(events):
        logs = [log_of(call, event) for event in order[1:]]
        found = events_of(replace(call, events=order[:1]), logs)
        assert [event.name for event in found] == ["c", "a", "b"]


def test_a_named_body_says_what_attributes_say_and_the_old_name_is_no_attribute() -> None:
    _, call = failing()
    event = SpanEvent(name="feature_flag.evaluation", time_ns=at(5), attributes={"k": "v"})
    log = log_of(call, event)
    for told in (
        replace(log, body={"k": "v"}, attributes={}),
        replace(log, event_name="", attributes={"k": "v", "event.name": event.name}),
    ):
        assert events_of(call, [told]) == (event,)


def test_plain_lines_and_logs_of_other_spans_are_no_events() -> None:
    _, call = failing()
    log = log_of(call, SpanEvent(name="e", time_ns=at(5)))
    plain = replace(log, event_name="")
    others = [replace(log, span_id="f" * 16), replace(log, trace_id=None), plain]
    assert event_name(plain) == ""
    assert with_events([call], others)[0] is call


def test_stored_spans_have_the_events_that_came_as_logs(tmp_path: Path) -> None:
    """Runs of agents and recorded functions are read so: judgements and exceptions may be logs."""
    spans, call = failing()
    thrown = SpanEvent(name="exception", time_ns=at(39), attributes=THROWN)
    store = Store(tmp_path / "s.duckdb")
    with store.lease("test", create=True) as session:
        write_batch(
            session,
            Batch(
                source="t",
                content_sha256="1",
                reader="t/1",
                rules_sha256="0",
                spans=spans,
                logs=[log_of(call, thrown)],
            ),
        )
        found = read_with_events(session, [call.trace_id])
    assert found == [spans[0], replace(call, events=(thrown,))]
