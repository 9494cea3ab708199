"""Spans as the store's own columns, ready to be written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import polars as pl
import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTable:
    """Rows of `spans`, `span_events`, `span_links` as `store.columns` describes them.

    They are encoded as `store.rows` encodes records, and redacted. `event_owner` and `link_owner`
    name the row of the span each event and link belongs to, ascending.
    """

    spans: pa.Table
    events: pa.Table
    links: pa.Table
    event_owner: pl.Series
    link_owner: pl.Series

    def __len__(self) -> int:
        return int(self.spans.num_rows)

    def part(self, start: int, stop: int) -> "SpanTable":
        """Only the rows from `start` up to `stop`; nothing is copied."""
        if start <= 0 and stop >= len(self):
            return self
        of_events, of_links = (
            _between(owner, start, stop) for owner in (self.event_owner, self.link_owner)
        )
        return SpanTable(
            spans=self.spans.slice(start, stop - start),
            events=self.events.slice(*of_events),
            links=self.links.slice(*of_links),
            event_owner=self.event_owner.slice(*of_events) - start,
            link_owner=self.link_owner.slice(*of_links) - start,
        )

    def without(self, rows: Collection[int]) -> "SpanTable":
        """All but these rows."""
        if not rows:
            return self
        gone = pl.Series(sorted(rows), dtype=pl.Int64)
        place = pl.int_range(len(self), dtype=pl.Int64, eager=True)
        kept = ~place.is_in(gone.implode())
        place = kept.cum_sum().cast(pl.Int64) - 1
        of_events, of_links = (kept.gather(owner) for owner in (self.event_owner, self.link_owner))
        return SpanTable(
            spans=self.spans.filter(kept.to_arrow()),
            events=self.events.filter(of_events.to_arrow()),
            links=self.links.filter(of_links.to_arrow()),
            event_owner=place.gather(self.event_owner.filter(of_events)),
            link_owner=place.gather(self.link_owner.filter(of_links)),
        )

    def keys(self) -> pl.DataFrame:
        """Ids and times of the spans."""
        return pl.DataFrame(self.spans.select(["trace_id", "span_id", "start_ns", "end_ns"]))

    def numbered(self) -> dict[str, pa.Table]:
        """The three tables with `row`, the place of the span each row belongs to."""
        place = pl.int_range(len(self), dtype=pl.Int64, eager=True)
        return {
            name: table.append_column("row", owner.to_arrow())
            for name, table, owner in (
                ("incoming", self.spans, place),
                ("incoming_events", self.events, self.event_owner),
                ("incoming_links", self.links, self.link_owner),
            )
        }


def joined(tables: Iterable[SpanTable]) -> SpanTable:
    """All rows of several tables, at least one, each column in one piece.

    DuckDB inserts a table of one piece in its order. Pieces are shared among threads, each of which
    begins a group of rows of its own: small groups, which the next checkpoint writes again.
    """
    parts = list(tables)
    if len(parts) == 1:
        return parts[0]
    starts, total = [], 0
    for part in parts:
        starts.append(total)
        total += len(part)
    placed = list(zip(parts, starts, strict=True))
    return SpanTable(
        spans=_in_one([part.spans for part in parts]),
        events=_in_one([part.events for part in parts]),
        links=_in_one([part.links for part in parts]),
        event_owner=pl.concat([part.event_owner + start for part, start in placed]),
        link_owner=pl.concat([part.link_owner + start for part, start in placed]),
    )


def _in_one(tables: Sequence[pa.Table]) -> pa.Table:
    """On plain memory: Arrow's own allocator takes several times as much for a few large pieces."""
    return pa.concat_tables(tables).combine_chunks(memory_pool=pa.system_memory_pool())


def _between(owner: pl.Series, start: int, stop: int) -> tuple[int, int]:
    """Where the rows of these owners begin, and how many there are."""
    low, high = (int(owner.search_sorted(at, side="left")) for at in (start, stop))
    return low, high - low
