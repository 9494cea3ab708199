"""Good and valid events in time, counted over any window in logarithmic time.

Weights are exact: sampled flows count as the fraction they stand for, over one common denominator,
so that every sum is a sum of integers.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from math import lcm

from analyzer.facts import FlowFacts
from analyzer.slo.judging import Event, Judge, Judged
from analyzer.slo.model import Slo
from store.errors import InvariantError

DENOMINATOR_MAX = 1 << 56
"""W3C thresholds are 56 bits; a denominator beyond that is no sampling weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Weighted counts; `flows` and `unknown` are unweighted. `valid` are the good and the bad."""

    good: Fraction
    valid: Fraction
    flows: int
    unknown: int

    @property
    def ratio(self) -> Fraction | None:
        """Good of valid; None without any."""
        return self.good / self.valid if self.valid else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The events of an SLO by time. `open_flows` have not ended; `unweighted` have no weight.

    The sums have one entry more than there are events. `sliced` keeps what `slices_of` made.
    """

    events: Sequence[Event]
    open_flows: int
    unweighted: int
    unit: int
    times: Sequence[int]
    good: Sequence[int]
    valid: Sequence[int]
    known: Sequence[int]
    bad: Sequence[int]
    sliced: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    def counts(self, since_ns: int, until_ns: int) -> Counts:
        """What happened in [since, until)."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        known = self.known[last] - self.known[first]
        return Counts(
            good=Fraction(self.good[last] - self.good[first], self.unit),
            valid=Fraction(self.valid[last] - self.valid[first], self.unit),
            flows=known,
            unknown=last - first - known,
        )

    def loses(self, since_ns: int, until_ns: int, share: Fraction) -> bool:
        """Whether at least this share of what is valid in [since, until) was not good."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        valid = self.valid[last] - self.valid[first]
        good = self.good[last] - self.good[first]
        return valid > 0 and (valid - good) * share.denominator >= share.numerator * valid

    def bad_flows(self, since_ns: int, until_ns: int) -> int:
        """How many flows were bad in [since, until), however many each stands for."""
        first, last = bisect_left(self.times, since_ns), bisect_left(self.times, until_ns)
        return self.bad[last] - self.bad[first]

    def between(self, since_ns: int, until_ns: int) -> Sequence[Event]:
        """The events in [since, until)."""
        return self.events[bisect_left(self.times, since_ns) : bisect_left(self.times, until_ns)]


def timeline(slo: Slo, flows: Iterable[FlowFacts]) -> Timeline:
    """The flows an SLO counts, judged. Flows whose validity is unknown count as unknown."""
    judge = Judge(slo)
    return timeline_of(one for flow in flows if (one := judge(flow)) is not None)


def timeline_of(judged: Iterable[Judged]) -> Timeline:
    """The timeline of flows that were judged."""
    events = []
    open_flows = unweighted = 0
    for one in judged:
        if one.event is None:
            open_flows += 1
        else:
            unweighted += not one.weighted
            events.append(one.event)
    return summed(events, open_flows, unweighted)


def summed(events: Iterable[Event], open_flows: int = 0, unweighted: int = 0) -> Timeline:
    """A timeline of these events."""
    ordered = sorted(events, key=lambda event: (event.at_ns, event.flow_id))
    unit = lcm(*{event.weight.denominator for event in ordered})
    if unit > DENOMINATOR_MAX:
        raise InvariantError("sampling weights have no common denominator of 56 bits")
    parts = {id(event.weight): event.weight for event in ordered}
    whole = {key: int(weight * unit) for key, weight in parts.items()}
    weights = [whole[id(event.weight)] for event in ordered]
    pairs = list(zip(ordered, weights, strict=True))
    return Timeline(
        events=ordered,
        open_flows=open_flows,
        unweighted=unweighted,
        unit=unit,
        times=[event.at_ns for event in ordered],
        good=_sums(weight if event.good else 0 for event, weight in pairs),
        valid=_sums(weight if event.good is not None else 0 for event, weight in pairs),
        known=_sums(event.good is not None for event in ordered),
        bad=_sums(event.good is False for event in ordered),
    )


def _sums(values: Iterable[int]) -> list[int]:
    return list(accumulate(values, initial=0))
