"""Temporal's own check beside the strict one, on changes of a workflow that was really recorded.

A Temporal dev server on loopback runs the payment saga of the tests once for each scenario; each
change of its code is replayed against every history. A change counts as to be found in a history
where it makes a difference to it, worked out by hand. Then the rate of replays per second of wall
time, one child process, workflows outside the sandbox, as the strict check runs them.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.lib.measuring import machine, table
from replay.code.settings import Code
from replay.temporal.engine import TemporalReplay, replay_histories
from replay.temporal.histories import RecordedHistory, histories_of
from tests.replay.temporal.mutations import MUTATIONS, UNCHANGED, Mutation

ROUNDS = 25


def replayed(mutation: Mutation, histories: list[RecordedHistory]) -> dict[str, TemporalReplay]:
    """Each scenario's replay by the changed code."""
    with tempfile.TemporaryDirectory() as folder:
        mutation.write(Path(folder))
        code = Code(name="payment_saga", python=sys.executable, path=(folder,))
        results = replay_histories(histories, code)
    names = [one.workflow_id.removeprefix("payment-") for one in histories]
    return dict(zip(names, results, strict=True))


def found(mutation: Mutation, histories: list[RecordedHistory]) -> tuple[int, int, int, int]:
    """How many Temporal and the strict check found, and how many each accused without reason."""
    results = replayed(mutation, histories)
    temporal = {name for name, one in results.items() if one.temporal_verdict == "incompatible"}
    strict = {name for name, one in results.items() if one.result.verdict == "diverged"}
    wanted = mutation.differs
    return (
        len(temporal & wanted), len(strict & wanted), len(temporal - wanted), len(strict - wanted)
    )  # fmt: skip


def main() -> None:
    """Record, replay every change, print."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.replay.temporal.recording", folder]
        subprocess.run(
            command, check=True, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL
        )
        histories = list(histories_of([Path(folder)]))
        rows: list[tuple[object, ...]] = []
        sums = [0] * 5
        for mutation in (UNCHANGED, *MUTATIONS):
            counts = (len(mutation.differs), *found(mutation, histories))
            sums = [left + right for left, right in zip(sums, counts, strict=True)]
            rows.append((mutation.name, *counts))
        rows.append(("all", *sums))
        print(f"{len(MUTATIONS)} changes, {len(histories)} histories\n")
        table(("change", "to find", "Temporal", "strict", "false: Temporal", "false: strict"), rows)
        code = Code(name="payment_saga", python=sys.executable, path=(str(folder),))
        UNCHANGED.write(Path(folder))
        many = histories * ROUNDS
        started = time.perf_counter()
        replay_histories(many[: len(histories)], code, workers=1)
        first = time.perf_counter() - started
        replay_histories(many, code, workers=1)
        rest = time.perf_counter() - started - 2 * first
        print(f"\nreplays per second, one process: {(len(many) - len(histories)) / rest:.0f}")


if __name__ == "__main__":
    main()
