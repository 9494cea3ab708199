"""Quantiles by order statistics, with an interval that assumes nothing of the distribution."""

from dataclasses import dataclass
from fractions import Fraction

from analyzer.statistics.intervals import CONFIDENCE

WEIGHT_MIN = 1e-20
"""Terms this much rarer than the likeliest add nothing to a double; their tail is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileRanks:
    """Which of `n` sorted values to read, counted from 1.

    `low` or `high` is None when so few values bound the quantile on that side at no rank.
    """

    rank: int
    low: int | None
    high: int | None


def quantile_ranks(n: int, quantile: Fraction, confidence: float = CONFIDENCE) -> QuantileRanks:
    """The ranks of a quantile and of its interval among `n` sorted values, at least one.

    The number of values below the true quantile is binomial(n, quantile); each side leaves out at
    most half of 1 - confidence (H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., 7.1). The
    estimate is the smallest value that at least that share of the values does not exceed. The cost
    grows with the square root of `n`.
    """
    if n < 1 or not 0 < quantile < 1:
        raise ValueError(f"no quantile {quantile} of {n} values")
    rank = -(-quantile.numerator * n // quantile.denominator)
    first, shares = _binomial(n, quantile)
    tail = (1 - confidence) / 2
    low, below = None, 0.0
    for place, share in enumerate(shares):
        below += share
        if below > tail:
            # fewer than first + place values below the quantile: probability at most the tail
            low = first + place
            break
    high, above = None, 0.0
    for place in range(len(shares) - 1, -1, -1):
        above += shares[place]
        if above > tail:
            high = first + place + 1
            break
    return QuantileRanks(
        rank=rank,
        low=low if low is not None and low >= 1 else None,
        high=high if high is not None and high <= n else None,
    )


def _binomial(n: int, share: Fraction) -> tuple[int, list[float]]:
    """The probabilities of the counts from the first one returned on, tails left out."""
    chance = float(share)
    odds = float(share / (1 - share))
    mode = min(n, int((n + 1) * chance))
    upper, weight = [1.0], 1.0
    for count in range(mode, n):
        weight *= (n - count) / (count + 1) * odds
        if weight < WEIGHT_MIN:
            break
        upper.append(weight)
    lower: list[float] = []
    weight = 1.0
    for count in range(mode, 0, -1):
        weight *= count / (n - count + 1) / odds
        if weight < WEIGHT_MIN:
            break
        lower.append(weight)
    weights = lower[::-1] + upper
    every = sum(sorted(weights))
    return mode - len(lower), [weight / every for weight in weights]
