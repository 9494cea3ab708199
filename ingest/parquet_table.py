"""Tables in Parquet, row by row."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.exported_rows import FORMAT, IGNORED, ROWS
from ingest.ids import BadIdError, Ids
from ingest.limits import Limits
from ingest.otlp.values import UnreadableError
from ingest.parquet_rows import Row, RowReader, log_of, plain_name, span_of
from ingest.reader import Item, MetricsSeen
from store.model import Rejected

ROWS_PER_BATCH = 1_000
SPAN_COLUMNS = frozenset({"traceid", "spanid", "spanname"})
LOG_COLUMNS = frozenset({"body", "severitynumber"})
METRIC_COLUMNS = frozenset({"metricname"})
_UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
_BROKEN = (pa.ArrowException, OSError, ValueError, TypeError, OverflowError, MemoryError)


def records(file: BinaryIO, limits: Limits) -> Iterator[Item]:
    """Every record of a Parquet file; a row that cannot be read is refused alone.

    In memory stands one group of rows as it is packed, at most `document_bytes`.
    """
    try:
        table = pq.ParquetFile(pa.PythonFile(file, mode="r"))
        names = {plain_name(name) for name in table.schema_arrow.names}
    except _BROKEN as error:
        yield Rejected(record="whole file", reason=f"not Parquet: {_worded(error)}")
        return
    told = table.schema_arrow.metadata or {}
    if b"format" in told and told[b"format"].startswith(b"retrospan.parquet/"):
        yield from _exported(table, told, limits)
    elif names >= METRIC_COLUMNS:
        if table.metadata.num_rows:
            yield MetricsSeen(table.metadata.num_rows)
    elif names >= SPAN_COLUMNS or names >= LOG_COLUMNS:
        yield from _rows(table, limits, span_of if names >= SPAN_COLUMNS else log_of)
    else:
        listed = ", ".join(sorted(names)[:8])[:200]
        reason = f"Parquet, but no OTLP table: has {listed}; expected TraceId, SpanId, SpanName"
        yield Rejected(record="whole file", reason=reason)


def _exported(table: Any, told: Mapping[bytes, bytes], limits: Limits) -> Iterator[Item]:
    """One table of a store; what a store tells of its own loads is no record."""
    form, name = (told.get(it, b"").decode("utf-8", "replace") for it in (b"format", b"table"))
    if form != FORMAT:
        reason = f"written as {form[:40]}, read is {FORMAT}: export it with this retrospan"
        yield Rejected(record="whole file", reason=reason)
    elif name in ROWS:
        yield from _rows(table, limits, ROWS[name])
    elif name not in IGNORED:
        reason = f"{form} knows no table {name[:40]!r}"
        yield Rejected(record="whole file", reason=reason)


def _rows(table: Any, limits: Limits, reader: RowReader) -> Iterator[Item]:
    ids = Ids()
    number = 0
    for group in range(table.num_row_groups):
        began = number
        try:
            _check_size(table.metadata.row_group(group), limits)
            for batch in table.iter_batches(ROWS_PER_BATCH, row_groups=[group]):
                for row in _plain_rows(batch):
                    number += 1
                    yield _record(row, number, ids, limits, reader)
        except _BROKEN as error:
            reason = f"row group {group} cannot be read: {_worded(error)}"
            yield Rejected(record=f"row {number + 1}", reason=reason)
            number = began + table.metadata.row_group(group).num_rows


def _check_size(group: Any, limits: Limits) -> None:
    columns = (group.column(at) for at in range(group.num_columns))
    if sum(column.total_compressed_size for column in columns) > limits.document_bytes:
        raise UnreadableError(f"it is larger than document_bytes = {limits.document_bytes}")


def _record(row: Row, number: int, ids: Ids, limits: Limits, reader: RowReader) -> Item:
    try:
        return reader(row, ids, limits)
    except (UnreadableError, BadIdError) as error:
        return Rejected(record=f"row {number}", reason=str(error))


def _plain_rows(batch: Any) -> Iterator[Row]:
    """Rows as values of Python, times as nanoseconds: Python's own times know none."""
    columns = {
        plain_name(field.name): _values(column, field.type)
        for field, column in zip(batch.schema, batch.columns, strict=True)
    }
    for index in range(batch.num_rows):
        yield {name: values[index] for name, values in columns.items()}


def _values(column: Any, kind: Any) -> list[Any]:
    if pa.types.is_timestamp(kind):
        unit = _UNITS[kind.unit]
        values = column.cast(pa.int64()).to_pylist()
        return [None if value is None else value * unit for value in values]
    if pa.types.is_list(kind) and pa.types.is_timestamp(kind.value_type):
        unit = _UNITS[kind.value_type.unit]
        lists = column.cast(pa.list_(pa.int64())).to_pylist()
        return [
            None if items is None else [0 if item is None else item * unit for item in items]
            for items in lists
        ]
    found: list[Any] = column.to_pylist()
    return found


def _worded(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
