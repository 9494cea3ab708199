"""Deprecated and sunset operations, as files and headers tell of them."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = re.compile(r"@(-?\d{1,12})\Z", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def says_deprecated(header: str | None) -> bool:
    """Whether a `Deprecation` header says so: a structured date (RFC 9745 section 2.1), or `true`
    or an HTTP date as the drafts before it had."""
    if header is None:
        return False
    text = header.strip()
    return text.lower() == "true" or bool(_DATE.match(text)) or http_date(text) is not None


def deprecated_from(header: str | None) -> int | None:
    """Nanoseconds since 1970 of the date in a `Deprecation` header, None where it gives none."""
    if header is None:
        return None
    match = _DATE.match(header.strip())
    return int(match[1]) * 1_000_000_000 if match else http_date(header)


def http_date(text: str | None) -> int | None:
    """Nanoseconds since 1970 of an HTTP date (RFC 9110, 5.6.7), as in `Sunset` (RFC 8594)."""
    if text is None or len(text) > 64:
        return None
    try:
        moment = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(seconds=1) * 1_000_000_000


def sunset_day(text: str | None) -> int | None:
    """Nanoseconds of the `x-sunset` of a file: a day or a time of RFC 3339, or an HTTP date."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None
    if moment is None:
        return http_date(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(seconds=1) * 1_000_000_000
