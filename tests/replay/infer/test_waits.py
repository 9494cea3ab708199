"""Waits that answers state, and waits that only some flows make."""

import pytest

from replay.engine import Folds, program_of, replay_flows, replay_recording
from replay.fidelity import fidelity
from replay.infer.program import from_json, to_json
from replay.recording import alter, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Flow
from tests.replay.infer.more_kinds import MORE_KINDS
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS
from tests.replay.worlds import MS

SECOND = 1_000 * MS
KINDS = {**OTHER_KINDS, **MORE_KINDS}


def made(kind: str) -> list[Flow]:
    return [true_flow(kind, index, seed=3, kinds=KINDS) for index in range(150)]


@pytest.mark.parametrize("kind", ["paced", "limited", "job"])
def test_stated_waits_are_predicted_and_nothing_about_them_is_doubted(kind: str) -> None:
    flows = made(kind)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.right >= 0.98 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.doubted <= 0.1 * measured.flows, measured
    assert measured.width_ppm <= 100_000, measured


def test_a_program_says_what_states_a_wait_and_which_flows_make_it() -> None:
    program = program_of(made("paced"), "paced-3-1-0")
    [enter] = program.operations["hall POST /entries"].paces.values()
    assert enter.ref == ("answer", "queue POST /tickets", "wait_ms")
    assert enter.unit_ns == MS
    assert enter.when is None
    [serve] = program.operations["hall POST /servings"].paces.values()
    assert serve.ref == ("answer", "kitchen POST /brews", "cool_s")
    assert serve.unit_ns == SECOND
    assert serve.when is not None
    assert from_json(to_json(program)).digest == program.digest


def test_a_poll_waits_as_long_as_the_answer_to_the_order_said() -> None:
    delay = program_of(made("job"), "job-3-1-0").operations["jobs GET /jobs/{id}"].repeat.delay
    assert delay is not None
    assert delay.ref == ("answer", "jobs POST /jobs", "retry_after_ms")
    assert delay.unit_ns == pytest.approx(MS, rel=0.05)


def test_another_stated_wait_moves_what_follows_it() -> None:
    recordings = [recording_of(flow) for flow in made("paced")]
    kind = Folds(recordings, ReplaySettings())
    for recording in recordings[:10]:
        before = replay_recording(recording, kind)
        slower = alter(recording, "queue POST /tickets", fields={"wait_ms": 9_000})
        [stated] = [s for s in recording.steps if s.op == "queue POST /tickets"]
        more = 9_000 - stated.attempts[0].response["wait_ms"]  # type: ignore[operator]
        after = replay_recording(slower, kind)
        assert after.virtual_duration_ns == before.virtual_duration_ns + more * MS
