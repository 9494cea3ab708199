"""What an SLO makes of a flow, asked once for all flows that its predicates cannot tell apart.

Flows of one kind share all facts but their id and their duration. A predicate that compares the
duration with numbers, and uses it in no other way, has one answer between two such numbers; one
that reads the id, or does more with the duration, is asked of every flow by itself.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from analyzer.expression import Expression
from analyzer.facts import FlowFacts, Values
from analyzer.slo.model import Slo
from store.errors import InvariantError

ONE = Fraction(1)
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_COMPARED = re.compile(
    rf"(?:^|[(!?:,]|&&|\|\|)\s*duration_ms\s*(?:<=|>=|==|!=|<|>)\s*({_NUMBER})\s*(?=$|[)?:,]|&&|\|\|)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One flow as an event of an SLO; `good` is None where a fact it needs is unknown."""

    at_ns: int
    flow_id: str
    good: bool | None
    weight: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an SLO makes of a flow it counts; `event` is None while the flow has not ended."""

    event: Event | None
    weighted: bool = True


class Judge:
    """Judges flows by one SLO; remembers what it said of each kind."""

    def __init__(self, slo: Slo) -> None:
        if slo.good is None or slo.valid is None:
            raise InvariantError(f"SLO {slo.name} reads {slo.source}, which has no flows")
        self._good, self._valid = slo.good, slo.valid
        self._bounds = _bounds(slo.good, slo.valid)
        self._said: dict[tuple[int, int | None], tuple[bool | None, bool | None]] = {}

    def __call__(self, flow: FlowFacts) -> Judged | None:
        """One flow judged; None where the SLO does not count it."""
        counts, good = self._answers(flow)
        if counts is False:
            return None
        if not flow.ended:
            return Judged(event=None)
        weight = flow.weight
        event = Event(
            at_ns=flow.at_ns,
            flow_id=flow.flow_id,
            good=good if counts else None,
            weight=ONE if weight is None else weight,
        )
        return Judged(event=event, weighted=weight is not None)

    def _answers(self, flow: FlowFacts) -> tuple[bool | None, bool | None]:
        values = flow.values
        if self._bounds is None or not isinstance(values, Values):
            return self._asked(flow)
        lasted = values.duration_ms
        place = None
        if lasted is not None and self._bounds:
            at = bisect_left(self._bounds, lasted)
            place = 2 * at + (at < len(self._bounds) and self._bounds[at] == lasted)
        key = values.kind, place if lasted is not None else -1
        found = self._said.get(key)
        if found is None:
            found = self._said[key] = self._asked(flow)
        return found

    def _asked(self, flow: FlowFacts) -> tuple[bool | None, bool | None]:
        """Whether it counts, and whether it is good, which only a flow is asked that counts."""
        counts = self._valid.holds(flow.values)
        return counts, self._good.holds(flow.values) if counts and flow.ended else None


def _bounds(*expressions: Expression) -> Sequence[float] | None:
    """The numbers that durations are compared with; None where flows of a kind may differ."""
    bounds: set[float] = set()
    for one in expressions:
        if "flow_id" in one.names:
            return None
        if "duration_ms" in one.names:
            numbers = _COMPARED.findall(one.text)
            if len(numbers) != len(re.findall(r"\bduration_ms\b", one.text)):
                return None
            bounds.update(map(float, numbers))
    return sorted(bounds)
