"""Inference: recordings against programs that never saw them.

Generated kinds with a known true program (`kinds.py`, `other_kinds.py` and `infer/more_kinds.py`
in `tests/replay`), or with `--samples` the recorded samples. Each flow is replayed by a program
made from other flows. Right are the same calls, order, requests, outcome and times; late are those
with a time outside its interval; flagged are other wrong ones of which something is doubted. Wrong
and undoubted is a silent error, the worst there is. What is claimed of changed flows is measured
in `counterfactuals.py`.
"""

import argparse
import sys
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.measuring import machine, spent, table
from replay.engine import Folds, replay_recording
from replay.fidelity import Fidelity, fidelity
from replay.recording import Recording, recording_of
from replay.settings import ReplaySettings
from store.conclusions import ReplayResult
from tests.replay.infer.more_kinds import MORE_KINDS
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS
from tests.replay.test_samples import flows_of

ALL = {**KINDS, **OTHER_KINDS, **MORE_KINDS}
SETTINGS = ReplaySettings(keep_events=False)
COLUMNS = (
    "kind", "flows", "right %", "late", "wrong, flagged", "silent", "unreplayable",
    "times inside %", "right, doubted", "width % of duration",
)  # fmt: skip
RECORDED = (
    "payment-healthy",
    "payment-brownout",
    "payment-brownout-plain",
    "onboarding-healthy",
    "onboarding-model-rollout",
    "enrichment-healthy",
    "enrichment-drift",
)


def measure(name: str, given: argparse.Namespace) -> tuple[object, ...]:
    """Control of a generated kind, over several seeds."""
    results: list[ReplayResult] = []
    with spent() as took:
        for seed in range(given.seed, given.seed + given.seeds):
            flows = [true_flow(name, n, seed=seed, kinds=ALL) for n in range(given.flows)]
            recordings = [recording_of(flow) for flow in flows]
            kind = Folds(recordings, SETTINGS)
            results += [replay_recording(recording, kind) for recording in recordings]
    return (*row(name, fidelity(results)), took.cpu)


def row(name: str, control: Fidelity) -> tuple[object, ...]:
    """One line of either table."""
    return (
        name, control.flows, 100 * control.right / control.flows, control.late, control.flagged,
        control.silent, control.unreplayable, control.inside_ppm / 10_000, control.doubted,
        control.width_ppm / 10_000,
    )  # fmt: skip


def measure_sample(sample: str) -> list[tuple[object, ...]]:
    """Control of every kind in a recorded sample."""
    kinds: dict[tuple[str, str], list[Recording]] = {}
    for flow in flows_of(sample):
        kinds.setdefault((flow.name, flow.version), []).append(recording_of(flow))
    rows = []
    for (name, version), recordings in sorted(kinds.items()):
        kind = Folds(recordings, SETTINGS)
        control = fidelity([replay_recording(recording, kind) for recording in recordings])
        rows.append(row(f"{sample} {name} {version}", control))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=375, help="300 of which make a program")
    parser.add_argument("--seed", type=int, default=1_001)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--samples", action="store_true", help="the recorded samples instead")
    parser.add_argument("kinds", nargs="*", default=list(ALL))
    given = parser.parse_args()
    print(machine())
    if given.samples:
        table(COLUMNS, [made for sample in RECORDED for made in measure_sample(sample)])
        return
    table((*COLUMNS, "CPU s"), [measure(name, given) for name in given.kinds])


if __name__ == "__main__":
    main()
