"""Whether two samples of numbers come from one distribution, and where they differ most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Final

SAMPLE_MIN: Final = 8
"""Below, the approximation says little and so nothing is said."""
TERMS_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The largest distance of the two distribution functions, just above `threshold`; `above` and
    `base_above` count the values greater than it."""

    threshold: float
    above: int
    base_above: int
    p_value: float


def kolmogorov_smirnov(sample: Sequence[float], base: Sequence[float]) -> Gap | None:
    """The two-sample test of N. Smirnov (1939); None when a sample is too small.

    The distance is found in integers; the p-value is the limit distribution with the correction
    of M. A. Stephens (J. R. Statist. Soc. B 32, 1970), on the safe side where values are tied.
    """
    n, base_n = len(sample), len(base)
    if n < SAMPLE_MIN or base_n < SAMPLE_MIN:
        return None
    left, right = sorted(sample), sorted(base)
    best, place, at, base_at = -1, (0.0, 0, 0), 0, 0
    while at < n or base_at < base_n:
        value = min(it[k] for it, k in ((left, at), (right, base_at)) if k < len(it))
        while at < n and left[at] <= value:
            at += 1
        while base_at < base_n and right[base_at] <= value:
            base_at += 1
        distance = abs(at * base_n - base_at * n)
        if distance > best:
            best, place = distance, (value, n - at, base_n - base_at)
    root = sqrt(n * base_n / (n + base_n))
    return Gap(
        threshold=place[0],
        above=place[1],
        base_above=place[2],
        p_value=_tail((root + 0.12 + 0.11 / root) * (best / (n * base_n))),
    )


def _tail(distance: float) -> float:
    """Kolmogorov's limit: the chance of a distance at least this large."""
    if distance < 0.2:
        return 1.0
    total = 0.0
    for term in range(1, TERMS_MAX + 1):
        share = 2 * (-1) ** (term - 1) * exp(-2 * term * term * distance * distance)
        total += share
        if abs(share) < 1e-18:
            break
    return min(1.0, max(0.0, total))
