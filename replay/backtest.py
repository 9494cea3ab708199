"""What replays predict of a change, beside what the change really did.

Where history holds a natural change (a release, a policy), flows of before are replayed as if it
had happened to them; the flows under it are the truth. Where both ran side by side for a while,
both met the same weather then, and only those flows are compared. Compared is what every replay
gave, whatever its doubts: which flows get a claim depends on the way they go, so that those with
one are no fair sample, and whether the doubts were right is what a test is for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.statistics.proportions import newcombe
from replay.recording import Recording
from store.conclusions import Flow, ReplayResult

PPM = 1_000_000
# With fewer flows of either side, those that ran side by side are not compared alone.
SIDE_BY_SIDE_MIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One share, before, as predicted, and as it came; counts of flows.

    `low_ppm` to `high_ppm` is the 95 % interval of predicted minus real (Newcombe), in millionths;
    `agrees` says that it holds nought.
    """

    what: str
    before: int
    before_n: int
    predicted: int
    predicted_n: int
    real: int
    real_n: int
    low_ppm: int
    high_ppm: int

    @property
    def agrees(self) -> bool:
        """Say whether the prediction can be right."""
        return self.low_ppm <= 0 <= self.high_ppm


def side_by_side(
    before: Sequence[Flow], real: Sequence[Flow]
) -> tuple[list[Flow], list[Flow]] | None:
    """Keep the flows that began while both ran; None where that are hardly any.

    Of several versions before, it is the one of which most flows ran beside the real ones.
    """
    found = []
    for version in sorted({flow.version for flow in before}):
        mine = [flow for flow in before if flow.version == version]
        starts = [[flow.start_ns for flow in flows] for flows in (mine, real)]
        first, last = max(map(min, starts)), min(map(max, starts))
        sides = [
            [flow for flow in flows if first <= flow.start_ns <= last] for flows in (mine, real)
        ]
        if min(map(len, sides)) >= SIDE_BY_SIDE_MIN:
            found.append((sides[0], sides[1]))
    return max(found, key=lambda sides: min(map(len, sides)), default=None)


def back_test(
    before: Sequence[Recording], predicted: Sequence[ReplayResult], real: Sequence[Recording]
) -> list[Compared]:
    """Compare how flows end, and which operations they call.

    `predicted` are what-ifs of the flows in `before`, with their events.
    """
    outcomes = sorted(
        {r.outcome for r in (*before, *real)} | {result.outcome for result in predicted}
    )
    operations = sorted({step.op for r in (*before, *real) for step in r.steps})
    rows = [
        _compared(
            f"ends {outcome}",
            [r.outcome == outcome for r in before],
            [result.outcome == outcome for result in predicted],
            [r.outcome == outcome for r in real],
        )
        for outcome in outcomes
    ]
    replayed = [set(_called(result)) for result in predicted]
    rows += [
        _compared(
            f"calls {op}",
            [_calls(op)(r) for r in before],
            [op in called for called in replayed],
            [_calls(op)(r) for r in real],
        )
        for op in operations
    ]
    return [row for row in rows if row is not None]


def _calls(op: str) -> Callable[[Recording], bool]:
    return lambda recording: any(step.op == op for step in recording.steps)


def _called(result: ReplayResult) -> Iterator[str]:
    for event in result.events:
        if event.get("event") == "call":
            yield str(event["op"])


def _compared(
    what: str, before: Sequence[bool], predicted: Sequence[bool], real: Sequence[bool]
) -> Compared | None:
    interval = newcombe(sum(predicted), len(predicted), sum(real), len(real))
    if interval is None:
        return None
    return Compared(
        what=what,
        before=sum(before),
        before_n=len(before),
        predicted=sum(predicted),
        predicted_n=len(predicted),
        real=sum(real),
        real_n=len(real),
        low_ppm=int(interval.low * PPM) - 1,
        high_ppm=int(interval.high * PPM) + 1,
    )
