"""Which flows are compared with which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Final

from analyzer.statistics.quantiles import quantile_ranks
from store.conclusions import FlowOutcome
from store.query import ask
from store.session import Session

FLOWS: Final = Path(__file__).parent / "flows.sql"
BAD: Final = frozenset(
    {
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    }
)
SLOW: Final = Fraction(9, 10)
FAST: Final = Fraction(1, 2)
COMPARED_MAX: Final = 20_000
"""Flows of one group that are compared; of more, those with the smallest hashes of their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowHead:
    """What a group can be made by. `verdict` are those of its sagas, `findings` the detectors with
    a violation."""

    flow_id: str
    name: str
    version: str
    outcome: str
    start_ns: int
    end_ns: int | None
    architecture: str
    complete: bool
    sampling: str
    verdict: Sequence[str]
    findings: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Two groups of flows that share none; `question` says in words how they were made."""

    question: str
    selected: Sequence[FlowHead]
    baseline: Sequence[FlowHead]

    @property
    def flow_ids(self) -> list[str]:
        """The selected first: the first bits of a mask are theirs."""
        return [head.flow_id for head in (*self.selected, *self.baseline)]


def thinned(groups: Groups, most: int = COMPARED_MAX) -> Groups:
    """The groups with at most so many flows each, chosen by nothing that could matter."""

    def some(heads: Sequence[FlowHead]) -> Sequence[FlowHead]:
        if len(heads) <= most:
            return heads
        return sorted(heads, key=lambda head: chance(head.flow_id))[:most]

    return Groups(
        question=groups.question, selected=some(groups.selected), baseline=some(groups.baseline)
    )


def chance(flow_id: str) -> bytes:
    """What flows are chosen by where there are too many: always the same, and about nothing."""
    return sha256(flow_id.encode()).digest()


def read_heads(session: Session) -> list[FlowHead]:
    """All flows by start."""
    return [FlowHead(**row) for row in ask(session, FLOWS, {}).iter_rows(named=True)]


def split(
    heads: Sequence[FlowHead],
    question: str,
    selected: Callable[[FlowHead], bool],
    baseline: Callable[[FlowHead], bool],
) -> Groups:
    """Those that fit; a flow that fits both is selected."""
    return Groups(
        question=question,
        selected=[head for head in heads if selected(head)],
        baseline=[head for head in heads if baseline(head) and not selected(head)],
    )


def failed_and_fine(heads: Sequence[FlowHead]) -> Groups:
    """Flows that did not do what was asked, undone ones too, against those that did."""
    return split(
        heads,
        "flows that failed or were undone, against flows that succeeded",
        lambda head: head.outcome in BAD,
        lambda head: head.outcome == FlowOutcome.SUCCEEDED,
    )


def violated_and_clean(heads: Sequence[FlowHead]) -> Groups:
    """Flows that broke a rule against those of which none is known to be broken or suspected.

    Where a rule could not be checked a flow counts as one without; the question says how many.
    """

    def broke(head: FlowHead) -> bool:
        return "violation" in head.verdict or bool(head.findings)

    clean = [head for head in heads if not broke(head) and "suspected" not in head.verdict]
    unsure = sum(not {"unknown", "open"}.isdisjoint(head.verdict) for head in clean)
    return split(
        heads,
        "flows with a violation (saga or finding), against flows without"
        + (f" ({unsure} of them could not be checked in full)" if unsure else ""),
        broke,
        lambda head: "suspected" not in head.verdict,
    )


def slow_and_fast(heads: Sequence[FlowHead]) -> Groups:
    """The slowest tenth against the faster half of the flows that ended; between is neither."""
    durations = sorted(head.end_ns - head.start_ns for head in heads if head.end_ns is not None)
    if not durations:
        return Groups(question="no flow ended", selected=(), baseline=())
    slow_ns = durations[quantile_ranks(len(durations), SLOW).rank - 1]
    fast_ns = durations[quantile_ranks(len(durations), FAST).rank - 1]
    return split(
        heads,
        f"flows slower than {slow_ns / 1e6:.1f} ms (p90), against flows of up to "
        f"{fast_ns / 1e6:.1f} ms (p50)",
        lambda head: head.end_ns is not None and head.end_ns - head.start_ns > slow_ns,
        lambda head: head.end_ns is not None and head.end_ns - head.start_ns <= fast_ns,
    )


def during_and_before(heads: Sequence[FlowHead], start_ns: int, end_ns: int, name: str) -> Groups:
    """Flows that began in a window against those that began before it."""
    return split(
        heads,
        f"flows that began in {name}, against flows that began before",
        lambda head: start_ns <= head.start_ns < end_ns,
        lambda head: head.start_ns < start_ns,
    )
