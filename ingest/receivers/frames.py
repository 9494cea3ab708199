"""Records of one request as bytes of the spool, and back with equal values.

What came column by column stays columns, in Arrow's own format: three tables for spans, one for
log records.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import polars as pl
import pyarrow as pa

from ingest.records import Records
from store.log_table import LogTable
from store.model import Attributes, Decision, LogRecord, Rejected, Span, SpanEvent, SpanLink
from store.span_table import SpanTable

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()
_WRITING = pa.ipc.IpcWriteOptions(compression="lz4")


def _names(record: type, *without: str) -> tuple[str, ...]:
    return tuple(entry.name for entry in fields(record) if entry.name not in without)


_SPAN = _names(Span, "resource", "events", "links")
_LOG = _names(LogRecord, "resource")
_EVENT, _LINK = _names(SpanEvent), _names(SpanLink)
_DECISION, _REJECTED = _names(Decision), _names(Rejected)

Row: TypeAlias = Sequence[Any]
Values: TypeAlias = Callable[[object], tuple[Any, ...]]

_span_values: Values = attrgetter(*_SPAN)
_log_values: Values = attrgetter(*_LOG)
_event_values: Values = attrgetter(*_EVENT)
_link_values: Values = attrgetter(*_LINK)
_decision_values: Values = attrgetter(*_DECISION)
_rejected_values: Values = attrgetter(*_REJECTED)


def encoded(frame: Records) -> bytes:
    """The frame as bytes; a record that no store could hold becomes a rejected one."""
    try:
        return _encoded(frame)
    except (OverflowError, UnicodeEncodeError, RecursionError):
        kept = Records(metrics=frame.metrics, rejected=frame.rejected)
        records: list[Span | LogRecord | Decision] = [*frame.spans, *frame.logs, *frame.decisions]
        for record in records:
            single = Records()
            single.add(record)
            try:
                _encoded(single)
            except (OverflowError, UnicodeEncodeError, RecursionError) as error:
                kept.rejected.append(Rejected(record=type(record).__name__, reason=str(error)))
            else:
                kept.add(record)
        frame.spans, frame.logs, frame.decisions = kept.spans, kept.logs, kept.decisions
        return _encoded(frame)


def decoded(data: bytes) -> Records:
    """The frame that `encoded` took."""
    resources, spans, logs, decisions, rejected, metrics, tables = _decoder.decode(data)
    found = Records(
        spans=[_span(row, resources) for row in spans],
        logs=[
            LogRecord(resource=resources[row[0]], **dict(zip(_LOG, row[1:], strict=True)))
            for row in logs
        ],
        decisions=[Decision(**dict(zip(_DECISION, row, strict=True))) for row in decisions],
        rejected=[Rejected(**dict(zip(_REJECTED, row, strict=True))) for row in rejected],
        metrics=metrics,
    )
    for parts in tables:
        found.add(_table(parts))
    return found


def _encoded(frame: Records) -> bytes:
    shared = _Resources()
    spans = [
        [
            shared.index(span.resource),
            _rows(span.events, _event_values),
            _rows(span.links, _link_values),
            *_span_values(span),
        ]
        for span in frame.spans
    ]
    logs = [[shared.index(log.resource), *_log_values(log)] for log in frame.logs]
    decisions, rejected = (
        _rows(frame.decisions, _decision_values),
        _rows(frame.rejected, _rejected_values),
    )
    tables = [
        *(_parts(table.numbered().values()) for table in frame.tables),
        *(_parts([table.rows]) for table in frame.log_tables),
    ]
    return _encoder.encode([shared.found, spans, logs, decisions, rejected, frame.metrics, tables])


def _parts(tables: Iterable[pa.Table]) -> list[bytes]:
    parts = []
    for part in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, part.schema, options=_WRITING) as stream:
            stream.write_table(part)
        parts.append(sink.getvalue().to_pybytes())
    return parts


def _table(parts: Sequence[bytes]) -> SpanTable | LogTable:
    tables = [pa.ipc.open_stream(part).read_all() for part in parts]
    if len(tables) == 1:
        return LogTable(tables[0])
    spans, events, links = tables
    return SpanTable(
        spans=spans.drop_columns("row"),
        events=events.drop_columns("row"),
        links=links.drop_columns("row"),
        event_owner=pl.Series(events["row"]),
        link_owner=pl.Series(links["row"]),
    )


class _Resources:
    """Each resource once: the records of a request share a few."""

    def __init__(self) -> None:
        self.found: list[Attributes] = []
        self._places: dict[int, int] = {}

    def index(self, resource: Attributes) -> int:
        place = self._places.get(id(resource))
        if place is None:
            place = self._places[id(resource)] = len(self.found)
            self.found.append(resource)
        return place


def _rows(records: Iterable[object], values: Values) -> list[Row]:
    return [values(record) for record in records]


def _span(row: Row, resources: Sequence[Attributes]) -> Span:
    place, events, links, *rest = row
    return Span(
        resource=resources[place],
        events=tuple(SpanEvent(**dict(zip(_EVENT, event, strict=True))) for event in events),
        links=tuple(SpanLink(**dict(zip(_LINK, link, strict=True))) for link in links),
        **dict(zip(_SPAN, rest, strict=True)),
    )
