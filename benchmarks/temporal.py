"""Temporal's own check beside the strict one, on changes of a workflow that was really recorded.

A Temporal dev server on loopback runs the payment saga of the tests once for each scenario; each
change of its code is replayed against every history. A change counts as to be found in a history
where it makes a difference to it, worked out by hand; how far changed code was driven stands beside
it. Then the rates of one core: flows per CPU second, of this process and its child together, for
Temporal's Replayer (outside the sandbox, as the strict check runs it) and for the driver.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.lib.measuring import machine, table
from replay.code.settings import Code
from replay.temporal.driving import Driving
from replay.temporal.engine import TemporalReplay, replay_histories
from replay.temporal.histories import RecordedHistory, histories_of
from replay.temporal.process import WorkflowChild
from replay.temporal.recording import recording_of
from tests.replay.temporal.mutations import MUTATIONS, UNCHANGED, Mutation

ROUNDS = 5
RUNS = 20
WALL_S_MAX = 60.0


def replayed(mutation: Mutation, histories: list[RecordedHistory]) -> dict[str, TemporalReplay]:
    """Each scenario's replay by the changed code."""
    with tempfile.TemporaryDirectory() as folder:
        mutation.write(Path(folder))
        code = Code(name="payment_saga", python=sys.executable, path=(folder,))
        results = replay_histories(histories, code)
    names = [one.workflow_id.removeprefix("payment-") for one in histories]
    return dict(zip(names, results, strict=True))


def found(mutation: Mutation, histories: list[RecordedHistory]) -> tuple[int, ...]:
    """How many Temporal and the strict check found, how many each accused without reason, how many
    of the changed ran to an end, and how many ended where no answer is known."""
    results = replayed(mutation, histories)
    temporal = {name for name, one in results.items() if one.temporal_verdict == "incompatible"}
    strict = {name for name, one in results.items() if one.result.verdict == "diverged"}
    wanted = mutation.differs
    driven = [one.result for one in results.values() if one.result.verdict == "diverged"]
    unknown = sum(result.outcome == "unknown" for result in driven)
    return (
        len(temporal & wanted), len(strict & wanted), len(temporal - wanted), len(strict - wanted),
        len(driven) - unknown, unknown,
    )  # fmt: skip


def rates(histories: list[RecordedHistory], folder: Path) -> tuple[float, float]:
    """Flows per CPU second: Temporal's Replayer, then the driver."""
    UNCHANGED.write(folder)
    code = Code(name="payment_saga", python=sys.executable, path=(str(folder),))
    replaying = driving = 0.0
    with WorkflowChild(code) as child:
        for number in range(ROUNDS + 1):
            for history in histories:
                spent = _cpu_s(child, partial(_replay, child, history))
                drives = Driving(child, recording_of(child.recording(WALL_S_MAX)))
                driven = _cpu_s(child, partial(_drive, drives))
                child.end_driving()
                if number:  # the first round warms up
                    replaying, driving = replaying + spent, driving + driven
    count = ROUNDS * len(histories)
    return count / replaying, count * RUNS / driving


def _replay(child: WorkflowChild, history: RecordedHistory) -> None:
    child.replay(history.workflow_id, history.events, WALL_S_MAX)


def _drive(driving: Driving) -> None:
    for _ in range(RUNS):
        driving.run()


def _cpu_s(child: WorkflowChild, work: Callable[[], object]) -> float:
    before = _spent_s(child)
    work()
    return _spent_s(child) - before


def _spent_s(child: WorkflowChild) -> float:
    """CPU time of this process and of the child, threads included."""
    own = os.times()
    threads = Path(f"/proc/{child.number}/task").iterdir()
    theirs = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return own.user + own.system + theirs / 1e9


def main() -> None:
    """Record, replay every change, print."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.replay.temporal.recording", folder]
        subprocess.run(
            command, check=True, cwd=Path(__file__).parents[1], stdout=subprocess.DEVNULL
        )
        files = [one for one in sorted(Path(folder).iterdir()) if one.suffix == ".json"]
        histories = list(histories_of(files))
        rows: list[tuple[object, ...]] = []
        sums = [0] * 7
        for mutation in (UNCHANGED, *MUTATIONS):
            counts = (len(mutation.differs), *found(mutation, histories))
            sums = [left + right for left, right in zip(sums, counts, strict=True)]
            rows.append((mutation.name, *counts))
        rows.append(("all", *sums))
        print(f"{len(MUTATIONS)} changes, {len(histories)} histories\n")
        table(
            ("change", "to find", "Temporal", "strict", "false: Temporal", "false: strict",
             "driven to an end", "to no answer"),
            rows,
        )  # fmt: skip
        replayer, driver = rates(histories, Path(folder))
        print(f"\nflows per CPU second: Replayer {replayer:.0f}, driver {driver:.0f}")


if __name__ == "__main__":
    main()
