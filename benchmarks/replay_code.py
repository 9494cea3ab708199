"""Flows per CPU second replayed by real code: asyncio streams, and the payment orchestrator.

Counts CPU time of the engine and the child, for a busy machine tells little by its wall clock.
    python benchmarks/replay_code.py [FLOWS]
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)
sys.path.append(str(Path(__file__).parents[1]))  # programs of the tests are run

from replay.code.engine import Subject, replay_code
from replay.code.settings import Code
from tests.replay.code.payments import payments
from tests.replay.code.recorded import Call, code, subject

HOUR_MS = 3_600_000


def asyncio_flow() -> Subject:
    """Two calls at once, an hour of sleep, a charge."""
    body = {"order": "o-1"}
    return subject(
        [
            Call(path="/reserve", start_ms=1, end_ms=31, request=body, response={"id": "r-1"}),
            Call(path="/score", start_ms=1.5, end_ms=20, request=body, response={"id": "s-1"}),
            Call(path="/charge", start_ms=HOUR_MS + 32, end_ms=HOUR_MS + 82, request=body,
                 response={"id": "c-1"}, timeout_ms=300),
        ],
        given={"id": "o-1"}, output={"ids": ["r-1", "s-1", "c-1"], "tries": 1},
        end_ms=HOUR_MS + 83,
    )  # fmt: skip


def measure(name: str, subjects: Sequence[Subject], what: Code) -> None:
    """Print flows per CPU second, and the share that was identical."""
    before, begun = os.times(), time.perf_counter()
    results = list(replay_code(subjects, what))
    after, wall = os.times(), time.perf_counter() - begun
    engine = after.user + after.system - before.user - before.system
    child = (
        after.children_user + after.children_system - before.children_user - before.children_system
    )
    same = sum(result.verdict == "identical" for result in results)
    print(
        f"{name}: {len(results) / (engine + child):.0f} flows per CPU second "
        f"(engine {engine:.2f} s, child with its start {child:.2f} s, wall {wall:.2f} s), "
        f"{same} of {len(results)} identical"
    )


def main() -> None:
    """Measure both, with a process per flow and without."""
    flows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    one = asyncio_flow()
    many = [one] * flows
    for isolate in (False, True):
        told = "a process per flow" if isolate else "one process"
        measure(f"asyncio, {told}", many, replace(code("orders:in_tasks"), isolate=isolate))
    sample = (list(payments()) * (flows // 600 + 1))[:flows]
    name = "sample_traces.services.payment.replayed:recorded"
    for isolate in (False, True):
        told = "a process per flow" if isolate else "one process"
        what = Code(name=name, python=sys.executable, path=(str(Path.cwd()),),
                    environment=dict(os.environ), isolate=isolate)  # fmt: skip
        measure(f"payment orchestrator (threads), {told}", sample, what)


if __name__ == "__main__":
    main()
