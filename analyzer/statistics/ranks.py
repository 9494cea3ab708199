"""Whether the values of one sample tend to be larger than those of another."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erfc, sqrt
from typing import TypeVar

import polars

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dominance:
    """`share_larger` is the chance that a value of the sample exceeds one of the base, ties counted
    half (0.5: neither); `p_value` is two-sided. `n` and `base_n` are the sizes."""

    share_larger: float
    p_value: float
    n: int
    base_n: int


def mann_whitney(sample: polars.Series, base: polars.Series) -> Dominance | None:
    """The test of H. B. Mann and D. R. Whitney (1947) with average ranks for ties.

    Normal approximation with tie and continuity correction, good from about eight values a side.
    In: two columns of numbers without nulls. None when one is empty. The statistic is computed in
    integers; only the last division and root are floating.
    """
    return mann_whitney_counts(_counts(sample), _counts(base))


def mann_whitney_counts(
    sample: Mapping[Number, int], base: Mapping[Number, int]
) -> Dominance | None:
    """The same of samples given as how often each value is in them."""
    n, base_n = sum(sample.values()), sum(base.values())
    if n == 0 or base_n == 0:
        return None
    doubled_u = ties = base_below = 0
    for value in sorted(sample.keys() | base.keys()):
        mine, others = sample.get(value, 0), base.get(value, 0)
        doubled_u += mine * (2 * base_below + others)
        ties += (mine + others) ** 3 - (mine + others)
        base_below += others
    total = n + base_n
    share = doubled_u / (2 * n * base_n)
    # Integers up to here: the variance, times twelve and two sizes.
    scaled = n * base_n * ((total + 1) * total * (total - 1) - ties)
    if scaled == 0:
        return Dominance(share_larger=share, p_value=1.0, n=n, base_n=base_n)
    variance = scaled / (12 * total * (total - 1))
    distance = max(0, abs(doubled_u - n * base_n) - 1) / 2
    p_value = min(1.0, erfc(distance / sqrt(variance) / sqrt(2)))
    return Dominance(share_larger=share, p_value=p_value, n=n, base_n=base_n)


def _counts(values: polars.Series) -> dict[float, int]:
    counted = values.alias("value").value_counts(name="n")
    return dict(zip(counted["value"].to_list(), counted["n"].to_list(), strict=True))
