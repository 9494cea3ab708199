"""Attributes, times or enumerations of OTLP JSON, in every dialect that was met."""

import binascii
import re
from collections.abc import Mapping
from typing import TypeAlias

from ingest.limits import Limits
from store.model import AttributeValue

Object: TypeAlias = dict[str, object]

INT64_MAX = 2**63 - 1
_INTEGER = re.compile(r"[+-]?\d{1,30}\Z", re.ASCII)
_DOUBLES = {"nan": "nan", "infinity": "inf", "-infinity": "-inf"}


class UnreadableError(ValueError):
    """Raised when a part of a record cannot be read; the message is the reason."""


class Decoding:
    """The limits in force; how many values of the record at hand they cut."""

    __slots__ = ("cut", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cut = 0


def object_of(raw: object, what: str) -> Object:
    """A JSON object; an absent one is empty."""
    if type(raw) is dict:
        return raw
    if raw is None:
        return {}
    raise UnreadableError(f"{what} is {_kind(raw)}, expected an object")


def list_of(raw: object, what: str) -> list[object]:
    """A JSON array; an absent one is empty."""
    if type(raw) is list:
        return raw
    if raw is None:
        return []
    raise UnreadableError(f"{what} is {_kind(raw)}, expected an array")


def text_of(raw: object, what: str) -> str:
    """A text; an absent one is empty."""
    if type(raw) is str:
        return raw
    if raw is None:
        return ""
    raise UnreadableError(f"{what} is {_kind(raw)}, expected text")


def _kind(raw: object) -> str:
    if isinstance(raw, bool):
        return "true or false"
    if isinstance(raw, int | float):
        return "a number"
    if isinstance(raw, str):
        return "text"
    return "an array" if isinstance(raw, list) else "an object" if raw is not None else "null"


def time_of(raw: object, what: str) -> int:
    """Nanoseconds since 1970; 0 when absent, as OTLP writes an unknown time."""
    value: int
    if type(raw) is str:
        if not _INTEGER.match(raw):
            if raw == "":
                return 0
            raise UnreadableError(f"{what} {raw[:40]!r} is not a number of nanoseconds")
        value = int(raw)
    elif raw is None:
        return 0
    elif type(raw) is int:
        value = raw
    elif type(raw) is float and raw.is_integer():
        value = int(raw)
    else:
        raise UnreadableError(f"{what} is not a whole number of nanoseconds")
    if not 0 <= value <= INT64_MAX:
        reason = "is negative" if value < 0 else "is past the year 2262 (int64 nanoseconds)"
        raise UnreadableError(f"{what} {value} {reason}")
    return value


def number_of(raw: object, names: Mapping[str, int], prefix: str, what: str) -> int:
    """The number of an enumeration value written as number, digits or name."""
    if type(raw) is int:
        return raw
    if raw is None:
        return 0
    if type(raw) is float and raw.is_integer():
        return int(raw)
    if type(raw) is str:
        name = raw.strip().upper().removeprefix(prefix)
        if name in names:
            return names[name]
        if _INTEGER.match(name):
            return int(name)
        if not name:
            return 0
        raise UnreadableError(f"unknown {what} {raw[:60]!r}")
    raise UnreadableError(f"{what} is {_kind(raw)}, expected a number or a name")


def attributes_of(raw: object, decoding: Decoding) -> dict[str, AttributeValue]:
    """A list of key and value pairs; past the limit the rest is cut off and counted."""
    if not raw:
        return {}
    pairs = list_of(raw, "attributes")
    limit = decoding.limits.attributes_per_record
    if len(pairs) > limit:
        decoding.cut += len(pairs) - limit
        pairs = pairs[:limit]
    chars = decoding.limits.attribute_chars
    found: dict[str, AttributeValue] = {}
    for pair in pairs:
        if type(pair) is not dict:
            if pair is None:
                continue
            raise UnreadableError(f"an attribute is {_kind(pair)}, expected an object")
        key = pair.get("key")
        if type(key) is not str:
            raise UnreadableError("an attribute has no key")
        value = pair.get("value")
        if type(value) is dict:
            text = value.get("stringValue")
            if type(text) is str and len(text) <= chars:
                found[key] = text
            else:
                found[key] = value_of(value, decoding, 0)
        elif value is None:
            found[key] = None
        else:
            raise UnreadableError(f"the value of attribute {key[:60]!r} is {_kind(value)}")
    return found


def value_of(raw: Object, decoding: Decoding, depth: int) -> AttributeValue:
    """An AnyValue: the one field of it that is set."""
    for tag, value in raw.items():
        if value is None:
            continue
        if tag in ("stringValue", "string_value"):
            return _cut(value, decoding) if type(value) is str else _cut(str(value), decoding)
        if tag in ("intValue", "int_value"):
            return _integer(value)
        if tag in ("boolValue", "bool_value"):
            return value if type(value) is bool else str(value).lower() == "true"
        if tag in ("doubleValue", "double_value"):
            return _double(value)
        if tag in ("bytesValue", "bytes_value"):
            return _bytes(value, decoding)
        if tag in ("arrayValue", "array_value", "kvlistValue", "kvlist_value"):
            if depth >= decoding.limits.nesting_depth:
                raise UnreadableError(f"an attribute is nested deeper than nesting_depth = {depth}")
            return _nested(tag, object_of(value, tag).get("values"), decoding, depth + 1)
    return None


def _nested(tag: str, values: object, decoding: Decoding, depth: int) -> AttributeValue:
    items = list_of(values, tag)
    limit = decoding.limits.attributes_per_record
    if len(items) > limit:
        decoding.cut += len(items) - limit
        items = items[:limit]
    if tag.startswith("array"):
        return [value_of(object_of(item, "a value"), decoding, depth) for item in items]
    pairs = [object_of(item, "a value") for item in items]
    return {
        text_of(pair.get("key"), "a key"): value_of(
            object_of(pair.get("value"), "a value"), decoding, depth
        )
        for pair in pairs
    }


def _cut(text: str, decoding: Decoding) -> str:
    limit = decoding.limits.attribute_chars
    if len(text) <= limit:
        return text
    decoding.cut += 1
    return text[:limit]


def _integer(value: object) -> AttributeValue:
    """An int64; what does not fit stays as the text that was written."""
    if isinstance(value, str):
        value = int(value) if _INTEGER.match(value) else value
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is int and -INT64_MAX - 1 <= value <= INT64_MAX:
        return value
    return str(value)[:64]


def _double(value: object) -> AttributeValue:
    if type(value) is float:
        return value
    try:
        if type(value) is int:
            return float(value)
        text = str(value).strip()
        return float(_DOUBLES.get(text.lower(), text))
    except (ValueError, OverflowError):
        return str(value)[:64]


def _bytes(value: object, decoding: Decoding) -> AttributeValue:
    text = _cut(str(value), decoding)
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        return binascii.a2b_base64(padded, strict_mode=True)
    except (binascii.Error, ValueError):
        return text
