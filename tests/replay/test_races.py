"""Races, hedged calls and groups that fail together, from flows of which nothing else is known."""

from dataclasses import replace

import pytest

from replay.engine import Folds, program_of, replay_flows, replay_recording
from replay.fidelity import fidelity
from replay.infer.program import from_json, to_json
from replay.leaves import Scalar
from replay.recording import Recording, alter, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Flow
from tests.replay.kinds import Kind, true_flow
from tests.replay.other_kinds import BUY, OTHER_KINDS, QUOTE_A, QUOTE_B, ask, world
from tests.replay.other_kinds import given as given_of
from tests.replay.worlds import Body, Engine, Task

ACME, BOLT = "acme POST /quotes", "bolt POST /quotes"
FLOWS = 150


def left_running(engine: Engine, given: Body, version: str = "1") -> Task:
    """Race two suppliers and let the loser finish: nobody waits for it."""
    wanted = {"part": given["part"]}
    rivals = []
    for op in (QUOTE_A, QUOTE_B):
        rivals.append((yield ("start", ask(engine, op, "", wanted))))
    won = yield ("first", rivals, None)
    yield from ask(engine, BUY, "", {"quote": won.value.body["quote_id"]})
    return "succeeded", None


KINDS: dict[str, Kind] = {**OTHER_KINDS, "left_running": (left_running, world, given_of)}


def made(kind: str) -> list[Flow]:
    return [true_flow(kind, index, seed=8, kinds=KINDS) for index in range(FLOWS)]


@pytest.mark.parametrize("kind", ["race", "hedge", "together"])
def test_flows_that_call_calls_off_are_reproduced(kind: str) -> None:
    flows = made(kind)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.right >= 0.97 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.doubted <= 0.25 * measured.flows, measured


def test_the_program_says_who_calls_whom_off() -> None:
    race = program_of(made("race"), "race-8-1-0")
    assert race.cancels[ACME].by == {BOLT: ("ok",)}
    assert race.cancels[BOLT].by == {ACME: ("ok",)}
    together = program_of(made("together"), "together-8-1-0")
    assert together.cancels["credit POST /check"].by["sanctions POST /check"] == ("failed",)


def test_the_program_says_which_call_is_hedged_and_when() -> None:
    program = program_of(made("hedge"), "hedge-8-1-0")
    hedge = program.operations["store-far GET /page"].hedge
    assert hedge is not None
    assert hedge.on == "store-near GET /page"
    assert 75_000_000 <= hedge.wait.usual <= 90_000_000


def raced() -> tuple[Folds, list[Recording]]:
    recordings = [recording_of(flow) for flow in made("race")]
    return Folds(recordings, ReplaySettings()), recordings


def test_a_winner_made_quicker_still_wins_and_a_slower_one_is_doubted() -> None:
    kind, recordings = raced()
    quicker = slower = 0
    for recording in recordings[:30]:
        [winner] = [
            s for s in recording.steps if s.op in (ACME, BOLT) and s.attempts[0].status == "ok"
        ]
        wait = winner.attempts[0].latency_ns
        early = replay_recording(alter(recording, winner.op, latency_ns=wait // 2), kind)
        quicker += not early.flags and early.outcome == "succeeded"
        late = replay_recording(alter(recording, winner.op, latency_ns=wait * 4), kind)
        slower += any(flag.startswith("cancelled_answer") for flag in late.flags)
    assert quicker == slower == 30


def test_a_loser_that_answers_first_calls_the_winner_off() -> None:
    kind, recordings = raced()
    recording = recordings[0]
    steps = []
    for step in recording.steps:
        attempt = step.attempts[0]
        if step.op in (ACME, BOLT) and attempt.status == "cancelled":
            answer: dict[str, Scalar] = {"quote_id": "first", "price": 1}
            first = replace(
                attempt, status="ok", response=answer, end_ns=attempt.start_ns + 1_000_000
            )
            step = replace(step, attempts=(first,))
        steps.append(step)
    result = replay_recording(replace(recording, steps=tuple(steps)), kind)
    said = {str(event["op"]): str(event["status"]) for event in result.events if "op" in event}
    assert sorted((said[ACME], said[BOLT])) == ["cancelled", "ok"]
    bought = next(e for e in result.events if e.get("op") == "shop POST /orders")
    assert bought["request"] == {"quote": "first"}


def test_a_race_whose_loser_runs_on_is_reproduced_from_its_first_answer() -> None:
    flows = made("left_running")
    program = program_of(flows, flows[0].flow_id)
    assert program.firsts == {f"first of {ACME}, {BOLT}": (ACME, BOLT)}
    assert from_json(to_json(program)) == program
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.right >= 0.98 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.doubted <= 0.15 * measured.flows, measured
    assert measured.width_ppm <= 100_000, measured


def test_the_other_answer_is_used_when_it_comes_first() -> None:
    recordings = [recording_of(flow) for flow in made("left_running")]
    kind = Folds(recordings, ReplaySettings())
    for recording in recordings[:20]:
        ends = {s.op: s.attempts[0].end_ns for s in recording.steps if s.op in (ACME, BOLT)}
        lost = max(ends, key=ends.__getitem__)
        said = next(s.attempts[0].response["quote_id"] for s in recording.steps if s.op == lost)
        result = replay_recording(alter(recording, lost, latency_ns=1_000_000), kind)
        bought = next(e for e in result.events if e.get("op") == "shop POST /orders")
        assert bought["request"] == {"quote": said}


@pytest.mark.parametrize("kind", ["race", "hedge", "together"])
def test_a_program_that_calls_calls_off_survives_the_way_through_json(kind: str) -> None:
    program = program_of(made(kind), f"{kind}-8-1-0")
    again = from_json(to_json(program))
    assert again == program
    assert again.digest == program.digest
