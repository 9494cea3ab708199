"""Rollbacks: found where a version was taken back, not where one followed another."""

from collections.abc import Mapping, Sequence

import polars

from analyzer.releases.arms import Thing, pairs_of, things_of
from analyzer.releases.rollbacks import Rollback, rollbacks_of, with_meanwhile
from analyzer.releases.settings import ReleaseSettings

SETTINGS = ReleaseSettings()
SLICE_NS = 1_000_000_000


def thing(
    versions: Mapping[str, Sequence[tuple[int, int, int, int]]], subject: str = "shop"
) -> Thing:
    """By version runs of (first slice, last slice, units a slice, failed a slice)."""
    rows = [
        {
            "kind": "flow",
            "subject": subject,
            "version": version,
            "begin_ns": 0,
            "slice_ns": SLICE_NS,
            "slice": number,
            "n": n,
            "failed_known": n,
            "failed": failed,
            "unsound_known": 0,
            "unsound": 0,
            "unknown_sampling": 0,
            "first_ns": number * SLICE_NS,
            "last_ns": number * SLICE_NS + 5,
        }
        for version, runs in versions.items()
        for first, last, n, failed in runs
        for number in range(first, last + 1)
    ]
    (found,) = things_of(polars.DataFrame(rows))
    return found


def found(versions: Mapping[str, Sequence[tuple[int, int, int, int]]]) -> list[Rollback]:
    return rollbacks_of(thing(versions), SETTINGS)


def test_a_version_taken_back_after_it_had_replaced_the_other_is_a_rollback() -> None:
    (one,) = found({"1": [(0, 40, 5, 0), (81, 150, 5, 0)], "2": [(41, 80, 5, 3)]})
    assert (one.withdrawn.version, one.back_to, one.sort) == ("2", "1", "rollback")
    assert (one.restored, one.successful) == ("yes", "yes")
    (failed,) = one.recoveries
    assert (failed.before, failed.during, failed.after) == (0.0, 0.6, 0.0)
    assert one.back_ns == 81 * SLICE_NS


def test_a_canary_that_is_withdrawn_is_told_as_such() -> None:
    (one,) = found({"1": [(0, 150, 9, 0)], "2": [(41, 80, 1, 1)]})
    assert (one.withdrawn.version, one.sort) == ("2", "canary_withdrawn")


def test_a_rollback_that_does_not_help_is_told() -> None:
    (one,) = found({"1": [(0, 40, 5, 0), (81, 150, 5, 3)], "2": [(41, 80, 5, 3)]})
    assert (one.restored, one.successful, one.back_ns) == ("no", "no", None)


def test_a_share_that_comes_back_late_says_when_and_what_else_was_new() -> None:
    (one,) = found({
        "1": [(0, 40, 5, 0), (81, 100, 5, 3), (101, 190, 5, 0)],
        "2": [(41, 80, 5, 3)],
    })  # fmt: skip
    assert one.restored == "yes"
    assert one.back_ns is not None and 95 * SLICE_NS < one.back_ns <= 101 * SLICE_NS
    alone = with_meanwhile(one, [thing({"1": [(0, 190, 5, 0)]}, "other")])
    assert (alone.restored, alone.meanwhile) == ("yes", ())
    other = thing({"7": [(0, 89, 5, 0)], "8": [(90, 190, 5, 0)]}, "other")
    doubted = with_meanwhile(one, [other])
    assert (doubted.restored, doubted.successful) == ("insufficient", "insufficient")
    assert doubted.meanwhile == ("flow other 8",)


def test_going_forward_is_no_rollback() -> None:
    assert found({"1": [(0, 40, 5, 0)], "2": [(41, 80, 5, 3)], "3": [(81, 150, 5, 0)]}) == []


def test_a_newer_version_that_replaces_a_canary_is_no_rollback() -> None:
    versions = {"1": [(0, 150, 5, 0)], "2": [(41, 80, 5, 3)], "3": [(81, 150, 5, 0)]}
    assert found(versions) == []


def test_a_version_that_runs_to_the_end_was_not_taken_back() -> None:
    assert found({"1": [(0, 100, 5, 0)], "2": [(41, 150, 5, 0)]}) == []
    assert found({"1": [(0, 150, 5, 0)], "2": [(41, 149, 5, 0)]}) == []


def test_a_rare_version_that_is_absent_for_a_while_was_not_taken_back() -> None:
    """One unit in twenty, every fourth slice: its absence from three slices is chance."""
    canary = [(number, number, 1, 0) for number in range(41, 150, 4)]
    assert found({"1": [(0, 150, 5, 0)], "2": canary}) == []


def test_too_few_units_afterwards_leave_it_open() -> None:
    assert found({"1": [(0, 40, 5, 0), (81, 81, 5, 0)], "2": [(41, 80, 5, 3)]}) == []


def test_a_version_deployed_again_was_taken_back_before() -> None:
    told = found({
        "1": [(0, 40, 5, 0), (81, 120, 5, 0)],
        "2": [(41, 80, 5, 3), (121, 160, 5, 0)],
    })  # fmt: skip
    assert [(one.withdrawn.version, one.at_ns < 90 * SLICE_NS) for one in told] == [("2", True)]


def test_versions_are_compared_side_by_side_only_while_they_were() -> None:
    """The old version's time after the rollback is no time of both."""
    one = thing({"1": [(0, 60, 5, 0), (101, 150, 5, 0)], "2": [(41, 100, 5, 3)]})
    together, after = pairs_of(one)
    assert (together.design, after.design) == ("concurrent", "sequential")
    assert together.baseline.since_ns == 41 * SLICE_NS
    assert together.baseline.until_ns == 61 * SLICE_NS
    assert after.baseline.until_ns == 41 * SLICE_NS
    assert after.candidate.since_ns == 41 * SLICE_NS
