"""Contrast finds what was planted, finds nothing in chance, and counts what it looked at."""

import random
from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.contrast import ContrastSettings, Difference, contrast
from analyzer.contrast.facts import Attribute, Facts
from analyzer.contrast.kolmogorov import kolmogorov_smirnov

N = 200
HALF = N // 2


def attribute(name: str, source: str = "span") -> Attribute:
    return Attribute(source=source, service="s", name=name)


def mask(places: list[int]) -> int:
    return sum(1 << place for place in places)


def facts(
    values: dict[tuple[str, str], int], numbers: dict[str, dict[int, float]] | None = None
) -> Facts:
    known: dict[Attribute, int] = {}
    for (name, _), bearers in values.items():
        known[attribute(name)] = known.get(attribute(name), 0) | bearers
    for name, found in (numbers or {}).items():
        known[attribute(name)] = mask(list(found))
    return Facts(
        flows=N,
        values={(attribute(name), value): bearers for (name, value), bearers in values.items()},
        numbers={attribute(name): found for name, found in (numbers or {}).items()},
        known=known,
    )


def said(differences: list[Difference]) -> list[str]:
    return [
        " & ".join(f"{term.attribute.name}={term.value}" for term in one.terms)
        for one in differences
    ]


def noise(seed: int, names: int = 100) -> dict[tuple[str, str], int]:
    chance = random.Random(seed)
    return {
        (f"noise{index}", "x"): mask([place for place in range(N) if chance.random() < 0.3])
        for index in range(names)
    }


def test_a_planted_value_is_found_among_noise_with_its_counts() -> None:
    bearers = mask([*range(80), *range(HALF, HALF + 10)])
    found = contrast(facts({**noise(4), ("version", "2.4"): bearers}), HALF)
    (one,) = found.differences
    assert said([one]) == ["version=2.4"]
    assert (one.selected, one.baseline, one.lift) == (80, 10, 8.0)
    assert (one.share_selected, isclose(one.precision, 80 / 90)) == (0.8, True)
    assert one.difference is not None
    assert 0.5 < one.difference.low < 0.7 < one.difference.high
    assert found.tested == 101


def test_a_planted_number_is_found_with_the_value_that_separates() -> None:
    numbers = {place: float(place % HALF + (60 if place < HALF else 0)) for place in range(N)}
    (one,) = contrast(facts(noise(2), {"latency": numbers}), HALF).differences
    assert said([one]) == ["latency=> 59"]
    assert one.more


def test_facts_of_the_same_flows_are_one_difference_with_twins() -> None:
    bearers = mask(list(range(90)))
    everything = (1 << N) - 1
    values = {
        ("version", "2"): bearers,
        ("policy", "7"): bearers ^ 1,
        ("version", "1"): everything & ~bearers,
    }
    (one,) = contrast(facts(values), HALF).differences
    assert [(same, term.attribute.name, term.value) for same, term in one.twins] == [
        (False, "version", "1"),
        (True, "policy", "7"),
    ]


def test_two_values_that_matter_only_together_are_told_as_a_pair() -> None:
    both = [*range(60)]
    one = mask([*both, *range(60, 70), *range(HALF, HALF + 35)])
    other = mask([*both, *range(70, 80), *range(HALF + 35, HALF + 70)])
    found = contrast(facts({("a", "x"): one, ("b", "y"): other}), HALF).differences
    assert said(list(found))[0] == "a=x & b=y"
    assert (found[0].selected, found[0].baseline) == (60, 0)


def test_a_value_beside_a_true_cause_makes_no_pair() -> None:
    cause = mask([*range(80)])
    chance = random.Random(5)
    beside = cause & mask([place for place in range(N) if chance.random() < 0.7])
    found = contrast(facts({("cause", "x"): cause, ("beside", "y"): beside}), HALF)
    assert all(len(one.terms) == 1 for one in found.differences)


def test_a_group_without_flows_gives_no_answer() -> None:
    assert contrast(facts(noise(1)), 0).differences == ()
    assert contrast(facts(noise(1)), N).tested == 0


def test_too_rare_and_too_common_values_are_left_out_and_counted() -> None:
    everything = (1 << N) - 1
    found = contrast(facts({("a", "x"): 1, ("b", "y"): everything, ("c", "z"): 7}), HALF)
    assert (found.tested, found.too_rare) == (1, 2)


def test_flows_that_did_not_record_the_attribute_are_told() -> None:
    known = mask([*range(90), *range(HALF, HALF + 20)])
    made = facts({("a", "x"): mask([*range(80)])})
    made = Facts(flows=N, values=made.values, known={attribute("a"): known})
    (one,) = contrast(made, HALF).differences
    assert (one.known_selected, one.known_baseline) == (90, 20)


def test_chance_alone_is_told_no_more_often_than_the_rate_allows() -> None:
    """Where nothing differs every discovery is false; with 100 tests each, 200 times over, the
    share of runs that tell anything is binomial with a mean of at most 5 %."""
    runs = 200
    wrong = sum(bool(contrast(facts(noise(seed)), HALF).differences) for seed in range(runs))
    assert wrong <= 20  # 10 expected at most; more than 20 has a chance below 0.2 %


@given(st.permutations(list(range(12))))
@settings(max_examples=20, deadline=None)
def test_the_order_in_which_facts_come_changes_nothing(order: list[int]) -> None:
    values = list(noise(3, 12).items())
    values[0] = (("cause", "x"), mask([*range(60)]))
    shuffled = dict(values[place] for place in order)
    assert contrast(facts(shuffled), HALF) == contrast(facts(dict(values)), HALF)


def test_what_is_beyond_the_limit_is_counted_not_told() -> None:
    values = {
        (f"cause{index}", "x"): mask([*range(index, 60 + index), *range(150 + index, 155 + index)])
        for index in range(0, 40, 8)
    }
    settings_of_two = ContrastSettings(compared_max=2)
    found = contrast(facts(values), HALF, settings_of_two)
    assert found.not_told == 3


@pytest.mark.parametrize(
    ("shift", "low", "high"), [(0, 0.9, 1.0), (5, 1e-5, 1.0), (100, 0.0, 1e-12)]
)
def test_the_distance_of_two_samples_is_judged_by_its_size(
    shift: int, low: float, high: float
) -> None:
    gap = kolmogorov_smirnov(
        [float(it + shift) for it in range(60)], [float(it) for it in range(60)]
    )
    assert gap is not None
    assert low <= gap.p_value <= high


def test_the_distance_agrees_with_one_worked_by_hand() -> None:
    """F(4) = 4/8 against G(4) = 8/8: D = 1/2; Stephens' argument 1.0875, tail 0.188."""
    gap = kolmogorov_smirnov([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 2, 2, 3, 3, 4, 4])
    assert gap is not None
    assert (gap.threshold, gap.above, gap.base_above) == (4, 4, 0)
    assert isclose(gap.p_value, 0.1877, abs_tol=1e-4)


def test_too_small_samples_are_not_judged() -> None:
    assert kolmogorov_smirnov([1.0] * 7, [2.0] * 100) is None
