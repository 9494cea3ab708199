"""Windows are found where flows go bad faster than usual, and nowhere else."""

from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.incidents.find import Judged, find, merged

SECOND_NS = 1_000_000_000


def flows(bad: str, step_s: int = 1) -> list[Judged]:
    """One flow a step: `x` bad, `.` good, `?` unknown, a blank for none."""
    known = {"x": True, ".": False, "?": None}
    return [
        Judged(
            flow_id=f"flow-{number:04}",
            start_ns=number * step_s * SECOND_NS,
            end_ns=(number * step_s + 1) * SECOND_NS,
            bad=known[mark],
        )
        for number, mark in enumerate(bad)
        if mark != " "
    ]


def test_a_burst_is_one_window_with_its_times() -> None:
    (window,) = find("flows a", flows("." * 100 + "x" * 40 + "." * 100))
    assert window.start_ns == 100 * SECOND_NS
    assert window.end_ns == 140 * SECOND_NS
    assert window.start_ns < window.detected_ns <= 110 * SECOND_NS
    assert window.mitigated_ns is not None
    assert abs(window.mitigated_ns - 140 * SECOND_NS) <= 4 * SECOND_NS
    assert window.recovered_ns == 140 * SECOND_NS
    assert window.bad == 40


def test_healthy_flows_and_single_failures_are_no_incident() -> None:
    assert find("flows a", flows("." * 300)) == []
    assert find("flows a", flows(("." * 99 + "x") * 3)) == []


def test_a_share_that_always_fails_is_no_incident() -> None:
    dice = Random(7)
    steady = "".join("x" if dice.random() < 0.3 else "." for _ in range(600))
    assert find("flows a", flows(steady)) == []


def test_what_the_data_does_not_show_is_none() -> None:
    (window,) = find("flows a", flows("." * 100 + "x" * 40))
    assert window.mitigated_ns is None
    assert window.recovered_ns is None


def test_flows_that_stay_bad_now_and_then_have_not_recovered() -> None:
    (window,) = find("flows a", flows("." * 100 + "x" * 40 + "....x" * 30))
    assert window.recovered_ns is None


def test_unknown_flows_count_on_neither_side() -> None:
    assert find("flows a", flows("?" * 300)) == []
    (window,) = find("flows a", flows("." * 100 + "x?" * 20 + "." * 100))
    assert window.bad == 20


def test_a_stricter_budget_finds_what_a_looser_one_lets_pass() -> None:
    slow = flows("." * 200 + "x...." * 20 + "." * 200)
    assert find("slo", slow, Fraction(1, 100))
    assert find("slo", slow, Fraction(1, 2)) == []


def test_windows_that_overlap_are_merged() -> None:
    one = find("a", flows("." * 100 + "x" * 40 + "." * 100))
    two = find("b", flows("." * 110 + "x" * 60 + "." * 70))
    assert [len(group) for group in merged([*two, *one])] == [2]


@settings(max_examples=50, deadline=None)
@given(st.text("x.?", max_size=200), st.randoms(use_true_random=False))
def test_the_order_of_flows_changes_nothing_and_times_are_in_order(bad: str, dice: Random) -> None:
    made = flows(bad)
    found = find("flows a", made)
    dice.shuffle(made)
    assert find("flows a", made) == found
    for window in found:
        assert window.start_ns <= window.detected_ns <= window.end_ns
        assert 0 < window.bad <= window.known
