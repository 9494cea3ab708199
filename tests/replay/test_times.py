"""Moments on the virtual clock keep their bounds around what is usual."""

from hypothesis import given
from hypothesis import strategies as st

from replay.infer.timing import Span3
from replay.times import START, Lapse, Times

widths = st.integers(min_value=0, max_value=10**13)


@given(widths, widths, widths, widths, widths)
def test_a_wait_widens_a_moment_by_no_more_than_itself(
    usual: int, below: int, above: int, less: int, more: int
) -> None:
    """Not by less than the wider of the two, and not by their sum: both are hardly ever extreme."""
    now = Times(usual, usual - below, usual + above)
    later = now.plus(Lapse.of(Span3(less, 0, less + more)))
    assert later.usual == usual + less
    assert max(below, less) <= later.usual - later.low <= below + less
    assert max(above, more) <= later.high - later.usual <= above + more


@given(widths, widths)
def test_after_a_moment_that_is_sure_the_bounds_are_those_of_the_wait(low: int, more: int) -> None:
    later = START.plus(Lapse.of(Span3(low + more, low, low + 3 * more)))
    assert (later.low, later.usual, later.high) == (low, low + more, low + 3 * more)


def test_two_waits_of_three_and_four_are_uncertain_by_five() -> None:
    first, second = Span3(10, 7, 13), Span3(10, 6, 14)
    later = START.plus(Lapse.of(first)).plus(Lapse.of(second))
    assert (later.low, later.usual, later.high) == (15, 20, 25)


def test_what_waits_for_several_waits_for_the_latest_in_each_bound() -> None:
    moments = [Times(5, 1, 6), Times(4, 2, 9), Times(3, 3, 3)]
    assert Times.latest(moments) == Times(5, 3, 9)
    assert Times.latest([]) == START
