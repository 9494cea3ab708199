"""Numbers of the scorecard: counts, intervals, unknowns, flows behind them."""

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from analyzer.scorecard.metric import Listed, answered, median_of_cases, quantile, share
from analyzer.statistics.proportions import wilson
from tests.analyzer.scorecard.facts import MS, flow


def test_a_share_of_nothing_has_no_value() -> None:
    found = share("error_rate", [answered(flow(1), None)])
    assert (found.value, found.low, found.high, found.n, found.unknown) == (None, None, None, 0, 1)
    assert found.unknown_share == 1


def test_a_share_lists_the_flows_it_counted_and_not_the_unknown() -> None:
    words = [True, False, None, True]
    found = share("error_rate", [answered(flow(at), word) for at, word in enumerate(words)])
    assert found.value == Fraction(2, 3)
    assert (found.n, found.unknown) == (3, 1)
    assert found.flow_ids == ["f000", "f003"]
    interval = wilson(2, 3)
    assert interval is not None and (found.low, found.high) == (interval.low, interval.high)


def test_a_sampled_flow_counts_as_many_and_one_sampled_unknown_is_unknown() -> None:
    found = share(
        "error_rate",
        [
            answered(flow(1, weight=Fraction(9)), True),
            answered(flow(2), False),
            answered(flow(3, weight=None), True),
        ],
    )
    assert found.value == Fraction(9, 10)
    assert (found.n, found.unknown) == (2, 1)


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(1, 16))), st.randoms())
def test_a_share_is_the_same_in_any_order(
    words: list[tuple[bool | None, int]], shuffle: random.Random
) -> None:
    parts = [
        answered(flow(at, weight=Fraction(16, weight)), word)
        for at, (word, weight) in enumerate(words)
    ]
    other = parts.copy()
    shuffle.shuffle(other)
    assert share("error_rate", parts) == share("error_rate", other)


def test_a_quantile_names_the_slower_flows_and_bounds_it_by_order_statistics() -> None:
    values = [(at * MS, flow(at)) for at in range(1, 101)]
    found = quantile("latency_p95", Fraction(95, 100), values, 3)
    assert (found.value, found.n, found.unknown) == (95 * MS, 100, 3)
    assert found.flow_ids == ["f100", "f099", "f098", "f097", "f096"]
    assert isinstance(found.low, int) and found.low < 95 * MS
    assert found.high is not None and found.high > 95 * MS


def test_few_values_bound_a_high_quantile_from_below_only() -> None:
    found = quantile("latency_p99", Fraction(99, 100), [(MS, flow(1)), (2 * MS, flow(2))], 0)
    assert (found.value, found.low, found.high) == (2 * MS, 2 * MS, None)


def test_a_weighted_quantile_follows_the_weight_and_claims_no_interval() -> None:
    values = [(MS, flow(1, weight=Fraction(99))), (5 * MS, flow(2))]
    found = quantile("latency_p95", Fraction(95, 100), values, 0)
    assert (found.value, found.low, found.high, found.n) == (MS, None, None, 2)


def test_a_median_lists_every_case_and_counts_what_is_not_known() -> None:
    cases = [Listed(name="a", value=7), Listed(name="b", value=None), Listed(name="c", value=3)]
    found = median_of_cases("time_to_recover", cases)
    assert (found.value, found.n, found.unknown) == (3, 2, 1)
    assert found.cases == cases
