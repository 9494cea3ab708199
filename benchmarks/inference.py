"""Inference: programs against true programs they never saw, in control and under changes.

Generated kinds with a known true program (`kinds.py`, `other_kinds.py` and `infer/more_kinds.py`
in `tests/replay`), and with `--samples` the recorded samples, in control only. Control: each flow
is replayed by a program made from other flows. Changes: one recorded answer is made slow, made to
fail once, or given another value; the true program runs in the same changed world, and the replay
of the changed recording is compared with that run. Right are the same calls, order, requests and
outcome; flagged are runs with a doubt. A change of which nothing is doubted and that comes out
otherwise is a silent error, the worst there is.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.measuring import machine, spent, table
from replay.engine import Folds, replay_recording
from replay.fidelity import fidelity
from replay.leaves import Scalar
from replay.recording import RecordedAttempt, Recording, recording_of
from replay.settings import ReplaySettings
from store.conclusions import ReplayResult
from tests.replay.infer.more_kinds import MORE_KINDS
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS
from tests.replay.test_samples import flows_of
from tests.replay.worlds import Answering, Reply

ALL = {**KINDS, **OTHER_KINDS, **MORE_KINDS}
SETTINGS = ReplaySettings()
RECORDED = (
    "payment-healthy",
    "payment-brownout",
    "payment-brownout-plain",
    "onboarding-healthy",
    "onboarding-model-rollout",
    "enrichment-healthy",
    "enrichment-drift",
)
CHANGES = ("slow", "fails once", "other value")


@dataclass(frozen=True, slots=True)
class Changed:
    """One answer: of attempt `number` of an operation under a key, and what it becomes."""

    op: str
    key: str
    number: int
    how: str
    field: str = ""
    value: Scalar = None


def some_change(roll: Random, recording: Recording) -> Changed:
    """Draw an answer of another's, and a change that it can have."""
    step = roll.choice([step for step in recording.steps if not step.local])
    number = roll.randrange(len(step.attempts)) + 1
    attempt = step.attempts[number - 1]
    how = roll.choice(CHANGES)
    values = [
        (path, value)
        for path, value in attempt.response.items()
        if "[" not in path and "." not in path and isinstance(value, bool | int | float)
    ]
    if how != "other value" or not values:
        return Changed(step.op, step.key, number, "slow" if how == "slow" else "fails once")
    path, value = roll.choice(values)
    other = not value if isinstance(value, bool) else round(value * roll.choice((0.5, 1.5)), 4)
    return Changed(step.op, step.key, number, how, path, other)


def altered(recording: Recording, change: Changed) -> Recording:
    """The recording as it would be with that answer."""

    def other(attempt: RecordedAttempt) -> RecordedAttempt:
        if change.how == "slow":
            return replace(attempt, end_ns=attempt.start_ns + 10 * attempt.latency_ns)
        if change.how == "fails once":
            return replace(attempt, status="503", response={})
        return replace(attempt, response={**attempt.response, change.field: change.value})

    steps = [
        replace(
            step,
            attempts=tuple(
                other(attempt) if number == change.number else attempt
                for number, attempt in enumerate(step.attempts, 1)
            ),
        )
        if (step.op, step.key) == (change.op, change.key)
        else step
        for step in recording.steps
    ]
    return replace(recording, steps=tuple(steps))


def changed_world(base: Answering, change: Changed) -> Answering:
    """The callees with that answer changed."""
    callee, _, operation = change.op.partition(" ")

    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        reply = base(op, key, number)
        if (op, key, number) != ((callee, operation), change.key, change.number):
            return reply
        if change.how == "slow":
            return replace(reply, latency=10 * reply.latency)
        if change.how == "fails once":
            return replace(reply, status="503", body={})
        return replace(reply, body={**reply.body, change.field: change.value})

    return answering


def right(result: ReplayResult) -> bool:
    """The same calls, order, requests and outcome; what a gate said before does not count."""
    return all(
        divergence.kind == "timing_changed" or divergence.path.startswith("response.")
        for divergence in result.divergences
    )


def under_changes(
    name: str, recordings: Sequence[Recording], kind: Folds, seed: int, count: int, tell: int
) -> Counter[str]:
    """Change one answer at a time and compare with what the true program then does."""
    counted: Counter[str] = Counter()
    roll = Random(f"{name} {seed}")
    sound = [
        index
        for index, recording in enumerate(recordings)
        if right(replay_recording(recording, kind))
    ]
    for _ in range(count):
        index = roll.choice(sound)
        change = some_change(roll, recordings[index])
        world = changed_world(ALL[name][1](seed, index), change)
        truth = recording_of(true_flow(name, index, seed=seed, answering=world, kinds=ALL))
        result = replay_recording(altered(recordings[index], change), kind, baseline=truth)
        word = "right" if right(result) else "wrong"
        counted[f"{word} flagged" if result.flags else word] += 1
        if word == "wrong" and not result.flags and tell:
            print(change, truth.flow_id, [(d.kind, d.step_id) for d in result.divergences][:tell])
    return counted


def measure(name: str, given: argparse.Namespace) -> tuple[object, ...]:
    results: list[ReplayResult] = []
    changes: Counter[str] = Counter()
    with spent() as took:
        for seed in range(given.seed, given.seed + given.seeds):
            flows = [true_flow(name, n, seed=seed, kinds=ALL) for n in range(given.flows)]
            recordings = [recording_of(flow) for flow in flows]
            kind = Folds(recordings, SETTINGS)
            results += [replay_recording(recording, kind) for recording in recordings]
            changes += under_changes(name, recordings, kind, seed, given.changes, given.tell)
    control = fidelity(results)
    sure = changes["right"] + changes["wrong"]
    runs = max(sum(changes.values()), 1)
    return (
        name, control.flows, 100 * control.right / control.flows,
        100 * control.flagged / control.flows, control.silent, control.inside_ppm / 10_000,
        100 * (control.flows - control.doubted - control.flagged) / control.flows,
        control.width_ppm / 10_000, runs, 100 * sure / runs, changes["wrong"],
        100 * changes["right"] / max(sure, 1), took.cpu,
    )  # fmt: skip


def measure_sample(sample: str) -> list[tuple[object, ...]]:
    """Control of every kind in a recorded sample."""
    kinds: dict[tuple[str, str], list[Recording]] = {}
    for flow in flows_of(sample):
        kinds.setdefault((flow.name, flow.version), []).append(recording_of(flow))
    rows: list[tuple[object, ...]] = []
    for (name, version), recordings in sorted(kinds.items()):
        kind = Folds(recordings, SETTINGS)
        control = fidelity([replay_recording(recording, kind) for recording in recordings])
        rows.append(
            (
                f"{sample} {name} {version}", control.flows, 100 * control.right / control.flows,
                control.late, control.flagged, control.silent, control.unreplayable,
                control.inside_ppm / 10_000, control.doubted, control.width_ppm / 10_000,
            )
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=375, help="300 of which make a program")
    parser.add_argument("--changes", type=int, default=300, help="changed answers per seed")
    parser.add_argument("--seed", type=int, default=1_001)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tell", type=int, default=0, help="divergences shown of silent errors")
    parser.add_argument("--samples", action="store_true", help="the recorded samples instead")
    parser.add_argument("kinds", nargs="*", default=list(ALL))
    given = parser.parse_args()
    print(machine())
    if given.samples:
        table(
            ("sample and kind", "flows", "right %", "late", "wrong, flagged", "silent",
             "unreplayable", "times inside %", "right, doubted", "width % of duration"),
            [row for sample in RECORDED for row in measure_sample(sample)],
        )  # fmt: skip
        return
    table(
        ("kind", "flows", "right %", "wrong, flagged %", "silent", "times inside %", "unflagged %",
         "width % of duration", "changes", "unflagged %", "silent", "right if unflagged %",
         "CPU s"),
        [measure(name, given) for name in given.kinds],
    )  # fmt: skip


if __name__ == "__main__":
    main()
