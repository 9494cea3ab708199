"""What a decision is as a leaf of the decision log.

A leaf commits to each top-level field of the record by itself: SHA-256 over the field's salt and
its canonical JSON (RFC 8785). So one field can be taken away, or shown alone, and the leaf stays
what it was. A field's salt is HMAC-SHA256 of the record's salt over its name: who is given the salt
of one field learns nothing of another, and a short value cannot be guessed from its commitment.
"""

import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from typing import Any

import rfc8785

from store.merkle import leaf_hash
from store.model import JsonValue

SCHEMA = "retrospan.leaf/1"
SALT_BYTES = 32
INTEGER_MAX = 2**53 - 1
"""The largest integer that RFC 8785's numbers, being doubles, hold exactly."""
PLAIN_MIN, PLAIN_MAX = 1e-4, 1e15
"""Between these Python and ECMAScript write a double that is no integer alike."""
_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
_INTEGER, _NUMBER, _TEXT = _TAGS = ("int:", "number:", "text:")


def field_salt(salt: bytes, name: str) -> bytes:
    """The salt of one field, from that of the record."""
    return hmac.digest(salt, name.encode("utf-8", "surrogatepass"), hashlib.sha256)


def commitment(value: JsonValue, salt: bytes) -> bytes:
    """What stands for a field's value in the leaf; `salt` is the field's."""
    return hashlib.sha256(salt + canonical(value)).digest()


def commitments(record: Mapping[str, JsonValue], salt: bytes) -> dict[str, bytes]:
    """The commitment of every field of a record; `salt` is the record's."""
    return {name: commitment(value, field_salt(salt, name)) for name, value in record.items()}


def leaf(fields: Mapping[str, bytes]) -> bytes:
    """The leaf hash of a record with these commitments by field."""
    named: dict[str, JsonValue] = {name: fields[name].hex() for name in fields}
    return leaf_hash(canonical({"fields": named, "schema": SCHEMA}))


def leaf_of(record: Mapping[str, JsonValue], salt: bytes) -> bytes:
    """The leaf hash of a whole record."""
    return leaf(commitments(record, salt))


def canonical(value: JsonValue) -> bytes:
    """RFC 8785 bytes of a value. What its numbers cannot hold becomes a tagged text first.

    The tags are `int:` and `number:`; a text that begins with a tag gets `text:`, so that two
    different values never have the same bytes.
    """
    if _is_plain(value):  # what nearly all records hold: the same bytes, sooner
        return _written(value).encode()
    return rfc8785.dumps(_tagged(value))


def _is_plain(value: JsonValue) -> bool:
    """Whether Python's own JSON with sorted keys is RFC 8785's: ASCII, and numbers alike."""
    kind = type(value)
    if kind is str:
        return value.isascii() and not value.startswith(_TAGS)  # type: ignore[union-attr]
    if kind is dict:
        entries = value.items()  # type: ignore[union-attr]
        return all(_is_plain(name) and _is_plain(entry) for name, entry in entries)
    if kind is list:
        return all(map(_is_plain, value))  # type: ignore[arg-type]
    if kind is int:
        return -INTEGER_MAX <= value <= INTEGER_MAX  # type: ignore[operator]
    if kind is float:
        size = abs(value)  # type: ignore[arg-type]
        return PLAIN_MIN <= size < PLAIN_MAX and not value.is_integer()  # type: ignore[union-attr]
    return value is None or kind is bool


def _tagged(value: JsonValue) -> Any:
    if isinstance(value, str):
        plain = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if plain != value:
            return _TEXT + value.encode("utf-8", "surrogatepass").hex()
        return _TEXT + value if value.startswith(_TAGS) else value
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= INTEGER_MAX else f"{_INTEGER}{value}"
    if isinstance(value, float):
        return value if math.isfinite(value) else f"{_NUMBER}{value}"
    if isinstance(value, list):
        return [_tagged(entry) for entry in value]
    return {str(_tagged(name)): _tagged(entry) for name, entry in value.items()}
