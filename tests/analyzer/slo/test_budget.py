"""Indicators, budgets, burn rates: hand-checked."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.slo.budget import (
    alert_state,
    budget_remaining,
    burn_rate,
    coverage,
    minutes_to_exhaustion,
    sli,
)
from analyzer.slo.model import BurnRule, Method
from analyzer.slo.timeline import Event, summed
from tests.analyzer.slo.documents import START, S, line, objective

RULE = BurnRule(severity="page", threshold=Fraction(10), long_ns=60 * S, short_ns=5 * S)


def test_no_data_is_no_data() -> None:
    found = sli(line(), Method.OCCURRENCES, objective("0.99"), START, START + 60 * S)
    assert found.value is None
    assert budget_remaining(found.value, objective("0.99")) is None
    assert (
        alert_state(line(), Method.OCCURRENCES, objective("0.99"), RULE, START).state == "no_data"
    )


def test_an_unknown_event_is_neither_good_nor_valid_and_is_counted() -> None:
    events = line(True, None, True, False)
    found = sli(events, Method.OCCURRENCES, objective("0.5"), START, START + 4 * S)
    assert (found.good, found.valid) == (Fraction(2), Fraction(3))
    assert (found.flows, found.unknown) == (3, 1)
    assert found.value == Fraction(2, 3)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 2 / 3 < found.high


def test_two_bad_of_a_hundred_at_99_percent_spend_twice_the_budget() -> None:
    events = line(*[True] * 98, False, False)
    found = sli(events, Method.OCCURRENCES, objective("0.99"), START, START + 100 * S)
    assert burn_rate(found.value, objective("0.99")) == 2
    assert budget_remaining(found.value, objective("0.99")) == -1


def test_a_time_slice_is_good_when_enough_of_it_is() -> None:
    """Slices of 10 s from a multiple of 10 s: 9 of 10, 10 of 10, 5 of 10 good, and one empty."""
    words = [True] * 9 + [False] + [True] * 10 + [True, False] * 5
    goal = objective("0.5", slice_s=10, wanted="0.9")
    found = sli(line(*words), Method.TIMESLICES, goal, START, START + 40 * S)
    assert (found.good, found.valid) == (Fraction(2), Fraction(3))
    mean = sli(line(*words), Method.RATIO_TIMESLICES, goal, START, START + 40 * S)
    assert mean.value == (Fraction(9, 10) + 1 + Fraction(1, 2)) / 3


def test_coverage_is_the_share_of_slices_with_data() -> None:
    assert coverage(line(True, True), 720 * S, START, START + 8 * S) == Fraction(2, 8)


def test_a_sampled_flow_counts_as_many_as_it_stands_for() -> None:
    weight = Fraction(16, 3)
    events = summed(
        [
            Event(at_ns=START, flow_id="kept", good=False, weight=weight),
            Event(at_ns=START + 1, flow_id="all", good=True, weight=Fraction(1)),
        ]
    )
    counts = events.counts(START, START + S)
    assert counts.valid == weight + 1
    assert counts.ratio == 1 / (weight + 1)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ([True] * 60, "ok"),
        ([True] * 30 + [False] * 30, "critical"),
        ([False] * 30 + [True] * 30, "recovering"),
        ([True] * 57 + [False] * 3, "increasing"),
        ([False] * 4, "low_traffic"),
    ],
)
def test_the_state_of_an_alert_says_which_windows_burn(words: list[bool], state: str) -> None:
    at_ns = START + len(words) * S
    found = alert_state(line(*words), Method.OCCURRENCES, objective("0.99"), RULE, at_ns)
    assert found.state == state


def test_minutes_to_exhaustion_follow_from_what_is_left_and_the_burn() -> None:
    day_ns = 86_400 * S
    assert minutes_to_exhaustion(Fraction(1, 2), Fraction(10), day_ns) == 72
    assert minutes_to_exhaustion(Fraction(1, 2), Fraction(0), day_ns) is None
    assert minutes_to_exhaustion(Fraction(-1), Fraction(10), day_ns) is None


@given(
    st.lists(st.sampled_from([True, False, None]), max_size=40),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_counts_of_a_window_equal_counting_one_by_one(
    words: list[bool | None], first: int, last: int
) -> None:
    first, last = sorted((first, last))
    counts = line(*words).counts(START + first * S, START + last * S)
    inside = words[first:last]
    assert counts.good == inside.count(True)
    assert counts.valid == inside.count(True) + inside.count(False)
    assert counts.unknown == inside.count(None)


@given(st.permutations(range(6)))
def test_the_order_of_arrival_changes_nothing(order: list[int]) -> None:
    events = [
        Event(at_ns=START, flow_id=f"f{at}", good=at % 2 == 0, weight=Fraction(1, at + 1))
        for at in range(6)
    ]
    one, other = summed(events[at] for at in order), summed(events)
    assert (one, one.events) == (other, other.events)
