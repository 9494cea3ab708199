"""Durations and calendar windows."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.slo.duration import calendar_start, parse_duration, short_text

NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds", "months"),
    [
        ("5m", 300, 0),
        ("28d", 2_419_200, 0),
        ("4w", 2_419_200, 0),
        ("1M", 0, 1),
        ("1Q", 0, 3),
        ("2Y", 0, 24),
    ],
)
def test_openslo_durations_are_read(text: str, seconds: int, months: int) -> None:
    span = parse_duration(text)
    assert (span.seconds, span.months) == (seconds, months)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "0d", "1.5h", "5 m", None, 5])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="no duration"):
        parse_duration(text)


def test_a_length_is_written_with_the_largest_unit_that_divides_it() -> None:
    assert [short_text(it * 1_000_000_000) for it in (5, 300, 3_600, 259_200, 3_660)] == [
        "5s",
        "5m",
        "1h",
        "3d",
        "61m",
    ]


def test_a_month_begins_at_local_midnight_also_after_the_clocks_changed() -> None:
    anchor = datetime.fromisoformat("2022-01-01")
    start = calendar_start(anchor, NEW_YORK, parse_duration("1M"), ns("2022-07-15T12:00:00+00:00"))
    assert start == ns("2022-07-01T04:00:00+00:00")
    winter = calendar_start(anchor, NEW_YORK, parse_duration("1M"), ns("2022-12-01T04:59:59+00:00"))
    assert winter == ns("2022-11-01T04:00:00+00:00")


def test_a_month_from_the_31st_begins_on_the_last_day_of_a_short_month() -> None:
    anchor = datetime.fromisoformat("2023-01-31")
    start = calendar_start(
        anchor, ZoneInfo("UTC"), parse_duration("1M"), ns("2023-03-15T00:00:00+00:00")
    )
    assert start == ns("2023-02-28T00:00:00+00:00")


@given(
    st.integers(ns("2000-01-01T00:00:00+00:00"), ns("2040-01-01T00:00:00+00:00")),
    st.sampled_from(["1M", "1Q", "1Y", "1w", "1d"]),
)
def test_a_window_begins_before_the_moment_it_holds(at_ns: int, text: str) -> None:
    span = parse_duration(text)
    start = calendar_start(datetime.fromisoformat("2022-01-01"), ZoneInfo("UTC"), span, at_ns)
    assert start <= at_ns
    longest = 366 * 86_400 if span.months else span.seconds
    assert at_ns - start <= longest * 1_000_000_000


def test_a_length_below_a_second_is_not_told_as_none() -> None:
    assert [short_text(it) for it in (69_444_444, 1_500_000_000)] == ["69ms", "1500ms"]
