"""Intervals are as wide as whole flows need, and no narrower where little is known."""

from dataclasses import replace

from replay.calibrate import PPM, Reach, calibrated
from replay.engine import Folds, program_of, replay_flows, replay_recording
from replay.fidelity import fidelity
from replay.recording import Recording, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Attempt, Flow, StepOutcome
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS
from tests.replay.test_choreography import FLOWS
from tests.replay.worlds import MS, dice


def made(kind: str, count: int) -> list[Flow]:
    return [true_flow(kind, index, seed=9, kinds=OTHER_KINDS) for index in range(count)]


def test_narrow_intervals_still_hold_the_times_of_flows_that_were_held_out() -> None:
    flows = made("cached", 250)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.width_ppm <= 100_000, measured
    assert measured.inside_ppm >= 990_000, measured


def test_waits_seen_often_are_drawn_in_and_others_keep_their_bounds() -> None:
    program = program_of(made("cached", 120), "cached-9-1-0")
    [often, *_] = [o for o in program.operations.values() if o.gap.count >= 30]
    rare = replace(often, name="rare", gap=replace(often.gap, count=29), gaps={})
    program = replace(program, operations={often.name: often, "rare": rare})
    half = calibrated(program, [Reach(PPM * 40 // 115, PPM * 40 // 115)] * 60)
    gap, drawn = often.gap, half.operations[often.name].gap
    assert drawn.usual == gap.usual
    assert abs((drawn.high - drawn.usual) - (gap.high - gap.usual) * 40 // 100) <= 1_000
    assert half.operations["rare"].gap == rare.gap
    assert calibrated(program, [Reach(0, 0)] * 59) == program
    assert calibrated(program, [Reach(2 * PPM, 2 * PPM)] * 60) == program


def paused(flow: Flow, at: int, pause_ns: int) -> Flow:
    """The flow with all that comes from its step `at` on later, as after a pause of the machine."""
    begun = sorted(step.start_ns for step in flow.steps)[at]
    steps = [
        step
        if step.start_ns < begun
        else replace(
            step,
            start_ns=step.start_ns + pause_ns,
            attempts=[
                replace(one, start_ns=one.start_ns + pause_ns, end_ns=one.end_ns + pause_ns)  # type: ignore[operator]
                for one in step.attempts
            ],
        )
        for step in flow.steps
    ]
    return replace(flow, steps=steps, end_ns=(flow.end_ns or 0) + pause_ns)


def test_a_pause_that_was_seen_at_one_wait_may_come_at_any_other() -> None:
    """Two of the recorded flows paused before their second step; others are not late for that."""
    plain = [recording_of(flow) for flow in FLOWS]
    seen = [recording_of(paused(flow, 1, 6 * MS)) for flow in FLOWS[:2]]
    split = [flow for flow in FLOWS[2:] if any(step.callee == "splitter" for step in flow.steps)]
    later = [recording_of(paused(flow, -1, 3 * MS)) for flow in split[:10]]
    settings = ReplaySettings(noise_min_ns=0, noise_ppm=0)

    def inside(before: list[Recording]) -> int:
        kind = Folds(before, settings)
        measured = fidelity([replay_recording(late, kind, settings=settings) for late in later])
        assert measured.right + measured.late == len(later), measured
        return measured.right

    assert inside(plain) == 0
    assert inside([*seen, *plain[2:]]) == 10


def _given_up(flow: Flow, index: int) -> Flow:
    """In some flows the first write is given up after 300 ms, and goes on at the callee."""
    roll = dice("outlived", index)
    if roll.random() < 0.7:
        return flow
    [store] = [step for step in flow.steps if step.callee == "store"][-1:]
    start = store.attempts[0].start_ns
    later = 400 * MS
    done = start + int((300 + 800 * roll.random()) * MS)
    first = Attempt(
        trace_id="t", span_id="given up", start_ns=start, end_ns=start + 300 * MS,
        status="timeout", outcome=StepOutcome.TIMEOUT, request={}, has_request=True,
        callee_outcome=StepOutcome.OK, callee_end_ns=done,
    )  # fmt: skip
    second = replace(
        store.attempts[0],
        start_ns=start + later,
        end_ns=store.attempts[0].end_ns + later,  # type: ignore[operator]
    )
    end = (flow.end_ns or 0) + later
    steps = [
        replace(one, attempts=[first, second], end_ns=second.end_ns) if one is store else one
        for one in flow.steps
    ]
    return replace(flow, steps=steps, end_ns=max(end, done))


def test_a_flow_nobody_conducts_lasts_until_its_given_up_calls_are_done() -> None:
    plain = [flow for flow in FLOWS if all(len(step.attempts) == 1 for step in flow.steps)]
    flows = [_given_up(flow, index) for index, flow in enumerate(plain)]
    assert program_of(flows, flows[0].flow_id).lasts_for_callees
    assert not program_of(plain, plain[0].flow_id).lasts_for_callees
    recordings = [recording_of(flow) for flow in flows]
    kind = Folds(recordings, ReplaySettings())
    results = [replay_recording(recording, kind) for recording in recordings]
    outlived = [
        result
        for result, flow in zip(results, flows, strict=True)
        if any(a.callee_end_ns == flow.end_ns for step in flow.steps for a in step.attempts)
    ]
    assert len(outlived) >= 5
    assert all(result.verdict == "identical" for result in outlived)
    assert fidelity(results).width_ppm < 100_000
