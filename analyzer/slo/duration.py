"""Durations and windows of OpenSLO in nanoseconds.

OpenSLO v1 writes `12h`, `4w`, `1M`, `1Q`, `365d`, `1Y` (specification, "DurationShorthand");
seconds are read too. Months, quarters and years have no fixed length: only calendar windows may
have them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NS_PER_S = 1_000_000_000
_SHAPE = re.compile(r"([1-9]\d{0,6})([smhdwMQY])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A duration: a fixed number of seconds, or of calendar months."""

    text: str
    seconds: int = 0
    months: int = 0

    @property
    def fixed_ns(self) -> int:
        """Nanoseconds; a month counts 30 days, as alert windows of a calendar SLO need a length."""
        return (self.seconds + self.months * 30 * 86_400) * NS_PER_S


def parse_duration(text: object) -> Span:
    """A duration such as `28d`. Raises ValueError saying what is read."""
    shape = _SHAPE.fullmatch(text) if isinstance(text, str) else None
    if shape is None:
        raise ValueError(f"{text!r} is no duration; write a number and one of s m h d w M Q Y")
    count, unit = int(shape[1]), shape[2]
    if unit in _MONTHS:
        return Span(text=shape[0], months=count * _MONTHS[unit])
    return Span(text=shape[0], seconds=count * _SECONDS[unit])


def short_text(duration_ns: int) -> str:
    """A length as Prometheus writes it: `5m`, `1h`, `30d`; what is no whole second in `ms`."""
    seconds, rest = divmod(duration_ns, NS_PER_S)
    if rest:
        return f"{duration_ns // 1_000_000}ms"
    for unit in ("d", "h", "m"):
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def calendar_start(anchor: datetime, zone: ZoneInfo, span: Span, at_ns: int) -> int:
    """Start (ns UTC) of the calendar window that holds `at_ns`, counted from the anchor.

    The anchor is local time in the zone, so that a window starts at local midnight also after a
    change of daylight saving time.
    """
    at = (_EPOCH + timedelta(microseconds=at_ns // 1_000)).astimezone(zone).replace(tzinfo=None)
    first = anchor.replace(tzinfo=None)
    if span.months:
        passed = (at.year - first.year) * 12 + at.month - first.month
        count = passed // span.months
        while _months_later(first, count * span.months) > at:
            count -= 1
        start = _months_later(first, count * span.months)
    else:
        length = timedelta(seconds=span.seconds)
        start = first + ((at - first) // length) * length
    utc = start.replace(tzinfo=zone).astimezone(UTC)
    return round((utc - _EPOCH) / timedelta(microseconds=1)) * 1_000


def _months_later(first: datetime, months: int) -> datetime:
    """The same day and time that many months later; the last day where a month is shorter."""
    month = first.month - 1 + months
    year, month = first.year + month // 12, month % 12 + 1
    for day in (first.day, 30, 29, 28):
        try:
            return first.replace(year=year, month=month, day=min(day, first.day))
        except ValueError:
            continue
    raise ValueError(f"no day {first.day} in {year}-{month}")
