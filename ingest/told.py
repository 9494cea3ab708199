"""The decisions that the spans and events of one batch tell of, in whatever shape the spans are.

They are derived from records as they are stored: redacted.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from ingest.activities import ENGINES, decisions_of_activity
from ingest.genai import SIGNS, decisions_of, decisions_of_log
from ingest.span_draft import SOURCE
from store.model import Decision, LogRecord, Span, SpanEvent
from store.span_table import SpanTable
from store.values import map_from_json

# How the name of an attribute stands in the store's JSON; a value that looks so costs a look.
_SIGN = "|".join(f'"{name.replace(".", chr(92) + ".")}":' for name in sorted(SIGNS))

_TOLD_BY = frozenset(
    {
        *("trace_id", "span_id", "name", "kind", "service", "start_ns", "end_ns", "time_ns"),
        "attributes",
    }
)


def told_by(
    spans: Iterable[Span], tables: Iterable[SpanTable] = (), logs: Iterable[LogRecord] = ()
) -> list[Decision]:
    """Every decision the records tell of, in their order."""
    found: list[Decision] = []
    for span in spans:
        if not SIGNS.isdisjoint(span.attributes):
            found.extend(decisions_of(span))
        elif span.attributes.get(SOURCE) in ENGINES:
            found.extend(decisions_of_activity(span))
    for table in tables:
        for span in _candidates(table):
            found.extend(decisions_of(span))
    for log in logs:
        if log.event_name:
            found.extend(decisions_of_log(log))
    return found


def _candidates(table: SpanTable) -> Iterator[Span]:
    """The spans of a table that may tell of a decision, with what that takes."""
    signed = pl.Series(table.spans["attributes"]).str.contains(_SIGN)
    at = signed.arg_true()
    if at.is_empty():
        return
    events: defaultdict[int, list[SpanEvent]] = defaultdict(list)
    wanted = signed.gather(table.event_owner)
    owners = table.event_owner.filter(wanted).to_list()
    for owner, row in zip(owners, _rows(table.events, wanted), strict=True):
        attributes = map_from_json(row["attributes"])
        events[owner].append(
            SpanEvent(name=row["name"], time_ns=row["time_ns"], attributes=attributes)
        )
    for owner, row in zip(at.to_list(), _rows(table.spans, signed), strict=True):
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


def _rows(table: pa.Table, wanted: pl.Series) -> list[dict[str, Any]]:
    columns = [name for name in table.column_names if name in _TOLD_BY]
    found: list[dict[str, Any]] = table.select(columns).filter(wanted.to_arrow()).to_pylist()
    return found
