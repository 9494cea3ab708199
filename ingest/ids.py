"""Trace ids or span ids of any dialect as lower-case hex."""

import binascii
import hashlib
from dataclasses import dataclass

HEX = frozenset("0123456789abcdefABCDEF")
CACHE_ENTRIES_MAX = 65_536


class BadIdError(ValueError):
    """Raised when an id is empty, all zero or not text; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Id:
    """An id as hex; `original` is the text it was mapped from when that text was no id."""

    hex: str
    original: str | None = None


def id_of(raw: object, size: int, what: str) -> Id | None:
    """Hex of an id of `size` bytes; None when it is absent, empty or all zero."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise BadIdError(f"{what} is {type(raw).__name__}, expected hex or base64 text")
    text = str(raw)
    if len(text) == size * 2 and HEX.issuperset(text):
        value = text.lower()
        return None if value.strip("0") == "" else Id(value)
    data = _base64(text, size)
    if data is not None:
        return Id(data.hex()) if any(data) else None
    if text.strip("0") == "":
        return None
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:size]
    return Id(digest.hex(), text)


def _base64(text: str, size: int) -> bytes | None:
    """The bytes when `text` is the one canonical base64 spelling of `size` bytes."""
    padding = -size % 3
    length = (size + 2) // 3 * 4
    if len(text) == length - padding:
        text += "=" * padding
    if len(text) != length or not text.isascii():
        return None
    text = text.replace("-", "+").replace("_", "/")
    try:
        data = binascii.a2b_base64(text.encode(), strict_mode=True)
    except binascii.Error:
        return None
    # A text with stray bits at its end would share its bytes with another text.
    canonical = binascii.b2a_base64(data, newline=False).decode()
    return data if len(data) == size and canonical == text else None


class Ids:
    """Ids seen before, so that each text is decoded once."""

    def __init__(self) -> None:
        self._traces: dict[object, Id | None] = {}
        self._spans: dict[object, Id | None] = {}

    def trace(self, raw: object) -> Id | None:
        """A 16-byte trace id."""
        return self._of(self._traces, raw, 16, "trace id")

    def span(self, raw: object) -> Id | None:
        """An 8-byte span id."""
        return self._of(self._spans, raw, 8, "span id")

    def _of(self, seen: dict[object, Id | None], raw: object, size: int, what: str) -> Id | None:
        if type(raw) is not str:
            return id_of(raw, size, what)
        try:
            return seen[raw]
        except KeyError:
            if len(seen) >= CACHE_ENTRIES_MAX:
                seen.clear()
            value = seen[raw] = id_of(raw, size, what)
            return value
