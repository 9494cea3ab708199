"""What is quickly said to be identical, the full comparison finds no difference in either."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from replay import divergence
from replay.divergence import compare
from replay.engine import Folds
from replay.identical import identical
from replay.interpret import Machine
from replay.leaves import Scalar
from replay.match import Answers
from replay.recording import RecordedAttempt, Recording, attempts_by_key, recording_of
from replay.run import Run
from replay.settings import ReplaySettings
from store.conclusions import Flow

SETTINGS = ReplaySettings()
TOLERANCE_NS = SETTINGS.learn.clock_tolerance_ns


@pytest.fixture(scope="module")
def replayed(payments: list[Flow]) -> list[tuple[Recording, Machine, Run]]:
    """Recordings with their runs."""
    recordings = [recording_of(flow) for flow in payments]
    kind = Folds(recordings, SETTINGS)
    machines = [kind.machine_for(recording.flow_id)[0] for recording in recordings]
    return [
        (recording, machine, machine.run(recording.input, Answers.of(recording)))
        for recording, machine in zip(recordings, machines, strict=True)
    ]


def verdict(run: Run, recording: Recording, machine: Machine) -> str:
    return compare(
        run, recording, machine.program, clock_tolerance_ns=TOLERANCE_NS, noise_ns=0
    ).verdict


def seen_at_once(run: Run, recording: Recording, machine: Machine) -> bool:
    recorded = attempts_by_key(recording)
    return identical(run, recording, recorded, machine.program, TOLERANCE_NS)


def changed(recording: Recording, roll: Random) -> Iterator[Recording]:
    """The same recording with one thing in it otherwise."""
    place = roll.randrange(len(recording.steps))
    step = recording.steps[place]

    def put(**attempt: object) -> Recording:
        first: RecordedAttempt = replace(step.attempts[0], **attempt)  # type: ignore[arg-type]
        made = replace(step, attempts=(first, *step.attempts[1:]))
        return replace(
            recording, steps=(*recording.steps[:place], made, *recording.steps[place + 1 :])
        )

    first = step.attempts[0]
    for by in (1, -1, TOLERANCE_NS, 10**7, -(10**7), 10**10):
        yield put(start_ns=first.start_ns + by)
        yield put(end_ns=first.end_ns + by)
        yield replace(recording, duration_ns=recording.duration_ns + by)
    request: dict[str, Scalar] = dict(first.request)
    for path, value in request.items():
        yield put(request={**request, path: True})
        yield put(request={**request, path: f"{value}x"})
        yield put(request={name: kept for name, kept in request.items() if name != path})
    yield replace(recording, outcome="failed")
    yield replace(recording, output={**recording.output, "total": 1.5})
    yield replace(recording, steps=recording.steps[1:])
    yield replace(recording, steps=(*recording.steps, replace(step, key=f"{step.key}'")))
    yield replace(recording, steps=tuple(reversed(recording.steps)))


def test_nothing_else_is_found_where_a_run_is_quickly_said_to_be_identical(
    replayed: list[tuple[Recording, Machine, Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergence, "identical", lambda *_: False)
    roll = Random(5)
    said = {True: 0, False: 0}
    for recording, machine, run in replayed:
        for other in (recording, *changed(recording, roll)):
            quickly = seen_at_once(run, other, machine)
            said[quickly] += 1
            if quickly:
                assert verdict(run, other, machine) == "identical"
    assert min(said.values()) > 500


def test_nearly_every_identical_run_is_quickly_seen_to_be(
    replayed: list[tuple[Recording, Machine, Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(divergence, "identical", lambda *_: False)
    same = [one for one in replayed if verdict(one[2], one[0], one[1]) == "identical"]
    quickly = [one for one in same if seen_at_once(one[2], one[0], one[1])]
    assert len(same) > 100
    assert len(quickly) >= 0.95 * len(same)


def test_true_is_not_1(replayed: list[tuple[Recording, Machine, Run]]) -> None:
    recording, machine, run = next(one for one in replayed if seen_at_once(one[2], one[0], one[1]))
    call = next(call for call in run.calls if call.request)
    path = next(iter(call.request))
    step = next(step for step in recording.steps if (step.op, step.key) == (call.op, call.key))

    def holding(asked: Scalar, recorded: Scalar) -> bool:
        call.request = {**call.request, path: asked}
        first = replace(step.attempts[0], request={**step.attempts[0].request, path: recorded})
        made = replace(step, attempts=(first, *step.attempts[1:]))
        steps = tuple(made if one is step else one for one in recording.steps)
        other = replace(recording, steps=steps)
        return seen_at_once(run, other, machine)

    assert holding(1, 1)
    assert not holding(1, True)
    assert not holding(True, 1)
