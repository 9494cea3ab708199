"""A thousand random alterations, each judged by the true program under the same alteration.

Cannot prove more than these two kinds hold; their programs are known, so nothing is guessed.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest

from replay.engine import Folds, replay_recording
from replay.leaves import Scalar
from replay.recording import Recording, alter, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Flow
from tests.replay.kinds import KINDS, true_flow
from tests.replay.worlds import Answering, Reply

SETTINGS = ReplaySettings()
STATUSES = ("503", "409", "402", "timeout")
ALTERATIONS = 520


@dataclass(frozen=True, slots=True)
class Alteration:
    """One answer changed: the nth of its operation, which is attempt `number` under `key`."""

    op: str
    nth: int
    key: str
    number: int
    status: str | None
    field: str | None
    value: Scalar


def some_alteration(roll: Random, recording: Recording) -> Alteration:
    answers = [
        (step.op, attempt.start_ns, step.key, number, attempt.response)
        for step in recording.steps
        if not step.local
        for number, attempt in enumerate(step.attempts, 1)
    ]
    op, start, key, number, response = roll.choice(answers)
    nth = 1 + sum(other[0] == op and other[1] < start for other in answers)
    fields = sorted(path for path in response if "[" not in path and "." not in path)
    if not fields or roll.random() < 0.4:
        return Alteration(op, nth, key, number, roll.choice(STATUSES), None, None)
    path = roll.choice(fields)
    old = response[path]
    value: Scalar = "something else"
    if isinstance(old, bool):
        value = not old
    elif isinstance(old, int | float):
        value = round(float(old) * roll.choice((0.1, 0.5, 1.5, 3.0)), 4)
    return Alteration(op, nth, key, number, None, path, value)


def true_answers(base: Answering, altered: Alteration) -> Answering:
    callee, _, operation = altered.op.partition(" ")

    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        reply = base(op, key, number)
        if (op, key, number) == ((callee, operation), altered.key, altered.number):
            if altered.status is not None:
                reply.status = altered.status
            if altered.field is not None:
                reply.body[altered.field] = altered.value
        return reply

    return answering


def told(flow: Flow) -> Counter[tuple[str, str, str]]:
    """Calls with their answers, the end, and what was asked: what a divergence could show."""
    recording = recording_of(flow)
    calls = Counter(
        (step.op, step.key, repr(sorted(attempt.request.items())))
        for step in recording.steps
        if not step.local
        for attempt in step.attempts
    )
    calls["end", flow.outcome.value, repr(sorted(recording.output.items()))] += 1
    for step in recording.steps:
        if step.local:
            calls[step.op, step.key, repr(sorted(step.attempts[-1].response.items()))] += 1
    return calls


@pytest.mark.parametrize("name", ["payment", "claims"])
def test_altered_recordings_diverge_where_the_true_program_would_and_nowhere_else(
    name: str,
) -> None:
    flows = [true_flow(name, index) for index in range(200)]
    recordings = [recording_of(flow) for flow in flows]
    kind = Folds(recordings, SETTINGS)
    clean = [
        index
        for index, recording in enumerate(recordings)
        if replay_recording(recording, kind).verdict == "identical"
    ]
    _, world, _ = KINDS[name]
    counted: Counter[str] = Counter()
    roll = Random(f"alterations {name}")
    for _ in range(ALTERATIONS):
        index = roll.choice(clean)
        one = some_alteration(roll, recordings[index])
        truth = true_flow(name, index, answering=true_answers(world(1, index), one))
        changes = told(truth) != told(flows[index])
        altered = alter(
            recordings[index], one.op, nth=one.nth, status=one.status,
            fields=None if one.field is None else {one.field: one.value},
        )  # fmt: skip
        result = replay_recording(altered, kind, baseline=recordings[index])
        shown = any(d.kind != "timing_changed" for d in result.divergences)
        right = shown == changes
        counted["should diverge" if changes else "should not"] += 1
        if right:
            counted["right"] += 1
        elif result.flags:
            counted["wrong, flagged"] += 1
        else:
            counted["wrong, silent"] += 1
    assert counted["should diverge"] > 100, counted
    assert counted["should not"] > 100, counted
    assert counted["wrong, silent"] <= ALTERATIONS // 1_000, counted
    assert counted["right"] >= 0.9 * ALTERATIONS, counted
