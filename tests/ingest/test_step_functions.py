"""Execution histories become spans by the chain of their events."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from store.model import Rejected, Span
from tests.ingest.test_fuzz import SCALARS, check_read, mutated, places

ARN = "arn:aws:states:eu-west-1:123456789012:execution:Checkout:run-7"


def entry(number: int, previous: int, kind: str, **details: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": number,
        "previousEventId": previous,
        "type": kind,
        "timestamp": f"2026-01-02T03:04:{number:02d}.250000+01:00",
    }
    if details:
        found[f"{kind[0].lower()}{kind[1:]}EventDetails"] = details
    return found


def task(number: int, previous: int, name: str) -> list[dict[str, Any]]:
    """A task state entered and scheduled."""
    scheduled = entry(
        number + 1,
        number,
        "TaskScheduled",
        resource="invoke",
        resourceType="lambda",
        parameters='{"FunctionName":"arn:aws:lambda:eu:1:function:charge","Payload":{"n":1}}',
        timeoutInSeconds=30,
    )
    entered = entry(number, previous, "TaskStateEntered", name=name, input='{"n":1}')
    entered["stateEnteredEventDetails"] = entered.pop("taskStateEnteredEventDetails")
    return [entered, scheduled, entry(number + 2, number + 1, "TaskStarted", resource="invoke")]


def history() -> dict[str, Any]:
    """Charge fails twice, is caught, and Refund runs instead."""
    failed = {"error": "Declined", "cause": '{"errorMessage":"no money"}', "resource": "invoke"}
    again = task(2, 0, "Charge")[1] | {"id": 6, "previousEventId": 5}
    exited = entry(8, 7, "TaskStateExited")
    exited["stateExitedEventDetails"] = {"name": "Charge", "output": '{"n":1}'}
    left = entry(13, 12, "TaskStateExited")
    left["stateExitedEventDetails"] = {"name": "Refund", "output": "{}"}
    events = [
        entry(1, 0, "ExecutionStarted", input='{"n":1}', roleArn="role"),
        *task(2, 0, "Charge"),
        entry(5, 4, "TaskFailed", **failed),
        again,
        entry(7, 6, "TaskFailed", **failed),
        exited,
        *task(9, 8, "Refund"),
        entry(12, 11, "TaskSucceeded", resource="invoke", output='{"ok":true}'),
        left,
        entry(14, 13, "ExecutionSucceeded", output='"done"'),
    ]
    return {"events": events, "executionArn": ARN}


def read_spans(read: Any, value: Any) -> list[Span]:
    items = read(value, reader="step_functions")
    assert all(isinstance(item, Span) for item in items), items
    return list(items)


def test_states_hold_their_attempts(read: Any) -> None:
    spans = read_spans(read, history())
    assert [(span.name, span.kind, span.status) for span in spans] == [
        ("Checkout", "server", "ok"),
        ("Charge", "internal", "ok"),
        ("Charge", "client", "error"),
        ("Charge", "client", "error"),
        ("Refund", "internal", "ok"),
        ("Refund", "client", "ok"),
    ]
    root, charge, first, second, refund, call = spans
    assert root.attributes["retrospan.flow.output"] == '"done"'
    assert {charge.parent_span_id, refund.parent_span_id} == {root.span_id}
    assert {first.parent_span_id, second.parent_span_id} == {charge.span_id}
    assert first.attributes["error.type"] == "Declined"
    assert first.status_message == "no money"
    assert call.attributes["service.peer.name"] == "charge"
    assert call.attributes["retrospan.call.timeout_ms"] == 30_000
    assert call.attributes["retrospan.step.response"] == '{"ok":true}'
    assert call.end_ns == 1767319452250000000


def test_a_catch_names_its_route(read: Any) -> None:
    _, charge, _, _, refund, _ = read_spans(read, history())
    assert charge.attributes["retrospan.catch.error"] == "Declined"
    assert charge.attributes["retrospan.catch.next"] == "Refund"
    assert refund.attributes["retrospan.catch.from"] == "Charge"
    assert [link.span_id for link in refund.links] == [charge.span_id]


def test_a_retry_that_succeeds_is_no_catch(read: Any) -> None:
    value = history()
    value["events"][6] = entry(7, 6, "TaskSucceeded", output="{}")
    charge = read_spans(read, value)[1]
    assert "retrospan.catch.error" not in charge.attributes


def test_the_states_of_a_failed_execution_fail_with_it(read: Any) -> None:
    events = [*history()["events"][:5], entry(6, 5, "ExecutionFailed", error="Declined")]
    root, charge, attempt = read_spans(read, {"events": events})
    assert [span.status for span in (root, charge, attempt)] == ["error"] * 3
    assert root.end_ns == charge.end_ns != attempt.end_ns


def test_branches_stand_in_their_parallel_state(read: Any) -> None:
    def state(number: int, previous: int, kind: str, name: str) -> dict[str, Any]:
        key = "stateEnteredEventDetails" if kind.endswith("Entered") else "stateExitedEventDetails"
        return entry(number, previous, kind) | {key: {"name": name}}

    events = [
        entry(1, 0, "ExecutionStarted"),
        state(2, 0, "ParallelStateEntered", "Both"),
        entry(3, 2, "ParallelStateStarted"),
        state(4, 3, "WaitStateEntered", "Left"),
        state(5, 3, "PassStateEntered", "Right"),
        state(6, 4, "WaitStateExited", "Left"),
        state(7, 5, "PassStateExited", "Right"),
        entry(8, 7, "ParallelStateSucceeded"),
        state(9, 8, "ParallelStateExited", "Both"),
        entry(10, 9, "ExecutionSucceeded"),
    ]
    root, both, left, right = read_spans(read, {"events": events})
    assert both.parent_span_id == root.span_id
    assert {left.parent_span_id, right.parent_span_id} == {both.span_id}
    assert left.attributes["retrospan.step.kind"] == "timer"
    assert all(span.end_ns is not None for span in (root, both, left, right))


def test_histories_are_found_at_any_depth_and_told_apart_by_content(read: Any) -> None:
    other = history() | {"executionArn": ARN + "b"}
    spans = read_spans(read, {"a": {"b": [history(), other]}, "c": 1})
    assert len(spans) == 12
    assert len({span.trace_id for span in spans}) == 2
    bare = history()["events"]
    assert len({span.trace_id for span in read_spans(read, bare)}) == 1
    assert read_spans(read, bare) == read_spans(read, {"events": bare})


def test_placeholders_of_time_leave_only_the_order(read: Any) -> None:
    value = history()
    for event in value["events"]:
        event["timestamp"] = "timestamp"
    spans = read_spans(read, value)
    assert all(span.attributes["retrospan.time.synthetic"] is True for span in spans)
    assert spans[0].start_ns < spans[1].start_ns < spans[2].start_ns


def test_seconds_and_milliseconds_are_told_apart(read: Any) -> None:
    value = {"events": history()["events"][:1]}
    for stamp in (1767319441.25, 1767319441250):
        value["events"][0]["timestamp"] = stamp
        (root,) = read_spans(read, value)
        assert root.start_ns == 1767319441250000000


def test_a_bad_event_is_refused_alone(read: Any) -> None:
    value = history()
    value["events"][2]["timestamp"] = "2026-13-01T00:00:00Z"
    value["events"].append({"type": None})
    items = read(value, reader="step_functions")
    refused = [item for item in items if isinstance(item, Rejected)]
    assert [item.record for item in refused] == ["line 1 events[2]", "line 1 events[14]"]
    assert sum(isinstance(item, Span) for item in items) == 5


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(places(history())), new=SCALARS)
def test_one_odd_value_loses_at_most_its_own_event(path: tuple[Any, ...], new: Any) -> None:
    items = check_read("step_functions", json.dumps(mutated(history(), path, new)).encode())
    spans = sum(isinstance(item, Span) for item in items)
    assert spans >= (0 if path == ("events",) else 3)
