"""What another policy would have answered to the recorded decisions, and which flows that touches.

Exact where the policy reads only what was recorded (claim C2, by recomputation). Where it needs
what is not recorded the answer is unknown, and the share that would change is told as an interval:
from none of the unknown ones changing to all of them. What changed flows would have done then is
not told here: that needs a replay.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.oversight.joined import Joined
from analyzer.statistics.intervals import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One decision whose gate would have answered otherwise; `recorded` is "" without a gate."""

    decision_id: str
    flow_id: str | None
    recorded: str
    answered: str
    acted: bool | None
    reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The comparison. `n` decisions were compared; `unknown` could not be answered."""

    n: int
    unknown: int
    changes: Sequence[Change]
    table: Mapping[tuple[str, str], int]

    @property
    def share(self) -> Interval | None:
        """From none of the unknown ones changing to all of them; one value where all are known."""
        total = self.n + self.unknown
        if not total:
            return None
        changed = len(self.changes)
        return Interval(low=changed / total, high=(changed + self.unknown) / total)

    @property
    def flow_ids(self) -> list[str]:
        return sorted({it.flow_id for it in self.changes if it.flow_id is not None})


def backtest(decisions: Sequence[Joined], answers: Sequence[str | None]) -> Backtest:
    """Compare a policy's answers, None for unknown, with what the gates of the decisions said."""
    changes: list[Change] = []
    table: Counter[tuple[str, str]] = Counter()
    unknown = 0
    for it, answered in zip(decisions, answers, strict=True):
        if answered is None:
            unknown += 1
            continue
        recorded = it.outcome
        table[recorded, answered] += 1
        if recorded != answered:
            changes.append(
                Change(
                    decision_id=it.decision.decision_id,
                    flow_id=None if it.flow is None else it.flow.flow_id,
                    recorded=recorded,
                    answered=answered,
                    acted=it.acted,
                    reviewed=it.reviewed,
                )
            )
    return Backtest(
        n=sum(table.values()), unknown=unknown, changes=changes, table=dict(sorted(table.items()))
    )
