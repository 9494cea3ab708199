"""Tag values or times in the spellings of Jaeger's JSON."""

import binascii
import re
from decimal import Decimal

from ingest.legacy.values import NS_PER_US, first, units
from ingest.otlp.values import Object, UnreadableError
from ingest.times import BadTimeError, rfc3339
from store.model import AttributeValue

KEY = ("key", "Key")
TYPE = ("type", "vType", "v_type", "ValueType")
# The field that holds the value, and the type it says when none is named.
VALUES = {
    "value": "",
    "vStr": "string",
    "v_str": "string",
    "value_string": "string",
    "vBool": "bool",
    "v_bool": "bool",
    "value_bool": "bool",
    "vLong": "int64",
    "vInt64": "int64",
    "v_int64": "int64",
    "value_long": "int64",
    "vDouble": "float64",
    "vFloat64": "float64",
    "v_float64": "float64",
    "value_double": "float64",
    "vBinary": "binary",
    "v_binary": "binary",
    "value_binary": "binary",
}
_GO_DURATION = re.compile(r"(\d{1,19}(?:\.\d{1,19})?)(ns|us|µs|μs|ms|s|m|h)")
_UNIT_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def time_of(raw: object, what: str) -> int | None:
    """Microseconds, or protobuf's and Go's RFC 3339 text."""
    if isinstance(raw, str) and "T" in raw:
        try:
            return rfc3339(raw, what)
        except BadTimeError as error:
            raise UnreadableError(str(error)) from error
    return units(raw, NS_PER_US, what)


def duration_of(raw: object, as_text: bool) -> int | None:
    """Microseconds; where times are text, Go's `1m2.5s` or a number of nanoseconds."""
    if isinstance(raw, str) and raw.strip("0123456789") != "":
        parts = _GO_DURATION.findall(raw)
        if not parts or "".join(number + unit for number, unit in parts) != raw:
            raise UnreadableError(f"duration {raw[:40]!r} is not a duration")
        total = sum(int(Decimal(number) * _UNIT_NS[unit]) for number, unit in parts)
        return units(total, 1, "duration")
    return units(raw, 1 if as_text else NS_PER_US, "duration")


def tag_value(tag: Object, hexadecimal: bool) -> object:
    """The value in the type that is named; as it stands when it does not fit that type."""
    if type(tag.get("value")) is str and tag.get("type") == "string":  # nine tags in ten
        return tag["value"]
    field = next((name for name in VALUES if tag.get(name) is not None), None)
    if field is None:
        return None
    value = tag[field]
    named = first(tag, TYPE)
    kind = named.lower() if isinstance(named, str) else VALUES[field]
    if kind == "binary" and isinstance(value, str):
        return _bytes(value, hexadecimal)
    if kind in ("int64", "long"):
        return _number(value, int)
    if kind in ("float64", "double"):
        return _number(value, float)
    if kind == "bool" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    return value


def _number(value: object, kind: type[int] | type[float]) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return value
    return number if kind is float or not isinstance(value, float) or number == value else value


def _bytes(text: str, hexadecimal: bool) -> AttributeValue:
    try:
        if hexadecimal:
            return bytes.fromhex(text)
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        return text
