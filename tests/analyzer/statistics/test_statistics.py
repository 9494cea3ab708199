"""Formulae against published examples and against counting by hand."""

from fractions import Fraction
from itertools import product
from math import comb

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.statistics.intervals import Interval, difference
from analyzer.statistics.proportions import newcombe, wilson
from analyzer.statistics.quantiles import quantile_ranks
from analyzer.statistics.ranks import mann_whitney
from analyzer.statistics.tables import benjamini_hochberg, chi_squared, fisher_exact


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_intervals_newcombe_published(
    hits: int, total: int, low: float, high: float
) -> None:
    """Table I, method 3 of Newcombe 1998, Statistics in Medicine 17, 857."""
    found = wilson(hits, total)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((0, 10, 0, 10), -0.2775, 0.2775),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_a_difference_of_shares_has_the_interval_newcombe_published(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Table II, method 10 of Newcombe 1998, Statistics in Medicine 17, 873."""
    found = newcombe(*counts)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_nothing_observed_has_no_interval() -> None:
    assert wilson(0, 0) is None
    assert newcombe(0, 0, 3, 10) is None
    assert newcombe(3, 10, 0, 0) is None


def test_counts_that_are_no_share_are_refused() -> None:
    with pytest.raises(ValueError, match="5 of 4"):
        wilson(5, 4)
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 4, confidence=95)


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_share_lies_in_its_own_interval_and_the_other_side_mirrors_it(
    hits: int, misses: int
) -> None:
    total = hits + misses
    if total == 0:
        return
    found, mirrored = wilson(hits, total), wilson(misses, total)
    assert found is not None and mirrored is not None
    assert hits / total in found
    assert found.low == pytest.approx(1 - mirrored.high, abs=1e-12)


def test_fisher_agrees_with_the_tasted_tea_and_the_convicted_twins() -> None:
    """Fisher 1935 (17 + 17 of 35 tables of 70), and the example of R's `fisher.test`."""
    assert fisher_exact(3, 1, 1, 3) == pytest.approx(34 / 70)
    assert fisher_exact(2, 10, 15, 3) == pytest.approx(0.0005367, abs=5e-8)


@given(st.tuples(*[st.integers(0, 12)] * 4))
def test_fisher_is_the_sum_of_all_tables_no_likelier(cells: tuple[int, int, int, int]) -> None:
    a, b, c, d = cells
    row, column, total = a + b, a + c, a + b + c + d
    ways = {
        cell: comb(row, cell) * comb(total - row, column - cell)
        for cell in range(max(0, row + column - total), min(row, column) + 1)
    }
    expected = sum(way for way in ways.values() if way <= ways[a]) / sum(ways.values())
    assert fisher_exact(*cells) == pytest.approx(expected, abs=1e-12)


def test_fisher_of_large_tables_is_quick_and_near_chi_squared() -> None:
    exact = fisher_exact(50_500, 949_500, 50_000, 950_000)
    assert exact == pytest.approx(chi_squared(50_500, 949_500, 50_000, 950_000), rel=0.02)
    assert fisher_exact(900_000, 100_000, 100_000, 900_000) == 0.0


def test_chi_squared_by_hand_and_without_a_margin() -> None:
    """X2 = 100 (10*20 - 30*40)^2 / (40*60*50*50) = 16.667: p = 4.4557e-5."""
    assert chi_squared(10, 30, 40, 20) == pytest.approx(4.4557e-5, rel=1e-4)
    assert chi_squared(0, 0, 5, 5) is None


def test_benjamini_hochberg_by_hand() -> None:
    """Sorted .005 .01 .03 .04 times 4/1 4/2 4/3 4/4, then the least from the right."""
    assert benjamini_hochberg([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert benjamini_hochberg([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_q_values_keep_the_order_and_are_no_smaller(p_values: list[float]) -> None:
    q_values = benjamini_hochberg(p_values)
    pairs = sorted(zip(p_values, q_values, strict=True))
    assert all(p <= q <= 1 for p, q in pairs)
    assert [q for _, q in pairs] == sorted(q_values)


@pytest.mark.parametrize(
    ("n", "low", "high"), [(5, None, None), (6, 1, 6), (10, 2, 9), (25, 8, 18), (100, 40, 61)]
)
def test_a_median_has_the_ranks_of_the_sign_test(n: int, low: int | None, high: int | None) -> None:
    """The table of nonparametric intervals for a median (sign test), 95 %."""
    ranks = quantile_ranks(n, Fraction(1, 2))
    assert (ranks.low, ranks.high) == (low, high)


@given(st.integers(1, 60), st.sampled_from([Fraction(1, 2), Fraction(95, 100), Fraction(1, 10)]))
def test_the_ranks_cover_the_quantile_as_often_as_promised(n: int, quantile: Fraction) -> None:
    ranks = quantile_ranks(n, quantile)
    miss_below = miss_above = Fraction(0)
    for count in range(n + 1):
        chance = comb(n, count) * quantile**count * (1 - quantile) ** (n - count)
        if ranks.low is not None and count < ranks.low:
            miss_below += chance
        if ranks.high is not None and count >= ranks.high:
            miss_above += chance
    assert miss_below <= Fraction(25, 1000) + Fraction(1, 10**12)
    assert miss_above <= Fraction(25, 1000) + Fraction(1, 10**12)
    assert 1 <= ranks.rank <= n


def test_large_samples_have_ranks_near_the_normal_ones() -> None:
    ranks = quantile_ranks(1_000_000, Fraction(99, 100))
    assert ranks.rank == 990_000
    assert ranks.low is not None and abs(ranks.low - (990_000 - 195)) <= 2
    assert ranks.high is not None and abs(ranks.high - (990_000 + 196)) <= 2


def test_mann_whitney_by_hand() -> None:
    """Hollander and Wolfe 1973, p. 69: U = 35 of 50; z = 9.5 / 8.165 = 1.1635, p = 0.2446."""
    sample = polars.Series([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    base = polars.Series([1.15, 0.88, 0.90, 0.74, 1.21])
    found = mann_whitney(sample, base)
    assert found is not None
    assert found.share_larger == 0.7
    assert found.p_value == pytest.approx(0.2446, abs=1e-4)


def test_equal_samples_and_all_ties_claim_nothing() -> None:
    same = polars.Series([5] * 40)
    found = mann_whitney(same, same)
    assert found is not None
    assert (found.share_larger, found.p_value) == (0.5, 1.0)
    assert mann_whitney(same, same.head(0)) is None


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=20),
    st.lists(st.integers(0, 9), min_size=1, max_size=20),
)
def test_the_share_larger_is_counted_pair_by_pair(sample: list[int], base: list[int]) -> None:
    found = mann_whitney(polars.Series(sample), polars.Series(base))
    back = mann_whitney(polars.Series(base), polars.Series(sample))
    assert found is not None and back is not None
    doubled = sum(2 if mine > other else mine == other for mine, other in product(sample, base))
    assert found.share_larger == doubled / (2 * len(sample) * len(base))
    assert found.p_value == pytest.approx(back.p_value)


def test_the_interval_of_a_difference_adds_the_distances_as_squares() -> None:
    """5 in [2, 9] less 3 in [0, 7]: 2 - √(3² + 4²) and 2 + √(4² + 3²)."""
    found = difference(5, Interval(low=2, high=9), 3, Interval(low=0, high=7))
    assert (found.low, found.high) == (-3, 7)
