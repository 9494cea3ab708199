"""Attribute values as JSON text, without loss.

Plain JSON where JSON can say it, so that SQL can read it (`attributes ->> '/http.route'`); a map
with one key starting with `$` where it cannot:

| value                       | text                                              |
|-----------------------------|---------------------------------------------------|
| bytes                       | `{"$bytes": "<base64>"}`                          |
| NaN, Infinity, -Infinity    | `{"$double": "NaN"}` (or the other two words)     |
| a map that looks like these | `{"$map": {...}}`, so that no recorded map is read as one of them |

Integers keep all digits and never gain a point, doubles always have a point or an exponent. Keys
are sorted: equal maps give equal text.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from math import inf, isfinite, nan
from typing import Any

import msgspec

from store.errors import DataError

NESTING_MAX = 200
_NAMED_DOUBLES = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}
_PLAIN = frozenset({str, int, bool, type(None)})
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode


def to_json(value: object) -> str:
    """Text of a JSON value that may also hold bytes and non-finite doubles."""
    try:
        return _encode(value if type(value) is str else _tagged(value, 0)).decode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"text that is not Unicode (a lone surrogate at {error.start}) cannot be stored: "
            f"{error.object[:80]!r}; the reader must replace it"
        ) from error


def from_json(text: str) -> Any:
    """The value `to_json` wrote."""
    value = _decode(text)
    return _untagged(value) if '"$' in text else value


def map_from_json(text: str) -> dict[str, Any]:
    """A map `to_json` wrote."""
    value: dict[str, Any] = from_json(text)
    return value


def _tagged(value: object, depth: int) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if depth > NESTING_MAX:
        raise DataError(f"a value is nested deeper than {NESTING_MAX} levels; the reader must cut")
    if isinstance(value, float):
        return value if isfinite(value) else {"$double": _name_of(value)}
    if isinstance(value, bytes):
        return {"$bytes": b64encode(value).decode()}
    if isinstance(value, Mapping):
        tagged: Mapping[str, Any] = value
        if not set(map(type, value.values())) <= _PLAIN:
            tagged = {
                key: item if type(item) in _PLAIN else _tagged(item, depth + 1)
                for key, item in value.items()
            }
        return {"$map": tagged} if _looks_tagged(tagged) else tagged
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_tagged(item, depth + 1) for item in value]
    if isinstance(value, str | int):  # subclasses, such as a StrEnum
        return value
    raise DataError(f"a value of type {kind.__name__} cannot be stored: {value!r:.80}")


def _name_of(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _looks_tagged(value: Mapping[str, object]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith("$")


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _looks_tagged(value):
        tag, content = next(iter(value.items()))
        if tag == "$bytes":
            return b64decode(content)
        if tag == "$double":
            return _NAMED_DOUBLES[content]
        if tag == "$map":
            return {key: _untagged(item) for key, item in content.items()}
    return {key: _untagged(item) for key, item in value.items()}
