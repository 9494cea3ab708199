"""Recorded spans, logs and decisions as Parquet tables, and back.

Attributes and bodies are JSON text as the store writes it (`store/values.py`), events and links of
a span lists in one column. Equal records give equal bytes under one version of pyarrow. What comes
from a stranger's file is checked for shape before anybody believes it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.otlp.spans import KINDS, STATUSES
from store.errors import DataError
from store.model import Decision, LogRecord, Span, SpanEvent, SpanLink
from store.values import from_json, map_from_json, to_json

Record = TypeVar("Record", Span, LogRecord, Decision)
ROWS_PER_GROUP = 50_000
NS_MAX = (1 << 63) - 1
TRACE_ID, SPAN_ID = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
_MAPS = ("attributes", "resource", "record")
_NUMBERS = ("start_ns", "end_ns", "time_ns", "observed_ns", "severity_number", "seq")
_OPTIONAL = {
    Span: {"parent_span_id", "end_ns"},
    LogRecord: {"trace_id", "span_id"},
    Decision: {field.name for field in fields(Decision)}
    - {"decision_id", "time_ns", "chosen", "record"},
}  # fmt: skip


def _schema(record: type[Any]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(
                field.name,
                pa.int64() if field.name in _NUMBERS else pa.string(),
                nullable=field.name in _OPTIONAL[record],
            )
            for field in fields(record)
        ]
    )


def write_records(path: Path, record: type[Record], records: Sequence[Record]) -> None:
    """A Parquet file of these records, in their order."""
    schema = _schema(record)
    names = [field.name for field in fields(record)]
    with pq.ParquetWriter(path, schema, compression="zstd", version="2.6") as writer:
        for start in range(0, max(len(records), 1), ROWS_PER_GROUP):
            part = records[start : start + ROWS_PER_GROUP]
            columns = {name: [_cell(name, getattr(one, name)) for one in part] for name in names}
            writer.write_table(pa.table(columns, schema=schema))


def _cell(name: str, value: object) -> object:
    if name == "events":
        assert isinstance(value, Sequence)
        return to_json([[one.name, one.time_ns, dict(one.attributes)] for one in value])
    if name == "links":
        assert isinstance(value, Sequence)
        return to_json([[one.trace_id, one.span_id, dict(one.attributes)] for one in value])
    if name in _MAPS:
        assert isinstance(value, Mapping)
        return to_json(dict(value))
    return to_json(value) if name == "body" else value


def read_records(path: Path, record: type[Record], rows_max: int) -> Iterator[list[Record]]:
    """The records of a file, in parts. DataError names the file and what is wrong with it."""
    schema = _schema(record)
    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema):
                raise DataError(f"{path}: its columns are not those of {record.__name__}")
            if file.metadata.num_rows > rows_max:
                raise DataError(f"{path}: at most {rows_max} rows are read")
            seen = 0
            for batch in file.iter_batches(batch_size=ROWS_PER_GROUP):
                if (seen := seen + batch.num_rows) > rows_max:
                    raise DataError(f"{path}: at most {rows_max} rows are read")
                yield [_record(record, row) for row in batch.to_pylist()]
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no readable Parquet file: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(f"{path}: a row is no {record.__name__}: {error}") from error


def _record(record: type[Record], row: dict[str, Any]) -> Record:
    for name, decode in _DECODERS.items():
        if name in row:
            row[name] = decode(row[name])
    for name, check in _CHECKS.items():
        if row.get(name) is not None:
            check(name, row[name])
    for name in row.keys() - _OPTIONAL[record]:
        if row[name] is None and name != "body":
            raise ValueError(f"{name} is missing")
    return record(**row)


def _map(text: str) -> dict[str, Any]:
    value = map_from_json(text)
    if not isinstance(value, dict):
        raise ValueError("attributes must be an object")
    return value


def _events(text: str) -> tuple[SpanEvent, ...]:
    found = []
    for name, time_ns, attributes in from_json(text):
        if not isinstance(name, str) or not isinstance(attributes, dict):
            raise ValueError("an event has a name and attributes")
        _moment("event", time_ns)
        found.append(SpanEvent(name=name, time_ns=time_ns, attributes=attributes))
    return tuple(found)


def _links(text: str) -> tuple[SpanLink, ...]:
    found = []
    for trace_id, span_id, attributes in from_json(text):
        _trace("link", trace_id)
        _span("link", span_id)
        if not isinstance(attributes, dict):
            raise ValueError("a link has attributes")
        found.append(SpanLink(trace_id=trace_id, span_id=span_id, attributes=attributes))
    return tuple(found)


def _moment(name: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= NS_MAX:
        raise ValueError(f"{name} is no time: {value!r}")


def _trace(name: str, value: object) -> None:
    if not isinstance(value, str) or not TRACE_ID.fullmatch(value):
        raise ValueError(f"{name} is no trace id: {value!r:.80}")


def _span(name: str, value: object) -> None:
    if not isinstance(value, str) or not SPAN_ID.fullmatch(value):
        raise ValueError(f"{name} is no span id: {value!r:.80}")


def _one_of(values: Sequence[str]) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        if value not in values:
            raise ValueError(f"{name} {value!r:.80} is not one of {', '.join(values)}")

    return check


_DECODERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(_MAPS, _map),
    "events": _events,
    "links": _links,
    "body": from_json,
}
_CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "trace_id": _trace,
    "span_id": _span,
    "parent_span_id": _span,
    "start_ns": _moment,
    "end_ns": _moment,
    "time_ns": _moment,
    "observed_ns": _moment,
    "kind": _one_of(KINDS),
    "status": _one_of(STATUSES),
}
