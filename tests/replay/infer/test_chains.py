"""Loops in which each answer names the next call, from flows of which nothing else is known."""

from dataclasses import replace

import pytest

from replay.engine import Folds, program_of, replay_flows, replay_recording
from replay.fidelity import fidelity
from replay.infer.program import from_json, to_json
from replay.recording import Recording, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Flow
from tests.replay.infer.more_kinds import MORE_KINDS
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS

KINDS = {**OTHER_KINDS, **MORE_KINDS}
HEADS = {"pages": "crm GET /contacts", "listing": "crm GET /people"}


def made(kind: str) -> list[Flow]:
    return [true_flow(kind, index, seed=4, kinds=KINDS) for index in range(150)]


@pytest.mark.parametrize("kind", ["pages", "listing"])
def test_loops_over_pages_are_reproduced_with_their_times(kind: str) -> None:
    flows = made(kind)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.right >= 0.98 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.doubted <= 0.1 * measured.flows, measured
    assert measured.width_ppm <= 100_000, measured


def test_the_program_says_what_names_the_next_round_and_what_runs_in_each() -> None:
    program = program_of(made("pages"), "pages-4-1-0")
    chain = program.operations[HEADS["pages"]].chain
    assert chain is not None
    assert chain.path == "next"
    assert chain.members == ("lake POST /rows",)
    again = from_json(to_json(program))
    assert again == program
    assert again.digest == program.digest


def _ended_after_one(recording: Recording, op: str) -> Recording:
    steps = [
        replace(
            step,
            attempts=tuple(
                replace(a, response={k: v for k, v in a.response.items() if k != "next"})
                for a in step.attempts
            ),
        )
        if step.op == op
        else step
        for step in recording.steps
    ]
    return replace(recording, steps=tuple(steps))


@pytest.mark.parametrize("kind", ["pages", "listing"])
def test_a_first_page_that_names_no_other_is_the_last(kind: str) -> None:
    recordings = [recording_of(flow) for flow in made(kind)]
    folds = Folds(recordings, ReplaySettings())
    [recording, *_] = [r for r in recordings if sum(s.op == HEADS[kind] for s in r.steps) == 3]
    result = replay_recording(_ended_after_one(recording, HEADS[kind]), folds)
    calls = [str(event["op"]) for event in result.events if event["event"] == "call"]
    asked = next(s for s in recording.steps if s.op == HEADS[kind] and s.key in ("first", "start"))
    assert calls.count(HEADS[kind]) == len(asked.attempts)
    assert result.outcome == "succeeded"
    assert {d.kind for d in result.divergences} >= {"missing_call"}
