"""Releases against the ones before: what fails, what passes, what there is too little of."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.releases.arms import Arm, ArmCounts, Pair, Tally
from analyzer.releases.compare import Comparison, compare_all
from analyzer.releases.settings import ReleaseSettings

SETTINGS = ReleaseSettings()


def arm(version: str, subject: str = "shop") -> Arm:
    return Arm(kind="flow", subject=subject, version=version, since_ns=0, until_ns=1)


def counts(n: int, failed: int = 0, unsound: int = 0, **more: Any) -> ArmCounts:
    durations = more.pop("durations", {100 + number % 7: n // 7 + 1 for number in range(7)})
    variants: Mapping[str, int] = more.pop("variants", {"a": n})
    return ArmCounts(
        tally=Tally(
            n=n,
            failed_known=n,
            failed=failed,
            unsound_known=n,
            unsound=unsound,
            **more,
        ),
        durations=durations,
        variants=variants,
        examples={name: f"flow-{name}" for name in variants},
    )


def compared(base: ArmCounts, mine: ArmCounts, design: str = "concurrent") -> Comparison:
    pair = Pair(baseline=arm("1"), candidate=arm("2"), design=design)
    (found,) = compare_all([pair], {arm("1"): base, arm("2"): mine}, SETTINGS)
    return found


@pytest.mark.parametrize(
    ("base", "mine", "verdict"),
    [
        (counts(200, 2), counts(200, 2), "pass"),
        (counts(200, 2), counts(200, 40), "fail"),
        (counts(200, 40), counts(200, 2), "pass"),
        (counts(200, 0, 0), counts(200, 0, 30), "fail"),
        (counts(200, 2), counts(19, 10), "insufficient"),
        (counts(5), counts(5), "insufficient"),
        (counts(0), counts(0), "insufficient"),
        (counts(40, 2), counts(40, 4), "insufficient"),
        (counts(200), counts(200, durations={1_000: 200}), "fail"),
        (counts(200), counts(200, durations={50: 200}), "pass"),
        (counts(200), counts(200, unknown_sampling=1), "insufficient"),
    ],
)
def test_a_verdict_needs_evidence_on_either_side(
    base: ArmCounts, mine: ArmCounts, verdict: str
) -> None:
    assert compared(base, mine).verdict.value == verdict


def test_a_difference_that_is_sure_and_small_does_not_fail() -> None:
    """1.0 % against 1.3 % of 100,000 is no chance, and nothing to stop a release for."""
    found = compared(counts(100_000, 1_000), counts(100_000, 1_300))
    failed = found.measures[0]
    assert failed.low is not None and failed.low > 0
    assert found.verdict.value == "pass"


def test_each_number_carries_its_n_and_interval() -> None:
    failed, unsound, latency = compared(counts(200, 2), counts(100, 10)).measures
    assert (failed.baseline, failed.baseline_n, failed.candidate_n) == (0.01, 200, 100)
    assert failed.candidate == 0.1
    assert failed.low is not None and failed.high is not None
    assert failed.low < 0.09 < failed.high
    assert unsound.metric == "unsound"
    assert (latency.metric, latency.unit) == ("latency_p95", "ns")


def test_few_values_have_a_median_and_no_tail() -> None:
    (latency,) = [one for one in compared(counts(40), counts(40)).measures if one.unit == "ns"]
    assert latency.metric == "latency_p50"


def test_one_release_after_the_other_says_that_the_world_may_have_changed() -> None:
    found = compared(counts(200, 2), counts(200, 40), design="sequential")
    assert found.verdict.value == "fail"
    assert found.reason.endswith("so other changes of that time count too")


def test_many_comparisons_do_not_fail_by_chance() -> None:
    """One in a hundred releases as unlucky as this one is expected; of one, it counts."""
    unlucky = counts(200, 15)
    base = counts(200, 3)
    assert compared(base, unlucky).verdict.value == "fail"
    pairs, held = [], {}
    for number in range(100):
        one, other = arm("1", f"s{number}"), arm("2", f"s{number}")
        pairs.append(Pair(baseline=one, candidate=other, design="concurrent"))
        held[one], held[other] = base, unlucky if number == 0 else counts(200, 3)
    assert [one.verdict.value for one in compare_all(pairs, held, SETTINGS)].count("fail") == 0


def test_new_variants_are_told_with_an_example() -> None:
    found = compared(
        counts(200, variants={"a": 200}), counts(200, variants={"a": 150, "b": 40, "c": 10})
    )
    assert [(one.variant, one.n, one.total, one.example_flow_id) for one in found.new_variants] == [
        ("b", 40, 200, "flow-b"),
        ("c", 10, 200, "flow-c"),
    ]
    assert found.new_variants[0].high == pytest.approx(0.0188, abs=1e-4)


@given(
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
)
def test_better_never_fails_and_worse_never_passes_by_much(
    base: tuple[int, int], mine: tuple[int, int]
) -> None:
    (n, failed), (other, worse) = base, mine
    found = compared(counts(n, failed), counts(other, worse)).measures[0]
    if found.verdict.value == "fail":
        assert worse * n > failed * other
    if found.verdict.value == "pass":
        assert worse / other - failed / n <= SETTINGS.share_margin


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"n_min": 1}, "at least 2"),
        ({"share_margin": 1.5}, "between 0 and 1"),
        ({"latency_margin": 0.9}, "more than 1"),
        ({"recovery_window_s": 0}, "at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ReleaseSettings(**values)
