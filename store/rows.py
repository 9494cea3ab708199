"""Recorded data as Arrow tables, one column per store column.

Typed columns are copies of attributes; a value that does not
fit its column's type is left out there and stays in `attributes`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate, chain
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from store.columns import COPIED, EVENT_SCHEMA, LINK_SCHEMA, SPAN_SCHEMA, STATUS_COLUMN
from store.errors import DataError
from store.model import Attributes, AttributeValue, Decision, LogRecord, Span, SpanLink
from store.span_table import SpanTable
from store.values import to_json

_INT_RANGE = range(-(2**63), 2**63)
_STATUS_PLACE = list(COPIED).index(STATUS_COLUMN)
_PLACES = {
    name: (place, precedence)
    for place, names in enumerate(COPIED.values())
    for precedence, name in enumerate(names)
}
_NAMES = list(COPIED.values())
_NOTHING_COPIED = (None,) * len(COPIED)

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class SpanRows:
    """The rows of one span."""

    span: Row
    events: Sequence[Row]
    links: Sequence[Row]


def table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Rows as one Arrow table.

    Polars makes the columns: pyarrow's own way from Python values imports pandas where it finds it.
    """
    columns: Iterable[Sequence[object]] = list(zip(*rows, strict=True)) or [()] * len(schema)
    types = _types_of(schema)
    try:
        arrays = [_array(values, kind) for values, kind in zip(columns, types, strict=True)]
    except (TypeError, OverflowError, UnicodeEncodeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"a value does not fit the store: {error}") from error
    return pa.Table.from_arrays(arrays, names=schema.names).cast(schema)


def _array(values: Sequence[Any], kind: pl.DataType) -> pa.Array:
    if isinstance(kind, pl.List) and None not in values:  # polars makes a column of each list
        flat = _array(list(chain.from_iterable(values)), pl.Series(dtype=kind.inner).dtype)
        ends = list(accumulate(map(len, values), initial=0))
        return pa.LargeListArray.from_arrays(_array(ends, pl.Int64()), flat)
    return pl.Series(values, dtype=kind).to_arrow(compat_level=pl.CompatLevel.oldest())


@lru_cache(64)
def _types_of(schema: pa.Schema) -> list[pl.DataType]:
    return pl.DataFrame(pa.Table.from_batches([], schema)).dtypes


def span_table(spans: Sequence[SpanRows]) -> SpanTable:
    """Spans, events and links of these spans."""
    events = [(at, event) for at, rows in enumerate(spans) for event in rows.events]
    links = [(at, link) for at, rows in enumerate(spans) for link in rows.links]
    return SpanTable(
        spans=table((rows.span for rows in spans), SPAN_SCHEMA),
        events=table((event for _, event in events), EVENT_SCHEMA),
        links=table((link for _, link in links), LINK_SCHEMA),
        event_owner=pl.Series([at for at, _ in events], dtype=pl.Int64),
        link_owner=pl.Series([at for at, _ in links], dtype=pl.Int64),
    )


def span_encoder() -> Callable[[Span], SpanRows]:
    """A function that turns spans into rows; a resource object shared by spans is encoded once."""
    resources: dict[int, tuple[Attributes, str]] = {}

    def text_of(resource: Attributes) -> str:
        known = resources.get(id(resource))
        if known is None:  # the map is kept with its text, so that its id stays its own
            known = resources[id(resource)] = (resource, to_json(resource))
        return known[1]

    return lambda span: _span_rows(span, text_of(span.resource))


def _span_rows(span: Span, resource: str) -> SpanRows:
    trace_id, span_id = trace_text(span.trace_id), number(span.span_id)
    attributes = span.attributes
    event_parts = [(e.time_ns, e.name, to_json(e.attributes)) for e in span.events]
    link_parts = [_link_part(link) for link in span.links]
    core: Row = (
        trace_id,
        span_id,
        None if span.parent_span_id is None else number(span.parent_span_id),
        span.name,
        span.kind,
        span.service,
        span.start_ns,
        span.end_ns,
        span.status,
        span.status_message,
        span.trace_state,
        span.scope_name,
        span.scope_version,
        to_json(attributes),
        resource,
    )
    where = (trace_id, span_id, span.start_ns)
    return SpanRows(
        span=(*core, *_copies(attributes)),
        events=[(*where, n, *part) for n, part in enumerate(event_parts)],
        links=[(*where, n, *part) for n, part in enumerate(link_parts)],
    )


def rank(start_ns: int, end_ns: int | None, digest: int) -> tuple[bool, int, int]:
    """Which of two versions of one span is kept: the higher (finished, later, hash)."""
    return end_ns is not None, start_ns if end_ns is None else end_ns, digest


def _link_part(link: SpanLink) -> Row:
    return trace_text(link.trace_id), number(link.span_id), to_json(link.attributes)


def _copies(attributes: Attributes) -> Sequence[str | int | None]:
    """The values of `COPIED`, in its order. Hot: it looks only at keys that are there."""
    found = attributes.keys() & _PLACES.keys()
    if not found:
        return _NOTHING_COPIED
    values: list[str | int | None] = [*_NOTHING_COPIED]
    for place, precedence in sorted((_PLACES[key] for key in found), reverse=True):
        value = attributes[_NAMES[place][precedence]]
        if place == _STATUS_PLACE:
            value = _status_code(value)
        elif type(value) is not str:
            continue
        if value is not None:
            values[place] = value
    return values


def _status_code(value: AttributeValue) -> int | None:
    if type(value) is int and value in _INT_RANGE:
        return value
    if type(value) is str and len(value) == 3 and value.isascii() and value.isdecimal():
        return int(value)
    return None


def log_row(log: LogRecord) -> Row:
    """One log record as a row; its content hash comes last."""
    row: Row = (
        log.time_ns,
        log.observed_ns,
        None if log.trace_id is None else trace_text(log.trace_id),
        None if log.span_id is None else number(log.span_id),
        log.severity_number,
        log.severity_text,
        log.event_name,
        to_json(log.body),
        log.service,
        to_json(log.attributes),
        to_json(log.resource),
    )
    return *row, content_hash(row)


def decision_row(decision: Decision) -> Row:
    """One decision as a row; its content hash comes last."""
    row: Row = (
        decision.decision_id,
        decision.time_ns,
        decision.chosen,
        None if decision.trace_id is None else trace_text(decision.trace_id),
        None if decision.span_id is None else number(decision.span_id),
        decision.flow_id,
        decision.seq,
        decision.confidence,
        decision.threshold,
        decision.model_name,
        decision.model_version,
        decision.policy_id,
        decision.policy_version,
        decision.policy_outcome,
        decision.action_step_key,
        to_json(decision.record),
    )
    return *row, content_hash(row)


def content_hash(parts: object) -> int:
    """64 bits that tell different contents apart. Stored, so its definition may not change."""
    try:
        encoded = msgspec.msgpack.encode(parts)
    except (UnicodeEncodeError, OverflowError) as error:
        raise DataError(f"a value cannot be stored: {error}") from error
    return int.from_bytes(blake2b(encoded, digest_size=8).digest())


def number(span_id: str) -> int:
    """A span id as the number that is stored."""
    return int.from_bytes(_id_bytes(span_id, 8, "span"))


def trace_text(trace_id: str) -> str:
    """A trace id as lower-case hex."""
    return _id_bytes(trace_id, 16, "trace").hex()


def _id_bytes(text: str, size: int, kind: str) -> bytes:
    try:
        if len(text) == 2 * size and len(value := bytes.fromhex(text)) == size:
            return value
    except ValueError:
        pass
    raise DataError(
        f"{text[:80]!r} is no {kind} id: expected {2 * size} hex digits; the reader must map it"
    )
