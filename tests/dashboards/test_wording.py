"""Times, durations, shares and recorded texts as pages write them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.markup import chip, facts, heading, line, notes
from dashboards.wording import (
    amount_text,
    body_text,
    clean,
    duration_text,
    markdown_safe,
    share_text,
    time_text,
)
from store.model import AttributeValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(-60_000_000_000, 250_000_000_000))
def test_times_read_as_the_calendar_says(second: int) -> None:
    expected = (EPOCH + timedelta(seconds=second)).strftime("%m-%d %H:%M:%S UTC")
    assert time_text(second * 10**9, digits=0).endswith(expected)


def test_a_time_keeps_as_many_digits_as_asked() -> None:
    assert time_text(1_793_700_000_123_456_789) == "2026-11-03 10:00:00.123 UTC"
    assert time_text(1_793_700_000_123_456_789, digits=9) == "2026-11-03 10:00:00.123456789 UTC"
    assert time_text(None) == "–"


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0 ns"),
        (1_500, "2 µs"),
        (1_500_000, "1.5 ms"),
        (2_000_000_000, "2 s"),
        (90_000_000_000, "1.5 min"),
        (-1_000_000, "−1 ms"),
        (None, "–"),
    ],
)
def test_durations_carry_the_unit_that_reads_best(duration_ns: int | None, text: str) -> None:
    assert duration_text(duration_ns) == text


def test_no_share_is_a_hundred_percent_unless_it_is_and_none_without_data() -> None:
    assert share_text(99_999, 100_000) == "99.9 %"
    assert share_text(100_000, 100_000) == "100 %"
    assert share_text(0, 0) == "–"
    assert share_text(0, 5) == "0 %"


def test_amounts_lose_the_zeros_a_column_adds_and_say_when_a_currency_is_missing() -> None:
    assert amount_text(Decimal("1200.500000000"), "EUR") == "1,200.5 EUR"
    assert amount_text(Decimal("100.000000000"), None) == "100 (no currency)"


@given(st.text())
def test_pieces_of_html_hold_no_tag_that_was_recorded(text: str) -> None:
    hostile = f"<script>{text}<img src=x onerror='a'>"
    for piece in (
        chip(hostile, title=hostile),
        facts([(hostile, hostile)]),
        heading(hostile, above=hostile),
        notes([hostile]),
        line([hostile]),
    ):
        assert "<script" not in piece
        assert "<img" not in piece


def test_recorded_markdown_shows_as_it_is() -> None:
    safe = markdown_safe("[a](http://x) :skull: **b** `c`\n# d")
    assert "\\[a\\]\\(http" in safe
    assert "\n" not in safe
    assert ":skull:" not in safe


def test_characters_that_reorder_or_hide_text_are_replaced() -> None:
    assert clean("pay\u202eer\x1b[0m") == "pay�er�[0m"


def test_a_long_body_is_cut_and_says_how_much_is_missing() -> None:
    assert body_text("x" * 30_000).endswith("… 10,000 more characters")
    recorded: AttributeValue = {"b": b"\x01"}
    assert body_text(recorded) == '{\n  "b": "0x01"\n}'
