"""How long answers take, estimated without forgetting those never waited for."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.survival import PPM, answered_by


def test_without_censoring_the_share_is_the_plain_one() -> None:
    waited = answered_by([10, 20, 30, 40], [], 0, 25)
    assert waited is not None
    assert (waited.share_ppm, waited.at_risk, waited.answered) == (500_000, 4, 2)


def test_the_textbook_case_of_censored_times() -> None:
    """Remission of 21 patients under 6-MP (Freireich 1963): S(10) = 0.753, S(23) = 0.448."""
    events = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    lost = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    for limit, left in ((10, 753), (23, 448)):
        waited = answered_by(events, lost, 0, limit)
        assert waited is not None
        assert round((PPM - waited.share_ppm) / 1_000) == left
        assert waited.low_ppm < waited.share_ppm < waited.high_ppm


def test_given_up_calls_make_the_share_larger_than_leaving_them_out_would() -> None:
    waited = answered_by([100, 200, 300], [50, 150, 150], 0, 250)
    assert waited is not None
    assert 500_000 < waited.share_ppm < 1_000_000


def test_nobody_who_lasted_longer_means_no_estimate() -> None:
    assert answered_by([10, 20], [30], 50, 90) is None


def test_a_limit_beyond_all_that_was_seen_leaves_the_upper_end_open() -> None:
    waited = answered_by([10, 20], [30, 30], 0, 90)
    assert waited is not None
    assert waited.beyond
    assert waited.high_ppm == PPM


@given(
    st.lists(st.integers(1, 1_000), max_size=40),
    st.lists(st.integers(1, 1_000), max_size=40),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_the_interval_holds_the_share_and_grows_with_the_limit(
    events: list[int], lost: list[int], after: int, more: int
) -> None:
    near = answered_by(events, lost, after, after + more)
    far = answered_by(events, lost, after, after + 2 * more)
    if near is None or far is None:
        assert near is far
        return
    assert near.share_ppm <= far.share_ppm
    assert near.low_ppm - 20_000 <= near.share_ppm <= near.high_ppm + 20_000


@pytest.mark.parametrize("give_up", [80, 150])
def test_nine_in_ten_intervals_hold_the_true_share(give_up: int) -> None:
    """Exponential waits of mean 100, callers who give up at random: the truth is known."""
    held = 0
    for seed in range(200):
        roll = Random(f"{give_up} {seed}")
        events: list[int] = []
        lost: list[int] = []
        for _ in range(60):
            wait, patience = int(roll.expovariate(0.01)) + 1, int(roll.expovariate(1 / give_up)) + 1
            (events if wait <= patience else lost).append(min(wait, patience))
        waited = answered_by(events, lost, 0, 100)
        assert waited is not None
        held += waited.low_ppm <= 632_121 <= waited.high_ppm
    assert held >= 180, held
