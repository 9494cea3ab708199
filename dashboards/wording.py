"""How times, durations, numbers and recorded texts are written on a page."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from store.model import AttributeValue, JsonValue

Recorded: TypeAlias = "JsonValue | AttributeValue"

TEXT_LENGTH_MAX = 20_000  # characters of one recorded text on a page; a note tells what was cut

_NS_PER_S = 1_000_000_000
_DAYS_TO_1970 = 719_468  # from 0000-03-01, where the civil calendar's arithmetic starts
# Control characters, and the marks that make text run backwards on screen.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")


def time_text(time_ns: int | None, *, digits: int = 3) -> str:
    """`2026-11-05 10:00:00.123 UTC`; an unknown time is a dash."""
    if time_ns is None:
        return "–"
    seconds, rest_ns = divmod(time_ns, _NS_PER_S)
    days, second_of_day = divmod(seconds, 86_400)
    year, month, day = _civil(days)
    clock = f"{second_of_day // 3600:02}:{second_of_day // 60 % 60:02}:{second_of_day % 60:02}"
    part = f".{rest_ns:09d}"[: digits + 1] if digits else ""
    return f"{year:04}-{month:02}-{day:02} {clock}{part} UTC"


def _civil(days: int) -> tuple[int, int, int]:
    """Date of a day number since 1970, by integers: nanosecond times outrun `datetime`."""
    era, of_era = divmod(days + _DAYS_TO_1970, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def duration_text(duration_ns: int | None) -> str:
    """A duration in the unit that reads best; an unknown one is a dash."""
    if duration_ns is None:
        return "–"
    if duration_ns < 0:
        return "−" + duration_text(-duration_ns)
    units = ((86_400, "d"), (3600, "h"), (60, "min"))
    for size, unit in units:
        if duration_ns >= size * _NS_PER_S:
            return f"{_rounded(duration_ns, size * _NS_PER_S, 1)} {unit}"
    if duration_ns >= _NS_PER_S:
        return f"{_rounded(duration_ns, _NS_PER_S, 2)} s"
    if duration_ns >= 1_000_000:
        return f"{_rounded(duration_ns, 1_000_000, 1)} ms"
    if duration_ns >= 1_000:
        return f"{_rounded(duration_ns, 1_000, 0)} µs"
    return f"{duration_ns} ns"


def _rounded(value: int, unit: int, digits: int) -> str:
    text = f"{Decimal(value) / Decimal(unit):.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_text(number: int) -> str:
    """`12,345`."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """`1 flow`, `12,345 flows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def share_text(part: int, whole: int) -> str:
    """A share in percent; never 100 % unless it is, and a dash when there is nothing to share."""
    if whole == 0:
        return "–"
    if part == whole:
        return "100 %"
    permille = min(999, Fraction(part * 1000, whole).__round__())
    return f"{permille // 10}.{permille % 10} %" if part else "0 %"


def clean(text: str) -> str:
    """Recorded text without the characters that would hide or reorder what it says."""
    return _INVISIBLE.sub("�", text)


def shortened(text: str, length_max: int) -> str:
    """The beginning of a text, with a mark where it was cut."""
    return text if len(text) <= length_max else text[: length_max - 1] + "…"


def markdown_safe(text: str) -> str:
    """Recorded text for a place that reads Markdown: it shows as it is, on one line."""
    one_line = " ".join(clean(text).split())
    # `:word:` would become an emoji even when escaped, so a joiner that shows nothing parts it.
    return _MARKDOWN.sub(r"\\\1", re.sub(r":(?=[\w/+-])", ":\u2060", one_line))


def body_text(body: Recorded) -> str:
    """A recorded value as text a person can read: JSON indented, long texts cut with a note."""
    text = body if isinstance(body, str) else json.dumps(plain(body), indent=2, ensure_ascii=False)
    if len(text) > TEXT_LENGTH_MAX:
        left_out = len(text) - TEXT_LENGTH_MAX
        text = f"{text[:TEXT_LENGTH_MAX]}\n… {left_out:,} more characters"
    return clean(text)


def plain(value: Recorded) -> JsonValue:
    """An attribute value as JSON: bytes become hex."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def value_text(value: Recorded) -> str:
    """A value on one line of a table."""
    if isinstance(value, str):
        return clean(value)
    return clean(json.dumps(plain(value), ensure_ascii=False))


def amount_text(amount: Decimal | None, currency: str | None) -> str:
    """`1,200.5 EUR`, without the zeros a column of the store adds."""
    if amount is None:
        return "–"
    text = f"{amount:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {clean(currency) if currency else '(no currency)'}"
