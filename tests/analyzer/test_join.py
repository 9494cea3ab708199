"""The history of a run and the spans of its workers are one flow, however they come.

These runs are written by hand; `tests/ingest/test_recorded_runs.py` asks the same of recorded ones.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from analyzer.derive.critical_path import critical_path
from analyzer.derive.tree import plant
from store.conclusions import Attempt, Flow, Step
from store.model import AttributeValue, Span, SpanLink
from tests.analyzer.builder import MS, TRACE, at, make_span, step_named

OTHER = "0" * 31 + "2"
RUN: Mapping[str, AttributeValue] = {"temporalWorkflowID": "w", "temporalRunID": "r"}
ROOT, ASKED = 1, 30
LINK = SpanLink(
    trace_id=TRACE, span_id=f"{ASKED:016x}", attributes={"retrospan.link": "scheduled_by"}
)


def run_of(end: float | None = 900, source: str = "temporal_history") -> Span:
    """The whole run, as its history tells it."""
    attributes = {**RUN, "retrospan.source": source, "retrospan.flow.name": "Pay"}
    return make_span(
        "RunWorkflow:Pay", 0, end, number=ROOT, kind="server", service="queue", status="ok",
        attributes=attributes,
    )  # fmt: skip


def told(
    start: float,
    end: float | None,
    *,
    attempt: int | None = 1,
    error: str | None = None,
    source: str = "temporal_history",
    trace: str = TRACE,
) -> Span:
    """The activity, as the history tells it: asked for at 100 ms."""
    attributes: dict[str, AttributeValue] = {
        **RUN, "retrospan.source": source, "temporalActivityID": "1",
        "retrospan.step.request": '{"n":1}', "retrospan.call.max_attempts": 4,
        "retrospan.call.timeout_ms": 50,
    }  # fmt: skip
    if attempt is not None:
        attributes["retrospan.attempt"] = attempt
        attributes["retrospan.history.scheduled_ns"] = at(100)
    if error is not None:
        attributes["error.type"] = error
    elif end is not None:
        attributes["retrospan.step.response"] = '"ch-1"'
    return make_span(
        "RunActivity:charge", start, end, number=2, parent=f"{ROOT:016x}", kind="client",
        service="queue", trace=trace, status="error" if error else "ok", links=[LINK],
        attributes=attributes,
    )  # fmt: skip


def tried(
    number: int, start: float, end: float | None, *, error: str = "", named: bool = True
) -> Span:
    """One attempt, as a worker recorded it."""
    attributes = {**RUN, "temporalActivityID": "1"} if named else {}
    span = make_span(
        "RunActivity:charge", start, end, number=number, parent=f"{ASKED:016x}", kind="server",
        service="payments", status="error" if error else "unset", attributes=attributes,
    )  # fmt: skip
    return replace(span, status_message=error)


def asked() -> Span:
    """The workflow's code asks for the activity."""
    return make_span(
        "StartActivity:charge", 99, 99, number=ASKED, parent=f"{31:016x}", kind="client",
        service="payments", attributes=RUN,
    )  # fmt: skip


def begun() -> list[Span]:
    """What workers record of a run besides its activities."""
    return [
        make_span("StartWorkflow:Pay", -5, 1, number=31, kind="client", service="web"),
        make_span(
            "RunWorkflow:Pay", 0, 0, number=32, parent=f"{31:016x}", kind="server",
            service="payments", attributes=RUN,
        ),
        asked(),
    ]  # fmt: skip


def flow_of(*spans: Span) -> Flow:
    (rows,) = assign(spans, [], [], AssignSettings())
    return derive(rows, DeriveSettings())


def charge_of(*spans: Span) -> Step:
    return step_named(flow_of(run_of(), *begun(), *spans), "charge")


def outcomes(attempts: Sequence[Attempt]) -> list[tuple[str, str]]:
    return [(attempt.span_id[-2:], attempt.status) for attempt in attempts]


BUSY = "ApplicationError: Busy: try later"
RETRIED = (
    told(300, 320, attempt=3),
    tried(11, 110, 120, error=BUSY),
    tried(12, 200, 210, error=BUSY),
    tried(13, 305, 315),
)


def test_an_activity_is_one_step_with_the_attempts_of_its_workers() -> None:
    step = charge_of(*RETRIED)
    assert outcomes(step.attempts) == [("0b", "Busy"), ("0c", "Busy"), ("0d", "ok")]
    assert step.max_attempts == 4
    assert [attempt.timeout_ms for attempt in step.attempts] == [50, 50, 50]
    assert [attempt.request for attempt in step.attempts] == [{"n": 1}] * 3
    assert [attempt.response for attempt in step.attempts] == [None, None, "ch-1"]
    assert step.service == "payments"


def test_every_span_is_still_counted_and_nothing_seems_missing() -> None:
    flow = flow_of(run_of(), *begun(), *RETRIED)
    assert flow.span_count == 8
    assert flow.complete
    assert (flow.name, flow.service, flow.replayability) == ("Pay", "payments", "R3")
    assert not any("bod" in gap or "attempts" in gap for gap in flow.evidence_gaps)


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_loading_changes_nothing(seed: int) -> None:
    spans = [run_of(), *begun(), *RETRIED]
    shuffled = random.Random(seed).sample(spans, len(spans))
    assert flow_of(*shuffled) == flow_of(*spans)


def test_attempts_without_an_activity_id_are_found_below_what_asked_for_them() -> None:
    spans = [told(300, 320, attempt=2), tried(11, 110, 120, error=BUSY, named=False)]
    step = charge_of(*spans, tried(12, 305, 315, named=False))
    assert outcomes(step.attempts) == [("0b", "Busy"), ("0c", "ok")]


def test_a_history_in_a_trace_of_its_own_is_joined_too() -> None:
    root = replace(run_of(), trace_id=OTHER)
    flow = flow_of(root, told(300, 320, trace=OTHER), *begun(), tried(11, 305, 315))
    assert flow.trace_ids == [TRACE, OTHER]
    assert outcomes(step_named(flow, "charge").attempts) == [("0b", "ok")]
    assert flow.complete


def test_an_attempt_that_left_no_span_stays_the_history_s() -> None:
    """Its worker died: only the engine knows that it timed out."""
    step = charge_of(
        told(300, 350, attempt=2, error="StartToCloseTimeout"), tried(11, 110, 120, error=BUSY)
    )
    assert outcomes(step.attempts) == [("0b", "Busy"), ("02", "timeout")]
    assert str(step.outcome) == "timeout"


def test_attempts_known_by_their_number_alone_are_a_gap() -> None:
    alone = flow_of(run_of(), told(300, 320, attempt=3))
    assert [step.name for step in alone.steps] == ["charge"]
    assert "2 failed attempts are known by their number alone: charge" in alone.evidence_gaps
    joined = flow_of(run_of(), *begun(), told(300, 320, attempt=3), tried(13, 305, 315))
    assert "2 failed attempts are known by their number alone: charge" in joined.evidence_gaps


def test_cadence_counts_attempts_from_zero() -> None:
    first = flow_of(run_of(source="cadence_history"),
                    told(300, 320, attempt=0, source="cadence_history"))  # fmt: skip
    assert not any("number alone" in gap for gap in first.evidence_gaps)


def test_a_worker_that_succeeded_too_late_keeps_its_own_word() -> None:
    """The workflow saw a timeout, the charge was made all the same."""
    step = charge_of(told(300, 350, error="StartToCloseTimeout"), tried(11, 305, 420))
    (attempt,) = step.attempts
    assert (attempt.status, attempt.end_ns) == ("timeout", at(350))
    assert (attempt.callee_outcome, attempt.callee_end_ns) == ("ok", at(420))


def test_an_activity_under_way_is_what_its_workers_say_so_far() -> None:
    spans = (told(100, None, attempt=None), tried(11, 110, 120, error=BUSY))
    flow = flow_of(run_of(end=None), *begun(), *spans)
    assert outcomes(step_named(flow, "charge").attempts) == [("0b", "Busy")]
    assert flow.outcome == "in_progress"
    assert not flow.complete


def test_without_the_workers_spans_the_history_tells_alone() -> None:
    flow = flow_of(run_of(), told(300, 320))
    assert outcomes(flow.steps[0].attempts) == [("02", "ok")]
    assert flow.service == "queue"


def test_a_signal_is_one_step_though_both_tell_of_it() -> None:
    sent = make_span(
        "SendSignal:hurry", 500, 510, number=3, parent=f"{ROOT:016x}", kind="producer",
        service="queue", attributes={**RUN, "retrospan.source": "temporal_history"},
        links=[SpanLink(trace_id=TRACE, span_id=f"{40:016x}", attributes=LINK.attributes)],
    )  # fmt: skip
    mark = make_span(
        "SignalExternalWorkflow:hurry", 500, 500, number=40, parent=f"{31:016x}", kind="client",
        service="payments", attributes=RUN,
    )  # fmt: skip
    flow = flow_of(run_of(), *begun(), sent, mark)
    assert [(step.name, step.kind) for step in flow.steps] == [("SendSignal:hurry", "message")]


def test_the_span_a_whole_flow_hangs_on_is_never_taken_under_an_activity() -> None:
    """Without spans of the workflow's code, every header names the caller."""
    caller = SpanLink(trace_id=TRACE, span_id=f"{31:016x}", attributes=LINK.attributes)
    linked = replace(told(300, 320), links=[caller])
    tree = plant([run_of(), *begun(), linked, tried(11, 305, 315)])
    outer = tree.by_key[TRACE, f"{31:016x}"]
    assert tree.parent_of(outer) is None


def test_the_wait_between_attempts_is_time_of_the_activity() -> None:
    tree = plant([run_of(), *begun(), *RETRIED])
    spent = {item.span_id[-2:]: item.self_ns / MS for item in critical_path(tree)}
    assert spent == {"01": 680, "02": 190, "0b": 10, "0c": 10, "0d": 10}
