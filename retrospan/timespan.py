"""Moments and durations, between what people write and integer nanoseconds."""

import re
from datetime import UTC, datetime, timedelta

from retrospan.text import Words
from store.errors import UsageError

NS_PER_SECOND = 1_000_000_000
UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": NS_PER_SECOND,
    "m": 60 * NS_PER_SECOND,
    "h": 3_600 * NS_PER_SECOND,
    "d": 86_400 * NS_PER_SECOND,
    "w": 604_800 * NS_PER_SECOND,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RELATIVE_PART = re.compile(r"(\d{1,18})(ns|us|ms|s|m|h|d|w)", re.ASCII)
RELATIVE = re.compile(r"(?:\d{1,18}(?:ns|us|ms|s|m|h|d|w))+", re.ASCII)
ABSOLUTE = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def parse_moment(text: str, data_end_ns: int | None, option: str) -> int:
    """Nanoseconds of an RFC 3339 time, or of `2h`: that long before the end of the data."""
    if RELATIVE.fullmatch(text):
        if data_end_ns is None:
            raise UsageError(
                f"{option} {text}: the store has no data, so it has no end to count from"
            )
        return data_end_ns - parse_duration(text)
    match = ABSOLUTE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{option} {text!r} is not a time: write RFC 3339 with a zone (2026-03-04T10:00:00Z), "
            "or a span before the end of the data (90s, 30m, 2h, 1d)"
        )
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a time: {error}") from None
    seconds = (moment - EPOCH) // timedelta(seconds=1)
    return seconds * NS_PER_SECOND + int((fraction or "").ljust(9, "0"))


def parse_duration(text: str) -> int:
    """Nanoseconds of `90s`, `30m`, `1h30m`."""
    return sum(int(count) * UNITS_NS[unit] for count, unit in RELATIVE_PART.findall(text))


def utc(moment_ns: int | None, digits: int = 3) -> Words:
    """`2026-03-04 10:00:00.123`, in UTC; an unrecorded time is a dash."""
    if moment_ns is None:
        return Words("–")
    seconds, rest = divmod(moment_ns, NS_PER_SECOND)
    try:
        text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return Words(f"{moment_ns} ns")
    return Words(f"{text}.{rest:09d}"[: len(text) + 1 + digits] if digits else text)


def rfc3339(moment_ns: int) -> str:
    """`2026-03-04T10:00:00.123456789Z`, without trailing zeros."""
    text = utc(moment_ns, digits=9)
    if text.endswith(" ns"):
        return text
    return text.replace(" ", "T").rstrip("0").rstrip(".") + "Z"


def humane(duration_ns: int | None) -> Words:
    """A duration as people say it; used in tables and reports, never in documents."""
    if duration_ns is None:
        return Words("–")
    sign, size = ("-", -duration_ns) if duration_ns < 0 else ("", duration_ns)
    for limit, unit, divisor in (
        (1_000, "ns", 1),
        (1_000_000, "µs", 1_000),
        (NS_PER_SECOND, "ms", 1_000_000),
        (60 * NS_PER_SECOND, "s", NS_PER_SECOND),
    ):
        if size < limit:
            return Words(f"{sign}{_three_digits(size, divisor)} {unit}")
    seconds = size // NS_PER_SECOND
    if seconds < 3_600:
        return Words(f"{sign}{seconds // 60} min {seconds % 60} s")
    if seconds < 86_400:
        return Words(f"{sign}{seconds // 3_600} h {seconds % 3_600 // 60} min")
    return Words(f"{sign}{seconds // 86_400} d {seconds % 86_400 // 3_600} h")


def _three_digits(size: int, divisor: int) -> str:
    """`size / divisor` with about three digits, by integers so that no rounding differs."""
    whole = size // divisor
    if divisor == 1 or whole >= 100:
        return str(whole)
    tenths = 1 if whole >= 10 else 2
    return f"{whole}.{size % divisor * 10**tenths // divisor:0{tenths}d}"
