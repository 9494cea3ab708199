"""Spans as the store's own columns, ready to be written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTable:
    """Rows of `spans`, `span_events`, `span_links` as `store.columns` describes them.

    They are encoded as `store.rows` encodes records, and redacted. `event_owner` and `link_owner`
    name the row of the span each event and link belongs to.
    """

    spans: pa.Table
    events: pa.Table
    links: pa.Table
    event_owner: pa.Array
    link_owner: pa.Array

    def __len__(self) -> int:
        return int(self.spans.num_rows)

    def rows(self, kept: Sequence[int]) -> "SpanTable":
        """Only these rows, in their order, which must ascend."""
        if len(kept) == len(self):
            return self
        index = pa.array(kept, pa.int64())
        of_events, of_links = (_among(self.event_owner, index), _among(self.link_owner, index))
        return SpanTable(
            spans=self.spans.take(index),
            events=self.events.filter(of_events.is_valid()),
            links=self.links.filter(of_links.is_valid()),
            event_owner=of_events.drop_null(),
            link_owner=of_links.drop_null(),
        )


def joined(tables: Iterable[SpanTable]) -> SpanTable:
    """All rows of several tables, at least one."""
    parts = list(tables)
    if len(parts) == 1:
        return parts[0]
    starts, total = [], 0
    for part in parts:
        starts.append(total)
        total += len(part)
    return SpanTable(
        spans=pa.concat_tables([part.spans for part in parts]),
        events=pa.concat_tables([part.events for part in parts]),
        links=pa.concat_tables([part.links for part in parts]),
        event_owner=_shifted([part.event_owner for part in parts], starts),
        link_owner=_shifted([part.link_owner for part in parts], starts),
    )


def _among(owners: pa.Array, index: pa.Array) -> pa.Array:
    return pc.index_in(owners.cast(pa.int64()), value_set=index)


def _shifted(owners: Sequence[pa.Array], starts: Sequence[int]) -> pa.Array:
    moved = [
        pc.add(owner.cast(pa.int64()), start) for owner, start in zip(owners, starts, strict=True)
    ]
    return pa.concat_arrays(moved)
