"""An interval around an estimate."""

from dataclasses import dataclass
from math import hypot
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """From `low` to `high`, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def overlaps(self, other: "Interval") -> bool:
        """Whether some value lies in both."""
        return self.low <= other.high and other.low <= self.high


def difference(value: float, around: Interval, base: float, base_around: Interval) -> Interval:
    """The interval of `value - base`, two independent estimates, from the interval of each.

    G. Y. Zou and A. Donner, Statistics in Medicine 27 (2008) 1693-1702: the limits' distances are
    added as squares, so each keeps its own skew.
    """
    below = hypot(value - around.low, base_around.high - base)
    above = hypot(around.high - value, base - base_around.low)
    return Interval(low=value - base - below, high=value - base + above)


def critical_value(confidence: float) -> float:
    """The standard normal deviate that `confidence` of the distribution lies within; 1.96 at 95 %.

    Raises ValueError when `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, this is {confidence}")
    return NormalDist().inv_cdf((1 + confidence) / 2)
