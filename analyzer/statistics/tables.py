"""Tests of two-by-two tables, and what many such tests may claim together."""

from collections.abc import Sequence
from math import erfc, sqrt

WEIGHT_MIN = 1e-20
"""Terms this much rarer than the likeliest add nothing to a double; their tail is left out."""
EQUAL_WITHIN = 1e-7
"""Tables this close in probability count as equally likely, as R's fisher.test has it."""


def fisher_exact(a: int, b: int, c: int, d: int) -> float:
    """The two-sided p-value of the table [[a, b], [c, d]] with its margins fixed.

    R. A. Fisher 1922: all tables at most as likely as this one, summed. The cost grows with the
    square root of the smallest margin.
    """
    if min(a, b, c, d) < 0:
        raise ValueError(f"a table of counts has no negative cell: {a}, {b}, {c}, {d}")
    row, column, total = a + b, a + c, a + b + c + d
    lowest, highest = max(0, row + column - total), min(row, column)
    mode = min(highest, max(lowest, (row + 1) * (column + 1) // (total + 2)))
    weights = _hypergeometric(row, column, total, mode, lowest, highest)
    observed = weights.get(a)
    if observed is None:
        return 0.0
    limit = observed * (1 + EQUAL_WITHIN)
    every = sum(sorted(weights.values()))
    rare = sum(sorted(weight for weight in weights.values() if weight <= limit))
    return min(1.0, rare / every)


def _hypergeometric(
    row: int, column: int, total: int, mode: int, lowest: int, highest: int
) -> dict[int, float]:
    """How likely each first cell is, relative to the mode, from the mode outwards."""
    weights = {mode: 1.0}
    weight = 1.0
    for cell in range(mode, highest):
        up = (row - cell) * (column - cell)
        weight *= up / ((cell + 1) * (total - row - column + cell + 1))
        if weight < WEIGHT_MIN:
            break
        weights[cell + 1] = weight
    weight = 1.0
    for cell in range(mode, lowest, -1):
        down = cell * (total - row - column + cell)
        weight *= down / ((row - cell + 1) * (column - cell + 1))
        if weight < WEIGHT_MIN:
            break
        weights[cell - 1] = weight
    return weights


def chi_squared(a: int, b: int, c: int, d: int) -> float | None:
    """The p-value of Pearson's test of the table [[a, b], [c, d]], without Yates' correction.

    One degree of freedom, so p = erfc(sqrt(X2 / 2)). None when a margin is empty. For tables whose
    expected counts are all 5 or more (Cochran 1954); below, `fisher_exact`.
    """
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return None
    statistic = (a + b + c + d) * (a * d - b * c) ** 2 / margins
    return erfc(sqrt(statistic / 2))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The q-value of each p-value, in the order given: claims with q at most r have a false
    discovery rate of at most r.

    Y. Benjamini and Y. Hochberg, J. R. Statist. Soc. B 57 (1995) 289-300. `p_values` must hold all
    tests that were made, also those not worth telling.
    """
    count = len(p_values)
    q_values = [1.0] * count
    least = 1.0
    descending = sorted(range(count), key=lambda index: (-p_values[index], index))
    for place, index in enumerate(descending):
        least = min(least, p_values[index] * (count / (count - place)))
        q_values[index] = least
    return q_values
