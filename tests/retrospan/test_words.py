"""Times, durations, shares and text take one form, and invert where they can."""

import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrospan.canonical import canonical, digest, pretty
from retrospan.programs import interval_ppm
from retrospan.report.numbers import of, share
from retrospan.text import Words, csv_cell, markdown_code, visible
from retrospan.timespan import humane, parse_moment, rfc3339, utc

HIDDEN = set("\u200b\u200e\u202a\u202e\u2028\u2029\u2066\ufeff\ud800")
LAST_NS = 253_402_300_799 * 10**9  # the end of the year 9999


@given(st.integers(min_value=-(10**18), max_value=LAST_NS))
def test_a_time_survives_being_written_and_read(moment_ns: int) -> None:
    assert parse_moment(rfc3339(moment_ns), None, "--since") == moment_ns


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", 10**18 - 90 * 10**9),
        ("1h30m", 10**18 - 5_400 * 10**9),
        ("0s", 10**18),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01 00:00:00.5z", 500_000_000),
    ],
)
def test_moments_are_read_relative_to_the_end_of_the_data_or_as_written(
    text: str, expected: int
) -> None:
    assert parse_moment(text, 10**18, "--since") == expected


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (None, "–"),
        (0, "0 ns"),
        (1_500, "1.50 µs"),
        (-1_500, "-1.50 µs"),
        (12_345_678, "12.3 ms"),
        (59_999_999_999, "59.9 s"),
        (184 * 10**9, "3 min 4 s"),
        (7_500 * 10**9, "2 h 5 min"),
        (90_000 * 10**9, "1 d 1 h"),
    ],
)
def test_durations_are_humane(duration_ns: int | None, text: str) -> None:
    assert humane(duration_ns) == text


@given(st.integers())
def test_any_integer_can_be_shown_as_a_time(moment_ns: int) -> None:
    assert utc(moment_ns)


def test_a_share_of_nothing_is_no_data() -> None:
    assert (share(0, 0), of(0, 0)) == ("no data", "no data (n = 0)")
    assert (share(1, 3), share(2, 3), share(1, 1)) == ("33.3 %", "66.7 %", "100.0 %")


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share(pair: tuple[int, int]) -> None:
    count, total = pair
    low, high = interval_ppm(count, total)
    assert 0 <= low <= count * 1_000_000 // total <= high <= 1_000_000


@given(st.text())
def test_visible_text_moves_no_terminal(text: str) -> None:
    shown = visible(text)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)
    assert not set(shown) & HIDDEN
    assert visible(shown) == shown


@given(st.text(min_size=1))
def test_a_spreadsheet_cell_never_starts_a_formula(text: str) -> None:
    cell = csv_cell(text)
    parsed = next(csv.reader(io.StringIO(_line(cell))))[0]
    assert parsed == cell
    if cell[0] in "+-":
        assert math.isfinite(float(cell))
    assert cell[0] not in "=@\t\r"


def _line(cell: str) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerow([cell])
    return stream.getvalue()


@given(st.text(min_size=1))
def test_a_code_span_closes_only_at_its_own_end(text: str) -> None:
    span = markdown_code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]
    inner = span[len(fence) : -len(fence)]
    assert fence not in inner.replace(fence + "`", "") or fence == ""
    assert "\n" not in span


def test_words_lose_their_trust_when_touched() -> None:
    assert type(Words("a") + "b") is str
    assert type(f"{Words('a')}") is str
    assert type(Words("{}").format("<b>")) is str


def test_documents_hold_only_valid_json_and_digests_follow_the_content() -> None:
    odd = {"b": [float("nan"), float("inf")], "a": "é\x1b"}
    assert json.loads(pretty({"x": [float("nan")]}), parse_constant=pytest.fail) == {"x": ["nan"]}
    assert canonical(odd) == '{"a":"é\\u001b","b":["nan","inf"]}'
    assert digest(odd) == digest(dict(reversed(odd.items()))) != digest({"a": 1})
