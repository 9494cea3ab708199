"""What must hold of every budget, whatever the events."""

import random
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.slo.budget import alert_state, budget_remaining, burn_rate, sli
from analyzer.slo.ledger import ledger
from analyzer.slo.model import BurnRule, Method
from analyzer.slo.timeline import Event, Timeline, summed
from tests.analyzer.slo.documents import START, S, objective

RULE = BurnRule(severity="page", threshold=Fraction(2), long_ns=60 * S, short_ns=5 * S)
GOAL = objective("0.9", slice_s=7, wanted="0.8")


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Events in any order, with weights as sampling gives them."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, 120), st.sampled_from([True, False, None]), st.integers(1, 16)
            ),
            max_size=40,
        )
    )
    return [
        Event(
            at_ns=START + at * S,
            flow_id=f"f{number}",
            good=word,
            weight=Fraction(16, part),
            kind=number,
        )
        for number, (at, word, part) in enumerate(drawn)
    ]


def slow_slices(line: Timeline, since_ns: int, until_ns: int) -> list[Fraction]:
    """Good of valid of each slice with known events, one after the other."""
    length_ns = GOAL.slice_ns or 1
    numbers = sorted({at_ns // length_ns for at_ns in line.between(since_ns, until_ns)["at_ns"]})
    bounds = [
        (max(since_ns, one * length_ns), min(until_ns, (one + 1) * length_ns)) for one in numbers
    ]
    ratios = [line.counts(start_ns, end_ns).ratio for start_ns, end_ns in bounds]
    return [ratio for ratio in ratios if ratio is not None]


@given(events(), st.integers(-5, 125), st.integers(0, 130))
def test_slices_summed_beforehand_are_those_counted_one_by_one(
    given_events: list[Event], start: int, length: int
) -> None:
    line = summed(given_events)
    since_ns, until_ns = START + start * S, START + (start + length) * S
    ratios = slow_slices(line, since_ns, until_ns)
    met = sli(line, Method.TIMESLICES, GOAL, since_ns, until_ns)
    assert met.valid == len(ratios)
    assert met.good == sum(ratio >= Fraction(8, 10) for ratio in ratios)
    mean = sli(line, Method.RATIO_TIMESLICES, GOAL, since_ns, until_ns)
    assert mean.value == (sum(ratios) / len(ratios) if ratios else None)


@given(events(), st.randoms())
def test_the_order_of_arrival_changes_nothing(
    given_events: list[Event], shuffle: random.Random
) -> None:
    other = given_events.copy()
    shuffle.shuffle(other)
    at_ns = START + 100 * S
    for method in Method:
        first, second = (
            alert_state(summed(them), method, GOAL, RULE, at_ns) for them in (given_events, other)
        )
        assert first == second


@given(events())
def test_what_is_left_and_what_was_spent_make_the_whole_budget(given_events: list[Event]) -> None:
    line = summed(given_events)
    found = sli(line, Method.OCCURRENCES, GOAL, START, START + 200 * S)
    left, burn = budget_remaining(found.value, GOAL), burn_rate(found.value, GOAL)
    if left is None or burn is None:
        assert found.valid == 0
        return
    assert left + burn == 1
    assert (left < 0) == (found.valid - found.good > GOAL.budget * found.valid)


@given(events(), st.integers(2, 9))
def test_weighing_every_flow_the_same_changes_no_share(
    given_events: list[Event], times: int
) -> None:
    heavier = [
        Event(at_ns=it.at_ns, flow_id=it.flow_id, good=it.good, weight=it.weight * times)
        for it in given_events
    ]
    for method in Method:
        one, other = (
            sli(summed(them), method, GOAL, START, START + 200 * S)
            for them in (given_events, heavier)
        )
        assert (one.value, one.flows, one.unknown) == (other.value, other.flows, other.unknown)


@given(events())
def test_a_window_split_in_two_holds_the_same_events(given_events: list[Event]) -> None:
    line = summed(given_events)
    whole, left, right = (
        line.counts(START + low * S, START + high * S)
        for low, high in ((0, 121), (0, 50), (50, 121))
    )
    assert whole.good == left.good + right.good
    assert whole.valid == left.valid + right.valid
    assert whole.unknown == left.unknown + right.unknown


@settings(max_examples=50)
@given(events())
def test_causes_spend_at_most_everything_and_removing_all_leaves_the_budget(
    given_events: list[Event],
) -> None:
    facts = {it.kind: {"version": "1" if it.kind % 3 else "2", "outcome": "failed"}
             for it in given_events}  # fmt: skip
    line = summed(given_events)
    found = ledger(line, line.rows, facts, GOAL)
    assert all(0 <= it.spent <= 1 and it.remaining_without <= 1 for it in found)
    versions = [it.spent for it in found if it.dimension == "version"]
    assert sum(versions) in (0, 1)
    assert all(it.remaining_without == 1 for it in found if it.dimension == "outcome")
