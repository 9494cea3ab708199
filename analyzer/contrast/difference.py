"""One fact that sets groups of flows apart, and how far: the words a comparison answers in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analyzer.contrast.facts import SOURCES, Attribute
from analyzer.statistics.intervals import Interval

GIVEN_DECISION: Final = ("flag ", "model", "policy")
"""Beginnings of facts of a decision that stood before it was made."""
GIVEN_KNOWN: Final = (19, 20)
"""A service's release is given where at least this share of the flows met the service; elsewhere
that the flow came there at all may be the consequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One fact: an attribute has a value, or a number lies above one (`above`)."""

    attribute: Attribute
    value: str
    above: float | None = None

    @property
    def sort_key(self) -> tuple[int, bool, Attribute, str]:
        """What people know a thing by comes before its ids."""
        names_one = self.attribute.name.endswith((".id", "_id", "sha256"))
        return SOURCES.index(self.attribute.source), names_one, self.attribute, self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One or two facts that hold together, and how often in each group.

    `known_*` are the flows in which the attributes were recorded; a flow in which they were not
    counts as one without the value. `score` is the contribution to the divergence, in bits.
    `difference` is the interval of the difference of the shares. `same` twins hold in the same
    flows, the other ones in all others.
    """

    terms: Sequence[Term]
    selected: int
    baseline: int
    n_selected: int
    n_baseline: int
    known_selected: int
    known_baseline: int
    p_value: float
    q_value: float
    score: float
    mask: int
    difference: Interval | None = None
    twins: Sequence[tuple[bool, Term]] = ()

    @property
    def share_selected(self) -> float:
        return self.selected / self.n_selected

    @property
    def share_baseline(self) -> float:
        return self.baseline / self.n_baseline

    @property
    def lift(self) -> float | None:
        """How many times as frequent as in the baseline; None when never there."""
        if self.baseline == 0:
            return None
        return (self.selected * self.n_baseline) / (self.baseline * self.n_selected)

    @property
    def precision(self) -> float:
        """Of the compared flows with it, the share that is selected."""
        return self.selected / (self.selected + self.baseline)

    @property
    def given(self) -> bool:
        """Whether it stood before the flow did anything, so that it is no consequence."""
        least, whole = GIVEN_KNOWN
        known = self.known_selected + self.known_baseline
        met = known * whole >= least * (self.n_selected + self.n_baseline)
        return all(
            term.attribute.source == "flow"
            or (term.attribute.source == "resource" and met)
            or (
                term.attribute.source == "decision"
                and term.attribute.name.startswith(GIVEN_DECISION)
            )
            for term in self.terms
        )

    @property
    def more(self) -> bool:
        """More frequent among the selected."""
        return self.selected * self.n_baseline > self.baseline * self.n_selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Differences, strongest first, and what was looked at to find them."""

    n_selected: int
    n_baseline: int
    differences: Sequence[Difference] = ()
    tested: int = 0
    too_rare: int = 0
    ids: Sequence[Attribute] = ()
    not_told: int = 0
