"""Each formula against numbers worked out by hand, and what must hold of it for any input."""

import hashlib
from math import fsum, isclose, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.oversight.formulae import (
    Bin,
    bin_of,
    brier,
    brier_skill,
    calibration_error,
    chi_squared_fit,
    chi_squared_tail,
    debiased_squared_error,
    decile_edges,
    equal_mass_bins,
    jensen_shannon,
    psi,
)
from analyzer.oversight.resampling import (
    Places,
    bootstrap,
    difference_of_means,
    distance_of_counts,
    sureness,
    with_replacement,
    words,
)

PAIRS = [(0.9, True), (0.9, True), (0.8, False), (0.6, True), (0.6, False)]


def test_the_brier_score_of_five_decisions() -> None:
    """(0.01 + 0.01 + 0.64 + 0.16 + 0.36) / 5 = 0.236; base rate 3/5, so 0.24; skill 1/60."""
    assert brier(PAIRS) == pytest.approx(0.236)
    assert brier_skill(PAIRS) == pytest.approx(1 - 0.236 / 0.24)
    assert brier_skill([(0.9, True), (0.4, True)]) is None


def test_equal_confidences_stay_in_one_bin() -> None:
    """Two bins asked of five: the cut after the second falls between 0.6 and 0.8."""
    bins = equal_mass_bins(PAIRS, 2)
    assert [(it.n, it.accuracy) for it in bins] == [(2, 0.5), (3, pytest.approx(2 / 3))]
    assert bins[0].confidence == pytest.approx(0.6)
    assert bins[1].confidence == pytest.approx(2.6 / 3)
    assert len(equal_mass_bins([(0.5, True)] * 40, 10)) == 1


def test_the_calibration_error_of_two_bins() -> None:
    """2/5 · |0.5 − 0.6| + 3/5 · |2/3 − 2.6/3| = 0.04 + 0.12."""
    assert calibration_error(equal_mass_bins(PAIRS, 2)) == pytest.approx(0.16)


def test_the_debiased_squared_error_takes_off_the_variance_of_the_accuracies() -> None:
    """2/5 · (0.01 − 0.25/1) + 3/5 · (0.04 − (2/9)/2) = −0.096 − 0.042667."""
    found = debiased_squared_error(equal_mass_bins(PAIRS, 2))
    assert found == pytest.approx(0.4 * (0.01 - 0.25) + 0.6 * (0.04 - 1 / 9))
    alone = Bin(n=1, confidence=0.5, accuracy=1.0, low=0.5, high=0.5)
    assert debiased_squared_error([alone, *equal_mass_bins(PAIRS, 2)]) == found


def test_psi_by_hand_with_half_a_count_added_to_each_bin() -> None:
    """Counts 3:1 against 1:3, smoothed to 3.5/5 and 1.5/5: 2 · 0.4 · ln(3.5/1.5)."""
    assert psi([3, 1], [1, 3]) == pytest.approx(0.8 * log(3.5 / 1.5))
    assert psi([5, 5], [5, 5]) == 0
    assert psi([4, 0], [2, 2]) > 0


def test_jensen_shannon_is_0_of_the_like_and_1_of_nothing_in_common() -> None:
    assert jensen_shannon([3, 1], [6, 2]) == 0
    assert jensen_shannon([3, 0], [0, 7]) == 1
    half = jensen_shannon([1, 0], [1, 1])
    assert half == pytest.approx(0.5 * log(1 / 0.75, 2) + 0.25 * log(0.5 / 0.75, 2) + 0.25)


def test_bins_from_the_deciles_of_the_baseline() -> None:
    edges = decile_edges([float(value) for value in range(1, 11)])
    assert edges == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [bin_of(value, edges) for value in (0, 1, 2, 9.5, 99)] == [0, 0, 1, 8, 9]
    assert decile_edges([0.5] * 20) == [0.5]


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"),
    [(3.841459, 1, 0.05), (6.634897, 1, 0.01), (5.991465, 2, 0.05), (18.307038, 10, 0.05)],
)
def test_the_tail_of_chi_squared_agrees_with_the_tables(
    statistic: float, freedom: int, p: float
) -> None:
    assert isclose(chi_squared_tail(statistic, freedom), p, abs_tol=1e-6)


def test_a_split_as_planned_fits_and_another_one_does_not() -> None:
    """60:40 of 100 planned as halves: X² = 4, p = 0.0455."""
    assert chi_squared_fit([50, 50], [0.5, 0.5]) == 1
    assert chi_squared_fit([60, 40], [0.5, 0.5]) == pytest.approx(0.0455003, abs=1e-6)
    assert chi_squared_fit([700, 300], [0.5, 0.5]) < 1e-9


def test_an_interval_by_resampling_is_the_same_every_time_and_holds_the_estimate() -> None:
    values = [float(value % 7) for value in range(60)]

    def mean(places: Places) -> float:
        return fsum(values[at] for at in places) / len(values)

    first, again = bootstrap(values, mean, 200), bootstrap(values, mean, 200)
    assert first == again
    assert sum(values) / 60 in first
    assert 0.3 < first.high - first.low < 1.5


def test_a_difference_of_means_draws_each_side_on_its_own() -> None:
    """Sides without any spread: whatever is drawn, the difference is 5 - 2."""
    found = difference_of_means([5.0] * 3, [2.0] * 40, 99)
    assert (found.low, found.high) == (3, 3)
    spread = difference_of_means([5.0, 6.0, 7.0] * 10, [2.0] * 40, 999)
    assert 3.5 < spread.low < 4 < spread.high < 4.5


def test_drawn_words_are_those_of_the_hash_and_stay_so() -> None:
    stream = hashlib.shake_256(b"seed").digest(48)
    assert words(b"seed", 2, 3).tolist() == [
        [int.from_bytes(stream[8 * at : 8 * at + 8]) for at in range(3 * row, 3 * row + 3)]
        for row in range(2)
    ]


def test_a_moved_sample_has_a_distance_that_chance_does_not_give() -> None:
    moved = distance_of_counts([0] * 40 + [1] * 40, 40, 2, jensen_shannon, 199)
    assert (moved.p_value, moved.low, moved.high) == (1 / 200, 1, 1)
    same = distance_of_counts([at % 2 for at in range(80)], 40, 2, jensen_shannon, 199)
    assert (same.p_value, same.low) == (1, 0)
    assert 0 < same.by_chance < 0.02


def test_the_interval_of_a_distance_has_the_bias_taken_off_twice() -> None:
    """Resamples 3, 4, 5, 6 and 7 of a distance of 4: bias 1, so 3 - 2 and 7 - 2 remain."""
    drawn = [3.0, 4.0, 5.0, 6.0, 7.0]
    sure = sureness(4.0, [1.0] * 99, drawn)
    assert (sure.value, sure.as_counted, sure.low, sure.high) == (3, 4, 1, 5)
    assert (sure.by_chance, sure.p_value) == (1, 0.01)
    assert sureness(4.0, [5.0] * 99, drawn).low == 0


def test_no_drift_is_claimed_of_equal_halves_more_often_than_chance_allows() -> None:
    """60 samples without drift: 0 is in the interval wherever p is above 0.05, so in most.

    The plug-in PSI of 60 decisions in ten bins is beyond 0.25 in nearly all of them.
    """
    claimed = large = 0
    for number in range(60):
        values = [word % 10 for word in words(bytes([number]), 1, 60)[0].tolist()]
        found = distance_of_counts(values, 30, 10, psi, 99)
        claimed += found.low > 0
        large += found.by_chance > 0.25
    assert claimed <= 6
    assert large == 60


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=8), st.integers(1, 1000))
def test_drawn_places_lie_below_their_limit(seed: bytes, limit: int) -> None:
    found = with_replacement(seed, 2, limit)
    assert found.shape == (2, limit)
    assert 0 <= found.min() <= found.max() < limit


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_bins_hold_every_decision_once_and_the_error_is_a_share(
    pairs: list[tuple[float, bool]], bins: int
) -> None:
    found = equal_mass_bins(pairs, bins)
    assert sum(it.n for it in found) == len(pairs)
    assert len(found) <= bins
    assert 0 <= calibration_error(found) <= 1
    assert found == equal_mass_bins(pairs[::-1], bins)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
    st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any),
)
def test_jensen_shannon_lies_in_0_to_1_either_way(one: list[int], two: list[int]) -> None:
    there, back = jensen_shannon(one, two), jensen_shannon(two, one)
    assert there == pytest.approx(back)
    assert 0 <= there <= 1 + 1e-12
