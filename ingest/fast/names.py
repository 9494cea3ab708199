"""What is to be known of every attribute name of a piece of input."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from ingest import conventions
from ingest.fast.flat import OddError
from ingest.preparation import Preparation
from ingest.redact_text import PLAIN
from store.values import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names of all attributes: for each its `codes`, the place in `texts`, which are sorted.

    `heads` are the names as JSON with the colon. `rules` say of each name what it tells of its
    value. `aliases` are codes of canonical names with those of a team's own ones, by precedence.
    """

    codes: pl.Series
    texts: pl.Series
    heads: pl.Series
    rules: pl.Series
    aliases: Sequence[tuple[int, Sequence[int]]]


@lru_cache(4096)
def _head(name: str) -> str:
    return to_json(name) + ":"


def names_of(keys: pl.Series, prepare: Preparation) -> Names:
    """The names of these keys; raises OddError for those that need the walk over records."""
    encoded = keys.to_arrow().dictionary_encode()
    known: list[str] = encoded.dictionary.to_pylist()
    redactor = prepare.redactor
    rules = {key: redactor.rule(key) if redactor else (PLAIN, key) for key in known}
    rule_of = {name: rule for rule, name in rules.values()}
    if len(rule_of) < len(known) or conventions.TRUNCATED in rule_of:
        raise OddError
    if any(name.startswith("$") for name in rule_of):  # may look like our own tags
        raise OddError
    aliases = prepare.aliases_of(rule_of)
    names = sorted(rule_of.keys() | {canonical for canonical, _ in aliases})
    place = {name: at for at, name in enumerate(names)}
    codes = pl.Series("codes", [place[rules[key][1]] for key in known], dtype=pl.Int64)
    return Names(
        codes=codes[pl.Series(encoded.indices).cast(pl.UInt32)],
        texts=pl.Series("texts", names, dtype=pl.String),
        heads=pl.Series("heads", [_head(name) for name in names], dtype=pl.String),
        rules=pl.Series("rules", [rule_of.get(name, PLAIN) for name in names], dtype=pl.Int8),
        aliases=[(place[name], [place[one] for one in own]) for name, own in aliases],
    )
