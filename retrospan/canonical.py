"""Values as JSON: one canonical line for digests, and the forms that are printed."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from store.model import JsonValue


def canonical(value: object) -> str:
    """One line of JSON with sorted keys: what digests and evidence ids are computed from."""
    return json.dumps(
        _finite(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
    )


def pretty(document: Mapping[str, JsonValue]) -> str:
    """The document as `--json` prints it. ASCII only, so that no terminal is moved by it."""
    return json.dumps(
        _finite(document), ensure_ascii=True, sort_keys=True, indent=2, default=_plain
    )


def line(document: Mapping[str, JsonValue]) -> str:
    """The document on one line, as `--format jsonl` prints each row."""
    return json.dumps(_finite(document), ensure_ascii=True, sort_keys=True, default=_plain)


def digest(value: object) -> str:
    """SHA-256 of the canonical JSON, as hex."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def _finite(value: object) -> object:
    """The value with NaN and the infinities as text: JSON has no word for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def money(amount: Decimal | None) -> str | None:
    """Decimal text without an exponent, exactly as many digits as recorded."""
    return None if amount is None else format(amount, "f")
