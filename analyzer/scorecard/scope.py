"""What a card is about, and what was read once for all cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.releases.rollbacks import Rollback
from analyzer.scorecard.decided import Counts
from analyzer.scorecard.grouping import By
from analyzer.scorecard.settings import Owners
from store.conclusions import Incident

Scope = tuple[By, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """How one flow that was given up was undone.

    `compensated`: in full or not, None where unknown; `balanced`: whether all its accounts come to
    zero. `concerns` and `counted` say whether it had anything to undo, and any account.
    """

    concerns: bool
    compensated: bool | None
    inconsistent_ns: int | None
    counted: bool
    balanced: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`verdicts` are by flow and question (a check or detector), `decisions` counts by flow,
    `undoings` of flows that were given up."""

    verdicts: Mapping[str, Mapping[str, frozenset[str]]]
    decisions: Mapping[str, Counts]
    undoings: Mapping[str, Undoing]
    incidents: Sequence[Incident]
    rollbacks: Sequence[Rollback]
    owners: Owners
