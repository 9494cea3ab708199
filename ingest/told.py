"""The decisions that the spans of one batch tell of, in whatever shape the spans are.

They are derived from spans as they are stored: redacted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from ingest.genai import SIGNS, decisions_of
from store.model import Decision, Span, SpanEvent
from store.span_table import SpanTable
from store.values import map_from_json

# How the name of an attribute stands in the store's JSON; a value that looks so costs a look.
_SIGN = "|".join(f'"{name.replace(".", chr(92) + ".")}":' for name in sorted(SIGNS))


def told_by(spans: Iterable[Span], tables: Iterable[SpanTable] = ()) -> list[Decision]:
    """Every decision the spans tell of, in their order."""
    found: list[Decision] = []
    for span in spans:
        if not SIGNS.isdisjoint(span.attributes):
            found.extend(decisions_of(span))
    for table in tables:
        for span in _candidates(table):
            found.extend(decisions_of(span))
    return found


def _candidates(table: SpanTable) -> Iterator[Span]:
    """The spans of a table that may tell of a decision, with what that takes."""
    signed = pc.match_substring_regex(table.spans["attributes"], _SIGN)
    at = pc.indices_nonzero(signed).to_pylist()
    if not at:
        return
    events: defaultdict[int, list[SpanEvent]] = defaultdict(list)
    wanted = pc.is_in(table.event_owner.cast(pa.int64()), value_set=pa.array(at, pa.int64()))
    owners = table.event_owner.filter(wanted).to_pylist()
    for owner, row in zip(owners, table.events.filter(wanted).to_pylist(), strict=True):
        attributes = map_from_json(row["attributes"])
        events[owner].append(
            SpanEvent(name=row["name"], time_ns=row["time_ns"], attributes=attributes)
        )
    for owner, row in zip(at, table.spans.take(pa.array(at, pa.int64())).to_pylist(), strict=True):
        yield Span(
            trace_id=row["trace_id"],
            span_id=f"{row['span_id']:016x}",
            parent_span_id=None,
            name=row["name"],
            kind=row["kind"],
            service=row["service"],
            start_ns=row["start_ns"],
            end_ns=row["end_ns"],
            attributes=map_from_json(row["attributes"]),
            events=events[owner],
        )
