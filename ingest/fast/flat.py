"""Decoded spans as flat columns: not redacted, not encoded yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ingest.otlp.scopes import Scope
from store.model import AttributeValue


class OddError(Exception):
    """Raised when a piece of input holds what only the walk over records can judge."""


# A body is a map of one entry, so that it becomes JSON as attributes do; no rule is for no name.
BODY_KEY = ""


def repeated(text: str, count: int) -> pl.Series:
    """The same text as often."""
    return pl.Series("texts", [text], dtype=pl.String).new_from_index(0, count)


def begins(owner: pl.Series) -> pl.Series:
    """Whether each element is the first of its owner; owners stand together."""
    size = owner.len()
    if not size:
        return pl.Series("begins", [], dtype=pl.Boolean)
    changes = owner.slice(1) != owner.slice(0, size - 1)
    return pl.concat([pl.Series("begins", [True]), changes.alias("begins")])


def longest(begin: pl.Series) -> int:
    """How many elements one owner has at most, by where owners begin."""
    starts = begin.arg_true().cast(pl.Int64)
    ends = starts.slice(1).extend_constant(begin.len(), 1)
    return int(str((ends - starts).max())) if begin.len() else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatMap:
    """All attributes of many owners in the order they were read.

    `text`, `flag`, `whole` (an integer), `double` hold the value, all null for one of nothing;
    `others` are values of further kinds by their place.
    """

    owner: pl.Series
    key: pl.Series
    text: pl.Series
    flag: pl.Series
    whole: pl.Series
    double: pl.Series
    others: Mapping[int, AttributeValue]


def joined_maps(maps: Sequence[tuple[FlatMap, int]]) -> FlatMap:
    """All maps as one, each given with the number of its owners, which follow one another."""
    owners, others = [], {}
    first = place = 0
    for held, count in maps:
        owners.append(held.owner + first if first else held.owner)
        others.update({place + at: value for at, value in held.others.items()})
        first, place = first + count, place + held.owner.len()
    return FlatMap(
        owner=pl.concat(owners),
        key=pl.concat([held.key for held, _ in maps], rechunk=True),
        text=pl.concat([held.text for held, _ in maps], rechunk=True),
        flag=pl.concat([held.flag for held, _ in maps], rechunk=True),
        whole=pl.concat([held.whole for held, _ in maps], rechunk=True),
        double=pl.concat([held.double for held, _ in maps], rechunk=True),
        others=others,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatLogs:
    """Log records that hold nothing odd; `scope` indexes `scopes`.

    A time of 0 is absent. `body` has one entry for each record, under the empty name.
    """

    time_ns: pl.Series
    observed_ns: pl.Series
    trace_id: pl.Series
    span_id: pl.Series
    severity_number: pl.Series
    severity_text: pl.Series
    event_name: pl.Series
    scope: pl.Series
    scopes: list[Scope]
    attributes: FlatMap
    body: FlatMap


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatSpans:
    """Spans that hold nothing odd; `scope` indexes `scopes`.

    Of events and links `owner` is the place of their span, ascending.
    """

    trace_id: pl.Series
    span_id: pl.Series
    parent_span_id: pl.Series
    name: pl.Series
    kind: pl.Series
    start_ns: pl.Series
    end_ns: pl.Series
    status: pl.Series
    message: pl.Series
    state: pl.Series
    scope: pl.Series
    scopes: list[Scope]
    attributes: FlatMap
    event_owner: pl.Series
    event_time_ns: pl.Series
    event_name: pl.Series
    event_attributes: FlatMap
    link_owner: pl.Series
    link_trace_id: pl.Series
    link_span_id: pl.Series
    link_attributes: FlatMap
