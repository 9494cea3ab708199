"""What replays predict of a change, beside what the change really did.

Where history holds a natural change (a release, a policy), flows from before it are replayed as
if it had happened to them; the flows after it are the truth. The two groups met other weather, so
a difference is not all the replay's fault; agreement is no accident either.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.statistics.proportions import newcombe
from replay.recording import Recording
from store.conclusions import ReplayResult

PPM = 1_000_000


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


def back_test(
    before: Sequence[Recording], predicted: Sequence[ReplayResult], real: Sequence[Recording]
) -> list[Compared]:
    """Compare how flows end, and which operations they call.

    `predicted` are the replays that make a claim, of the flows in `before`.
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
