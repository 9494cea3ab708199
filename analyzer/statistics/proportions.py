"""How sure a share is, and a difference of two shares."""

from math import sqrt

from analyzer.statistics.intervals import CONFIDENCE, Interval, critical_value, difference


def wilson(hits: int, total: int, confidence: float = CONFIDENCE) -> Interval | None:
    """The Wilson score interval of `hits` out of `total`; None of nothing.

    E. B. Wilson 1927; method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872.
    """
    _check(hits, total)
    if total == 0:
        return None
    z = critical_value(confidence)
    centre = 2 * hits + z * z
    spread = z * sqrt(z * z + 4 * hits * (total - hits) / total)
    below = 2 * (total + z * z)
    return Interval(
        low=0.0 if hits == 0 else max(0.0, (centre - spread) / below),
        high=1.0 if hits == total else min(1.0, (centre + spread) / below),
    )


def newcombe(
    hits: int, total: int, base_hits: int, base_total: int, confidence: float = CONFIDENCE
) -> Interval | None:
    """The interval of the difference `hits/total - base_hits/base_total`; None when one is empty.

    Method 10 (Wilson scores, no continuity correction) of R. G. Newcombe, Statistics in Medicine
    17 (1998) 873-890.
    """
    first, second = wilson(hits, total, confidence), wilson(base_hits, base_total, confidence)
    if first is None or second is None:
        return None
    found = difference(hits / total, first, base_hits / base_total, second)
    return Interval(low=max(-1.0, found.low), high=min(1.0, found.high))


def _check(hits: int, total: int) -> None:
    if not 0 <= hits <= total:
        raise ValueError(f"{hits} of {total} is no share")
