"""Times as other systems write them, in nanoseconds since 1970."""

import re
from decimal import Decimal

from ingest.readers.decisions import time_ns_of

INT64_MAX = 2**63 - 1
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,9})?\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,15})(?:\.(\d{1,9}))?s\Z", re.ASCII)
_BARE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?\Z", re.ASCII)
_SHORT_OFFSET = re.compile(r"[+-]\d{4}\Z", re.ASCII)


class BadTimeError(ValueError):
    """Raised when a value is no time; the message is the reason."""


def rfc3339(raw: object, what: str = "time") -> int:
    """Nanoseconds of an RFC 3339 text; one without an offset is UTC."""
    if not isinstance(raw, str):
        raise BadTimeError(f"{what} is missing or not text")
    text = raw.strip()
    if _BARE.match(text):
        text += "Z"
    elif _SHORT_OFFSET.search(text):
        text = f"{text[:-2]}:{text[-2:]}"
    try:
        return time_ns_of(text)
    except ValueError as error:
        raise BadTimeError(str(error).replace("time", what, 1)) from error


def epoch(raw: object, unit_ns: int, what: str = "time") -> int:
    """Nanoseconds of a number of units since 1970, exactly; digits as text count too."""
    text = str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or not _NUMBER.match(text):
        raise BadTimeError(f"{what} {str(raw)[:40]!r} is no number of time units since 1970")
    value = int(Decimal(text) * unit_ns)
    if value > INT64_MAX:
        raise BadTimeError(f"{what} {text[:40]} is past the year 2262 (int64 nanoseconds)")
    return value


def duration_ms(raw: object) -> int | None:
    """Milliseconds of protobuf's `1.5s` or of a number of seconds; None for no time."""
    if isinstance(raw, str):
        match = _DURATION.match(raw)
        if match is None:
            return None
        return (int(match[1]) * 1000 + int((match[2] or "").ljust(9, "0")[:3])) or None
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw < 10**15:
        return raw * 1000
    return None
