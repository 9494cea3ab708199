"""Workflow histories become spans from which flows can be derived."""

import json
from dataclasses import replace
from typing import Any

import pytest

from analyzer.assign import assign
from analyzer.assign.ties import AssignSettings
from analyzer.derive import DeriveSettings, derive
from ingest.history.kept import HISTORY
from ingest.limits import Limits
from store.conclusions import FlowOutcome, StepOutcome
from store.model import Rejected, Span
from tests.ingest.histories import (
    CALLER,
    START_ACTIVITY,
    TRACE,
    as_sdk,
    event,
    header,
    order,
    payload,
    payloads,
)


def read_spans(read: Any, history: Any, reader: str = "temporal") -> dict[str, Span]:
    items = read(history, reader=reader)
    assert all(isinstance(item, Span) for item in items), items
    return {item.name: item for item in items}


def test_a_history_gives_the_workflow_its_activities_and_its_timers(read: Any) -> None:
    spans = read_spans(read, order())
    assert list(spans) == ["RunWorkflow:Order", "RunActivity:charge", "Timer", "RunActivity:ship"]
    root, charge = spans["RunWorkflow:Order"], spans["RunActivity:charge"]
    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert root.parent_span_id is None
    assert [(link.trace_id, link.span_id) for link in root.links] == [(TRACE, CALLER)]
    assert root.attributes["retrospan.flow.input"] == '{"order_id":"o1"}'
    assert (root.status, root.status_message) == ("error", "no carrier")
    assert root.attributes["error.type"] == "CarrierRefused"
    assert charge.parent_span_id == root.span_id
    assert [link.span_id for link in charge.links] == [START_ACTIVITY]
    assert (charge.kind, charge.service, charge.status) == ("client", "payments", "ok")
    assert charge.end_ns is not None
    assert charge.end_ns - charge.start_ns == 10**9
    told = {
        "temporalWorkflowID": "order-1",
        "temporalRunID": "run-1",
        "temporalActivityID": "1",
        "retrospan.source": "temporal_history",
        "retrospan.step.request": '["o1",12]',
        "retrospan.step.response": '{"id":"ch-1"}',
        "retrospan.call.timeout_ms": 5000,
        "retrospan.call.max_attempts": 4,
        "retrospan.call.backoff_initial_ms": 50,
        "retrospan.call.backoff_coefficient": 2.0,
        "retrospan.attempt": 3,
    }
    assert {name: charge.attributes[name] for name in told} == told


def test_a_signal_is_an_event_of_the_workflow(read: Any) -> None:
    root = read_spans(read, order())["RunWorkflow:Order"]
    (signal,) = [one for one in root.events if one.name == "WorkflowExecutionSignaled"]
    assert signal.attributes["signal_name"] == "hurry"
    assert signal.attributes["input"] == "now"


def test_what_is_not_plain_json_stays_closed(read: Any) -> None:
    ship = read_spans(read, order())["RunActivity:ship"]
    body = json.loads(str(ship.attributes["retrospan.step.request"]))
    assert (body["opaque"], body["size_bytes"]) == ("binary/encrypted", 2)
    assert "AQI=" not in str(ship)


@pytest.mark.parametrize(
    "shape",
    [
        as_sdk(order()),
        {"events": order()},
        {"history": {"events": order()}},
        [{"events": order()}],
        json.dumps(as_sdk(order()), indent=1),
    ],
)
def test_every_dialect_gives_the_same_spans(read: Any, shape: Any) -> None:
    def spans(shape: Any) -> list[Span]:
        found = read(shape, reader="temporal")
        # The history is kept as it was written.
        return [
            replace(one, attributes={k: v for k, v in one.attributes.items() if k != HISTORY})
            for one in found
        ]

    assert spans(shape) == spans(order())


def test_the_short_payloads_of_the_command_line_are_read(read: Any) -> None:
    history = order()
    started = history[0]["workflowExecutionStartedEventAttributes"]
    started["input"] = [{"order_id": "o1"}]
    parent = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    started["header"] = {"fields": {"_tracer-data": parent}}
    root = read_spans(read, history)["RunWorkflow:Order"]
    assert root.attributes["retrospan.flow.input"] == '{"order_id":"o1"}'
    assert root.trace_id == TRACE


def test_a_history_alone_gives_a_whole_flow(read: Any) -> None:
    spans = [item for item in read(order(), reader="temporal") if isinstance(item, Span)]
    (rows,) = assign(spans, [], [], AssignSettings())
    flow = derive(rows, DeriveSettings())
    assert flow.flow_id == "wf:order-1/run-1"
    assert (flow.name, flow.outcome, flow.complete) == ("Order", FlowOutcome.FAILED, True)
    steps = [(step.operation, step.kind, step.outcome) for step in flow.steps]
    assert steps == [
        ("charge", "call", StepOutcome.OK),
        ("Timer", "timer", StepOutcome.OK),
        ("ship", "call", StepOutcome.TIMEOUT),
    ]
    assert flow.steps[0].attempts[0].request == ["o1", 12]
    assert flow.steps[0].max_attempts == 4


def test_what_has_not_ended_has_no_end(read: Any) -> None:
    spans = read_spans(read, order()[:4])
    assert {name: span.end_ns for name, span in spans.items()} == {
        "RunWorkflow:Order": None,
        "RunActivity:charge": None,
    }


def test_a_timer_ends_with_its_workflow(read: Any) -> None:
    history = order()
    del history[6]
    timer = read_spans(read, history)["Timer"]
    assert timer.attributes["retrospan.timer.outcome"] == "abandoned"
    assert timer.end_ns is not None


def test_a_history_without_names_is_known_by_its_content(read: Any) -> None:
    history = order()[:1]
    started = history[0]["workflowExecutionStartedEventAttributes"]
    del started["workflowId"], started["header"]
    (span,) = read(history, reader="temporal")
    assert span.attributes["temporalWorkflowID"] == "unnamed:run-1"
    assert span.attributes["retrospan.workflow_id.derived"] is True
    del started["originalExecutionRunId"], started["firstExecutionRunId"]
    (first,), (second,) = read(history, reader="temporal"), read(as_sdk(history), reader="temporal")
    assert first.attributes["temporalRunID"].startswith("unnamed:")
    assert len({span.trace_id, first.trace_id, second.trace_id}) == 3


def test_a_reset_run_has_the_id_of_the_new_run(read: Any) -> None:
    history = [*order()[:1], event(2, "WorkflowTaskFailed", baseRunId="run-1", newRunId="run-2")]
    (span,) = read(history, reader="temporal")
    assert span.attributes["temporalRunID"] == "run-2"


def test_a_child_workflow_is_tied_to_the_step_that_started_it(read: Any) -> None:
    parent = [
        order()[0],
        event(
            2,
            "StartChildWorkflowExecutionInitiated",
            workflowId="child-1",
            workflowType={"name": "Pack"},
            input=payloads(1),
        ),
        event(
            3,
            "ChildWorkflowExecutionStarted",
            initiatedEventId="2",
            workflowExecution={"workflowId": "child-1", "runId": "run-k"},
        ),
        event(4, "ChildWorkflowExecutionCompleted", initiatedEventId="2", result=payloads(2)),
    ]
    child = order()[:1]
    child[0]["workflowExecutionStartedEventAttributes"] |= {
        "workflowId": "child-1",
        "parentWorkflowExecution": {"workflowId": "order-1", "runId": "run-1"},
        "parentInitiatedEventId": "2",
    }
    step = read_spans(read, parent)["RunChildWorkflow:Pack"]
    (root,) = read(child, reader="temporal")
    assert step.attributes["retrospan.step.response"] == "2"
    assert step.attributes["retrospan.child.run_id"] == "run-k"
    assert (step.trace_id, step.span_id) in [(one.trace_id, one.span_id) for one in root.links]


def test_local_activities_are_read_from_their_markers(read: Any) -> None:
    core = {
        "activity_id": "4",
        "activity_type": "score",
        "attempt": 2,
        "original_schedule_time": "2026-11-22T13:24:01Z",
        "complete_time": "2026-11-22T13:24:02Z",
    }
    history = [
        order()[0],
        event(
            2,
            "MarkerRecorded",
            markerName="core_local_activity",
            details={"data": payloads(core), "result": payloads(0.7)},
        ),
        event(
            3,
            "MarkerRecorded",
            markerName="LocalActivity",
            details={"type": payloads("rate"), "activityId": payloads("x"), "input": payloads(1)},
            failure={"message": "no", "applicationFailureInfo": {"type": "Bad"}},
        ),
        event(4, "MarkerRecorded", markerName="Version", details={"version": payloads(3)}),
    ]
    spans = read_spans(read, history)
    score, rate = spans["RunActivity:score"], spans["RunActivity:rate"]
    assert score.end_ns is not None
    assert score.end_ns - score.start_ns == 10**9
    assert score.attributes["retrospan.step.response"] == "0.7"
    assert (rate.status, rate.attributes["error.type"]) == ("error", "Bad")
    assert [one.name for one in spans["RunWorkflow:Order"].events] == ["marker Version"]


def test_a_workflow_that_continues_as_new_ends_well_and_names_the_next_run(read: Any) -> None:
    history = [
        order()[0],
        event(2, "WorkflowExecutionContinuedAsNew", newExecutionRunId="run-2", input=payloads(5)),
    ]
    (root,) = read(history, reader="temporal")
    assert root.status == "ok"
    assert root.attributes["retrospan.workflow.continued_as"] == "run-2"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("WorkflowExecutionTerminated", "Terminated"),
        ("WorkflowExecutionCanceled", "Cancelled"),
        ("WorkflowExecutionTimedOut", "Timeout"),
    ],
)
def test_a_workflow_that_was_stopped_says_how(read: Any, kind: str, error: str) -> None:
    (root,) = read([order()[0], event(2, kind)], reader="temporal")
    assert (root.status, root.attributes["error.type"]) == ("error", error)


def test_a_bad_event_is_refused_alone(read: Any) -> None:
    history = order()
    history[3]["eventTime"] = "yesterday"
    history.append({"eventId": "5", "eventType": "TimerFired", "eventTime": "2026-01-01T00:00:00Z"})
    history.append({"eventId": None})
    history.append(event(57, "TimerFired", startedEventId="50"))
    items = read(history, reader="temporal")
    refused = [(item.record, item.reason) for item in items if isinstance(item, Rejected)]
    assert refused == [
        ("line 1 events[3]", "eventTime 'yesterday' is not RFC 3339 with an offset"),
        ("line 1 events[12]", "a second event with eventId 5"),
        ("line 1 events[13]", "the event has no eventId"),
        ("line 1 event 57", "TimerFired of an operation that this history does not open"),
    ]
    assert sum(isinstance(item, Span) for item in items) == 4


def test_bodies_past_the_limit_are_cut_and_say_so(read: Any) -> None:
    limits = Limits(attribute_chars=6, events_per_span=1)
    root, charge, *_ = read(order(), limits, reader="temporal")
    assert charge.attributes["retrospan.step.request"] == '["o1",'
    assert charge.attributes["retrospan.body.truncated"] is True
    assert charge.attributes["retrospan.truncated"] > 0
    assert len(root.events) == 1


def test_a_header_that_is_no_trace_context_ties_nothing(read: Any) -> None:
    history = order()[:1]
    started = history[0]["workflowExecutionStartedEventAttributes"]
    for bad in (header("0" * 32, CALLER), header("x" * 32, CALLER), {"fields": 3}, payload(b"{")):
        started["header"] = bad
        (root,) = read(history, reader="temporal")
        assert not root.links
