"""A price file: what tokens of a model cost, and since when.

schema = "retrospan.prices/1"
version = "2026-11"
currency = "USD"
[[models]]
model = "extract-small"          # or "extract-small@2026-04"
since = 2026-01-01               # a date in UTC; the latest one before the decision counts
input = "0.15"                   # per million tokens, as text so that it is exact
output = "0.60"
cache_read = "0.03"              # optional; else as input
cache_write = "0.19"             # optional; else as input
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from store.errors import DataError, UsageError

SCHEMA: Final = "retrospan.prices/1"
BYTES_MAX: Final = 1_000_000
MODELS_MAX: Final = 10_000
PER_TOKENS: Final = 1_000_000
SIDES: Final = ("input", "output", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Prices of one model from a time on, per million tokens."""

    model: str
    since_ns: int
    input: Fraction
    output: Fraction
    cache_read: Fraction
    cache_write: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one decision. `input` includes the two kinds of cached ones (GenAI conventions)."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A read price file."""

    version: str
    currency: str
    models: Sequence[Price]

    def cost(self, model: str, version: str | None, at_ns: int, usage: Usage) -> Fraction | None:
        """What that many tokens cost; None when the model had no price then."""
        names = (f"{model}@{version}", model) if version else (model,)
        for name in names:
            known = [it for it in self.models if it.model == name and it.since_ns <= at_ns]
            if known:
                return _cost(max(known, key=lambda it: it.since_ns), usage)
        return None


NO_PRICES: Final = Prices(version="", currency="USD", models=())
"""Without a file only costs that were recorded with a decision are known; they are in USD."""


def _cost(price: Price, usage: Usage) -> Fraction:
    plain = max(0, usage.input - usage.cache_read - usage.cache_write)
    return (
        plain * price.input
        + usage.cache_read * price.cache_read
        + usage.cache_write * price.cache_write
        + usage.output * price.output
    ) / PER_TOKENS


def read_prices(path: Path) -> Prices:
    """Read a price file. Raises DataError naming file, entry and reason."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    if len(data) > BYTES_MAX:
        raise DataError(f"{path} has {len(data)} bytes; a price file has at most {BYTES_MAX}")
    try:
        document = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not TOML: {error}") from error
    if document.get("schema") != SCHEMA:
        raise DataError(f"{path}: schema is {document.get('schema')!r}; {SCHEMA!r} is read")
    entries = document.get("models")
    if not isinstance(entries, list) or len(entries) > MODELS_MAX:
        raise DataError(f"{path}: it has [[models]], at most {MODELS_MAX}")
    texts = {name: document.get(name) for name in ("version", "currency")}
    if not all(isinstance(text, str) and text for text in texts.values()):
        raise DataError(f"{path}: version and currency must be texts")
    models = [_price(f"{path}: models entry {at + 1}", it) for at, it in enumerate(entries)]
    seen: set[tuple[str, int]] = set()
    for price in models:
        if (price.model, price.since_ns) in seen:
            raise DataError(f"{path}: model {price.model} has two prices since the same day")
        seen.add((price.model, price.since_ns))
    return Prices(version=str(texts["version"]), currency=str(texts["currency"]), models=models)


def _price(place: str, entry: Any) -> Price:
    if not isinstance(entry, Mapping):
        raise DataError(f"{place} is no table")
    unknown = sorted(set(entry) - {"model", "since", *SIDES})
    if unknown:
        raise DataError(f"{place} may not have {', '.join(unknown)}")
    model, since = entry.get("model"), entry.get("since")
    if not isinstance(model, str) or not model:
        raise DataError(f"{place}: model must be a text")
    if not isinstance(since, date) or isinstance(since, datetime):
        raise DataError(f"{place}: since must be a date, as in 2026-01-31")
    start = datetime(since.year, since.month, since.day, tzinfo=UTC)
    sides = {side: _amount(place, side, entry) for side in SIDES if side in entry}
    for side in ("input", "output"):
        if side not in sides:
            raise DataError(f"{place}: {side} is missing")
    return Price(
        model=model,
        since_ns=int(start.timestamp()) * 1_000_000_000,
        input=sides["input"],
        output=sides["output"],
        cache_read=sides.get("cache_read", sides["input"]),
        cache_write=sides.get("cache_write", sides["input"]),
    )


def _amount(place: str, side: str, entry: Mapping[str, Any]) -> Fraction:
    given = entry[side]
    try:
        if isinstance(given, bool) or not isinstance(given, str | int):
            raise InvalidOperation
        amount = Decimal(given)
    except InvalidOperation:
        raise DataError(f'{place}: {side} must be a number as text, as in "0.15"') from None
    if not amount.is_finite() or amount < 0:
        raise DataError(f"{place}: {side} must be 0 or more")
    return Fraction(amount)
