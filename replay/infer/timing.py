"""Waiting times as intervals: a median, and bounds wider than anything seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from statistics import median

MILLISECOND = 1_000_000
# In which numbers state times.
UNITS_NS = (1_000_000, 1_000_000_000, 1_000, 60_000_000_000, 1)
# What fewer cases show is no rule.
CASES_MIN = 8
# No scheduler is quieter than this, however few recordings say so.
JITTER_FLOOR_NS = 500_000

# A single wait so much longer than all others is left out, where there are others enough.
OUTLIER_COUNT_MIN = 50
OUTLIER_FACTOR = 3


@dataclass(frozen=True, slots=True)
class Span3:
    """A duration in nanoseconds: what is usual, and the bounds it stays within."""

    usual: int
    low: int
    high: int
    count: int = 0

    def scaled(self, factor: int) -> "Span3":
        """Multiply by a whole number."""
        return Span3(self.usual * factor, self.low * factor, self.high * factor, self.count)


ZERO = Span3(0, 0, 0)


def spread(values: Sequence[int], floor_ns: int = JITTER_FLOOR_NS) -> Span3:
    """Summarise waits; the seen range is widened, more so when few were seen."""
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return ZERO
    if count >= OUTLIER_COUNT_MIN and ordered[-1] > OUTLIER_FACTOR * max(ordered[-2], floor_ns):
        ordered.pop()  # one pause of the machine is no property of the program
    middle = ordered[count // 2]
    # Whole-number arithmetic: 1.25 + 6/n as (5n + 24) / 4n.
    below = (middle - ordered[0]) * (5 * count + 24) // (4 * count)
    above = (ordered[-1] - middle) * (5 * count + 24) // (4 * count)
    if count < 8:
        below = max(below, middle * 3 // 10)
        above = max(above, middle * 4 // 10, 4 * floor_ns)
    return Span3(middle, max(0, middle - below - floor_ns), middle + above + floor_ns, count)


def paused(span: Span3, pause_ns: int) -> Span3:
    """Allow for a pause, which hardly ever comes where the wait is long anyway."""
    above = span.high - span.usual
    return Span3(span.usual, span.low, span.usual + isqrt(above**2 + pause_ns**2), span.count)


def quantile(values: Sequence[int], permille: int) -> int:
    """Give an order statistic; the value at that share of the way through."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) * permille // 1000]


def loose(values: Sequence[int], think_ns: int) -> bool:
    """Say that a wait varies too much to be a wait for what we think it waits for."""
    if len(values) < 8:
        return False
    low, middle, high = (quantile(values, at) for at in (100, 500, 900))
    return high - low > max(15 * think_ns, middle * 15 // 100, 4 * JITTER_FLOOR_NS)


def middle_of(values: Sequence[int]) -> int:
    """Median as a whole number."""
    return int(median(values))
