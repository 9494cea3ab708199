"""Counterfactuals: what is claimed of changed answers, against the true program under the same.

Thirteen kinds of generated flows with a known true program (`tests/replay`). One thing of a flow
is changed as a scenario changes it; the true program is run with exactly the answers that the
replay has: the recorded ones, changed, and where none was recorded the one that donors lend. Right
are the same calls, order, requests and outcome. The changes:

- other answer: the answer is exchanged for one that another flow had;
- other value: one number is halved or half as much again, one word of yes or no turned round;
- slow: the answer takes ten times as long;
- healed: an answer that failed is good, with a body lent by donors;
- fails as seen: the answer becomes a failure that other flows had there, at that attempt;
- down as seen: every answer of the operation does, with a failure that calls of it ended with;
- quicker timeout: callers give up after half the time an answer took, where timeouts were seen;
- down without end: with a failure that was seen, and never as the last one, so that nobody knows
  how often it is tried;
- fails as never seen, down as never seen: with a status that nobody ever had there.

`claimed` are results with a claim, `wrong` those among them that the true program contradicts: the
worst there is. For each doubt that withheld a claim it is counted how often it stood alone, and how
often the replay was right nevertheless: a doubt that is always right protects from nothing.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.measuring import machine, spent, table
from replay.change import donors_of
from replay.engine import Folds, replay_recording
from replay.recording import recording_of
from replay.settings import ReplaySettings
from replay.whatif import doubts_of
from store.conclusions import ReplayResult
from tests.replay.changes import NEVER_SEEN, SEEN, Asked, Endless, Seen, Truth, draw, right
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS

ALL = {**KINDS, **OTHER_KINDS}
SETTINGS = ReplaySettings(keep_events=False)
DOUBTS_SHOWN = 14


@dataclass(slots=True)
class Tally:
    """Results of one sort: all, right ones, claimed, wrong among the claimed; doubts by word."""

    runs: int = 0
    right: int = 0
    claimed: int = 0
    wrong: int = 0
    timed: int = 0

    def add(self, result: ReplayResult) -> None:
        good = right(result)
        self.runs += 1
        self.right += good
        self.claimed += result.claim is not None
        self.wrong += result.claim is not None and not good
        self.timed += result.claim is not None and good and not any(
            divergence.kind == "timing_changed" for divergence in result.divergences
        )  # fmt: skip

    def row(self, name: str) -> tuple[object, ...]:
        sure = max(self.claimed, 1)
        return (
            name, self.runs, 100 * self.right / max(self.runs, 1), self.claimed,
            100 * self.claimed / max(self.runs, 1), self.wrong,
            100 * (self.claimed - self.wrong) / sure, 100 * self.timed / sure,
        )  # fmt: skip


class Measured:
    """All results, by change, by kind, and by doubt."""

    def __init__(self) -> None:
        self.by_change: dict[str, Tally] = {}
        self.by_kind: dict[str, Tally] = {}
        self.seen = Tally()
        self.every = Tally()
        self.doubts: Counter[tuple[str, str]] = Counter()

    def add(self, how: str, kind: str, result: ReplayResult) -> None:
        self.by_change.setdefault(how, Tally()).add(result)
        self.every.add(result)
        if how in SEEN:
            self.by_kind.setdefault(kind, Tally()).add(result)
            self.seen.add(result)
        if result.claim is not None:
            return
        doubts = doubts_of(result.flags)
        words = sorted({doubt.split(" ")[0] for doubt in doubts})
        good = "right" if right(result) else "wrong"
        for word in words:
            self.doubts[word, good] += 1
            if len(words) == 1:
                self.doubts[word, f"alone {good}"] += 1


def results_of(name: str, given: argparse.Namespace) -> Iterator[tuple[str, ReplayResult]]:
    """Change the flows of one kind, each in every way it can be changed."""
    for seed in range(given.seed, given.seed + given.seeds):
        flows = [true_flow(name, n, seed=seed, kinds=ALL) for n in range(given.flows)]
        recordings = [recording_of(flow) for flow in flows]
        kind, seen, world = Folds(recordings, SETTINGS), Seen(recordings), ALL[name][1]
        for index in range(given.changed):
            recording = recordings[index]
            donors = donors_of(kind.machine_for(recording.flow_id)[0].program)
            for how in (*SEEN, *NEVER_SEEN):
                asked = draw(how, Random(f"{name} {seed} {index} {how}"), recording, seen)
                if asked is None:
                    continue
                answering = Truth(recording, asked, donors, world(seed, index))
                try:
                    flow = true_flow(name, index, seed=seed, answering=answering, kinds=ALL)
                except Endless:
                    continue  # there is no truth to compare with
                result = replay_recording(
                    recording, kind, scenario=asked.scenario, settings=SETTINGS,
                    baseline=recording_of(flow),
                )  # fmt: skip
                if result.control_verdict == "diverged":
                    continue  # no counterfactual is shown of such a flow
                yield how, result
                if result.claim is not None and not right(result):
                    tell(f"{name} {seed} {index}", asked, result, flow.outcome.value, given.tell)


def tell(where: str, asked: Asked, result: ReplayResult, truth: str, shown: int) -> None:
    """Print a claim that the true program contradicts."""
    change = (*asked.scenario.answers, *asked.scenario.changes)[0]
    print(f"wrong: {where} {asked.scenario.name}: {change}")
    print(f"  {result.claim} replay {result.outcome}, truth {truth}, doubts {result.flags}")
    for one in result.divergences[:shown]:
        print("   ", one.kind, one.step_id, one.path, one.recorded, one.replayed)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=375, help="300 of which make a program")
    parser.add_argument("--changed", type=int, default=75, help="flows changed per seed")
    parser.add_argument("--seed", type=int, default=2_001)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tell", type=int, default=5, help="divergences shown of a wrong claim")
    parser.add_argument("kinds", nargs="*", default=list(ALL))
    given = parser.parse_args()
    print(machine())
    measured = Measured()
    with spent() as took:
        for name in given.kinds:
            for how, result in results_of(name, given):
                measured.add(how, name, result)
    heads = ("runs", "right %", "claimed", "claimed %", "wrong", "right if claimed %",
             "+ times %")  # fmt: skip
    rows = [measured.by_change.get(how, Tally()).row(how) for how in SEEN]
    never = [measured.by_change.get(how, Tally()).row(how) for how in NEVER_SEEN]
    total = measured.seen.row("what recordings can tell"), measured.every.row("all")
    table(("change", *heads), [*rows, total[0], *never, total[1]])
    print()
    table(("kind", *heads), [tally.row(name) for name, tally in measured.by_kind.items()])
    print("\ndoubts that withheld a claim")
    words = Counter({word: n for (word, how), n in measured.doubts.items() if how == "right"})
    words.update({word: n for (word, how), n in measured.doubts.items() if how == "wrong"})
    sorts = ("right", "wrong", "alone right", "alone wrong")
    table(
        ("doubt", *(f"replay {sort}" if " " not in sort else sort for sort in sorts)),
        [
            (word, *(measured.doubts[word, sort] for sort in sorts))
            for word, _ in words.most_common(DOUBTS_SHOWN)
        ],
    )
    print(f"{took.cpu:.0f} CPU s; {machine()}")


if __name__ == "__main__":
    main()
