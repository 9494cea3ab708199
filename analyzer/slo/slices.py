"""Slices of time with data, summed so that a window of any length costs the same.

Slices begin at multiples of their length. Slices without data are none; a window that begins or
ends inside a slice sees only its part of it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from analyzer.slo.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Whole slices by number; `counted` and `good` are sums up to each, one more than slices.

    `good` counts slices whose ratio is at least `wanted`, or adds up ratios where that is None.
    """

    length_ns: int
    wanted: Fraction | None
    numbers: Sequence[int]
    counted: Sequence[int]
    good: Sequence[Fraction | int]

    def over(self, line: Timeline, since_ns: int, until_ns: int) -> tuple[Fraction, int]:
        """Good slices (or the sum of ratios) and slices with known events in [since, until)."""
        first, last = -(-since_ns // self.length_ns), until_ns // self.length_ns
        if first >= last:  # no slice lies in it as a whole
            middle = min(max(last * self.length_ns, since_ns), until_ns)
            parts = [(since_ns, middle), (middle, until_ns)]
            good, counted = Fraction(0), 0
        else:
            parts = [(since_ns, first * self.length_ns), (last * self.length_ns, until_ns)]
            low, high = bisect_left(self.numbers, first), bisect_left(self.numbers, last)
            good = Fraction(self.good[high] - self.good[low])
            counted = self.counted[high] - self.counted[low]
        for start_ns, end_ns in parts:
            ratio = line.counts(start_ns, end_ns).ratio if start_ns < end_ns else None
            if ratio is not None:
                good += _worth(ratio, self.wanted)
                counted += 1
        return good, counted


def slices_of(line: Timeline, length_ns: int, wanted: Fraction | None) -> Slices:
    """The slices of a timeline; made once for each length and target."""
    key = (length_ns, wanted)
    found = line.sliced.get(key)
    if not isinstance(found, Slices):
        found = line.sliced[key] = _slices(line, length_ns, wanted)
    return found


def _slices(line: Timeline, length_ns: int, wanted: Fraction | None) -> Slices:
    numbers = list(dict.fromkeys(at_ns // length_ns for at_ns in line.times))
    ratios = [line.counts(one * length_ns, (one + 1) * length_ns).ratio for one in numbers]
    worths = [0 if ratio is None else _worth(ratio, wanted) for ratio in ratios]
    return Slices(
        length_ns=length_ns,
        wanted=wanted,
        numbers=numbers,
        counted=list(accumulate((ratio is not None for ratio in ratios), initial=0)),
        good=list(accumulate(worths, initial=0)),
    )


def _worth(ratio: Fraction, wanted: Fraction | None) -> Fraction | int:
    return ratio if wanted is None else int(ratio >= wanted)
