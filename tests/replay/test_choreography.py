"""A flow that nobody conducts is replayed along its messages, service after service."""

from dataclasses import replace

from replay.choreography import REDELIVERED
from replay.deliveries import unfolded
from replay.engine import Folds, replay_flows, replay_recording
from replay.fidelity import Fidelity, fidelity
from replay.recording import alter, from_json, recording_of, to_json
from replay.settings import ReplaySettings
from store.conclusions import Attempt, Flow, FlowOutcome, Step, StepOutcome
from store.model import JsonValue
from tests.replay.worlds import EPOCH_NS, MS, dice


class Writing:
    """Writes the steps of one flow down, one after the other."""

    def __init__(self, index: int) -> None:
        self.origin = EPOCH_NS + index * 10**9
        self.roll = dice("choreography", index)
        self.now = self.origin + int(0.1 * MS)
        self.steps: list[Step] = []

    def step(
        self, who: str, callee: str, what: str, body: JsonValue, answer: JsonValue,
        parent: Step | None, *, kind: str = "call", ms: float = 30.0, status: str = "ok",
    ) -> Step:  # fmt: skip
        start = self.now + int(0.1 * MS * (1 + self.roll.random()))
        took = int(ms * MS * self.roll.lognormvariate(0, 0.3))
        acked = start + (int(0.8 * MS) if kind == "message" else took)
        name = f"{start}/{callee}/{what}"
        attempt = Attempt(
            trace_id="t", span_id=name, start_ns=start, end_ns=acked, status=status,
            outcome=StepOutcome.OK if status == "ok" else StepOutcome.ERROR,
            request=body, has_request=True, response=answer, has_response=answer is not None,
            callee_start_ns=start + took if kind == "message" else None,
        )  # fmt: skip
        made = Step(
            step_id=name, key="", name=what, kind=kind, service=who, callee=callee,
            operation=what, outcome=attempt.outcome, start_ns=start, end_ns=acked,
            attempts=[attempt], parent_step_id=None if parent is None else parent.step_id,
        )  # fmt: skip
        self.steps.append(made)
        self.now = start + took
        return made


def choreographed(index: int, twice: bool = False) -> Flow:
    """Ask a model about a text; small texts are stored at once, others are split before."""
    writing = Writing(index)
    text = f"text-{writing.roll.randrange(10**9)}"
    sent = writing.step(
        "intake", "reader", "send text", {"text": text}, None, None, kind="message", ms=3
    )
    score = round(writing.roll.random(), 4)
    writing.step("reader", "model", "POST /scores", {"text": text}, {"score": score}, sent, ms=80)
    passed = writing.step(
        "reader", "writer", "send scored", {"score": score}, None, sent, kind="message", ms=5
    )
    if score > 0.6:
        writing.step("writer", "splitter", "POST /parts", {"score": score}, {"n": 2}, passed)
    if writing.roll.random() < 0.2:
        writing.step("writer", "store", "PUT /text", {}, None, passed, status="503")
        writing.now += 200 * MS
    for _ in range(2 if twice else 1):
        writing.step("writer", "store", "PUT /text", {}, {"stored": True}, passed)
    return Flow(
        flow_id=f"text-{index}", name="texts", version="1", outcome=FlowOutcome.SUCCEEDED,
        start_ns=writing.origin, end_ns=writing.now + MS, trace_ids=["t"], span_count=5,
        decision_ids=[], architecture="choreographed", replayability="R3", complete=True,
        service="intake", services=["intake", "reader", "writer"], steps=writing.steps,
        critical_path=[], input={"text": text}, output=None,
    )  # fmt: skip


FLOWS = [choreographed(index) for index in range(120)]


def test_what_consumers_do_is_replayed_with_its_times() -> None:
    measured = fidelity(replay_flows(FLOWS, [flow.flow_id for flow in FLOWS]))
    assert measured.right >= 0.97 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.width_ppm < 100_000, measured


def test_a_message_is_answered_when_its_consumer_takes_it_up() -> None:
    recording = recording_of(FLOWS[0])
    [sent] = [step for step in recording.steps if step.op == "reader send text"]
    [asked] = [step for step in recording.steps if step.op == "model POST /scores"]
    assert 0 <= asked.attempts[0].start_ns - sent.attempts[0].end_ns < MS


def test_an_altered_answer_to_a_consumer_diverges_where_the_consumer_reads_it() -> None:
    recordings = [recording_of(flow) for flow in FLOWS]
    kind = Folds(recordings, ReplaySettings())
    small = [r for r in recordings if all(step.op != "splitter POST /parts" for step in r.steps)]
    altered = alter(small[0], "model POST /scores", fields={"score": 0.95})
    result = replay_recording(altered, kind, baseline=small[0])
    assert "extra_call" in {divergence.kind for divergence in result.divergences}


def test_work_done_again_is_no_part_of_the_program_and_is_doubted() -> None:
    flows = [*FLOWS, *(choreographed(index, twice=True) for index in range(200, 203))]
    results = {r.flow_id: r for r in replay_flows(flows, [flow.flow_id for flow in flows])}
    for index in range(200, 203):
        assert any(flag.startswith("redelivered") for flag in results[f"text-{index}"].flags)
    once = fidelity([results[flow.flow_id] for flow in FLOWS])
    assert once.right >= 0.97 * once.flows, once


def delivered_again(index: int, kept: int | None = None) -> Flow:
    """The first message is delivered again while its work is under way, and all is done twice.

    Of the first delivery only so many steps are `kept`.
    """
    first, late = choreographed(index), 60 * MS
    message, *work = first.steps
    ids = {step.step_id: f"again/{step.step_id}" for step in work}
    again = [
        replace(
            step,
            step_id=ids[step.step_id],
            parent_step_id=ids.get(step.parent_step_id or "", message.step_id),
            start_ns=step.start_ns + late,
            attempts=[
                replace(
                    one,
                    trace_id="again",
                    start_ns=one.start_ns + late,
                    end_ns=(one.end_ns or 0) + late,
                    callee_start_ns=one.callee_start_ns and one.callee_start_ns + late,
                )
                for one in step.attempts
            ],
        )
        for step in work
    ]
    steps = [message, *work[:kept], *again]
    return replace(first, steps=steps, end_ns=(first.end_ns or 0) + late)


def test_each_delivery_of_a_message_is_replayed_for_itself_and_doubted() -> None:
    flows = [*FLOWS, *(delivered_again(index) for index in range(200, 210))]
    results = replay_flows(flows, [flow.flow_id for flow in flows[len(FLOWS) :]])
    assert {result.verdict for result in results} <= {"identical", "equivalent"}
    for flow, result in zip(flows[len(FLOWS) :], results, strict=True):
        assert any(flag.startswith("redelivered") for flag in result.flags)
        calls = [event for event in result.events if event["event"] == "call"]
        assert len(calls) == sum(len(step.attempts) for step in flow.steps) + 1


def test_a_delivery_that_was_cut_off_is_not_called_right() -> None:
    flow = delivered_again(200, kept=1)
    (result,) = replay_flows([*FLOWS, flow], [flow.flow_id])
    assert result.verdict == "diverged"
    assert "extra_call" in {found.kind for found in result.divergences}


def test_what_came_of_a_delivery_has_its_number_and_what_came_before_has_none() -> None:
    recording = recording_of(delivered_again(200))
    assert {(step.op, step.delivery) for step in recording.steps} >= {
        ("reader send text", 0),
        ("model POST /scores", 1),
        ("model POST /scores", 2),
        ("store PUT /text", 2),
    }
    assert from_json(to_json(recording)) == recording
    assert [part.duration_ns for part in unfolded(recording)][-1] == recording.duration_ns
    assert unfolded(recording_of(FLOWS[0])) == [recording_of(FLOWS[0])]


def acknowledged(index: int, *, told: bool) -> Flow:
    """The broker takes its time with the last acknowledgement, and the flow ends with it."""
    flow = choreographed(index)
    [last] = [step for step in flow.steps if step.name == "send scored"]
    end = (flow.end_ns or 0) + int(5 * MS * dice("acknowledged", index).lognormvariate(0, 1))
    attempts = [replace(one, callee_end_ns=end if told else None) for one in last.attempts]
    steps = [replace(one, attempts=attempts) if one is last else one for one in flow.steps]
    return replace(flow, steps=steps, end_ns=end)


def test_how_long_a_broker_takes_an_acknowledgement_is_its_answer() -> None:
    """What is recorded of it needs no interval."""

    def measured(*, told: bool) -> Fidelity:
        flows = [acknowledged(index, told=told) for index in range(120)]
        return fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))

    known, unknown = measured(told=True), measured(told=False)
    assert known.right >= 0.97 * known.flows, known
    assert 5 * known.width_ppm < unknown.width_ppm, (known, unknown)


def test_of_a_conducted_flow_only_what_its_conductor_does_is_kept() -> None:
    recording = recording_of(replace(FLOWS[0], architecture="central"))
    assert {step.op for step in recording.steps} == {"reader send text"}
    assert REDELIVERED not in recording.steps[0].attempts[0].response
