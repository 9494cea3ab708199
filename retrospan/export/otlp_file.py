"""Spans and logs of a store as a file of OTLP/JSON lines.

Every line is read again by the reader that `retrospan ingest` uses, and compared with the store:
a record that does not come back equal is named, never passed over.
"""

import gzip
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from ingest.limits import Limits
from ingest.otlp.documents import Walker
from retrospan.export.exported import Exported, ExportedFile
from retrospan.export.otlp import Document, logs_document, spans_document
from retrospan.export.parts import PURPOSE, SQL, Chosen, choose, generation, leases, parts
from store.errors import DataError, UsageError
from store.lease import Store
from store.model import LogRecord, Span
from store.query import ask
from store.read import read_logs, read_spans
from store.values import from_json, map_from_json, to_json

SUFFIXES = (".jsonl", ".jsonl.gz")
RECORDS_PER_LINE = 500
BUFFER_BYTES = 1024 * 1024


def export_otlp(store: Store, output: Path, flow_ids: Sequence[str] = ()) -> Exported:
    """All spans and logs, or those of some flows; equal stores give equal bytes."""
    if not output.name.endswith(SUFFIXES):
        raise UsageError(f"-o {output}: the name must end in {' or '.join(SUFFIXES)}")
    before = generation(store)
    chosen = choose(store, flow_ids)
    counted = {"spans": 0, "logs": 0}
    differing: list[str] = []
    with lines_into(output) as stream:
        for spans, logs in _records(store, chosen, everything=not flow_ids):
            counted["spans"] += len(spans)
            counted["logs"] += len(logs)
            for part in _cut(spans):
                differing += _write(stream, spans_document(part), part)
            for part in _cut(logs):
                differing += _write(stream, logs_document(part), part)
        if not any(counted.values()):  # an empty file would be no OTLP
            _write(stream, spans_document(()), ())
    return Exported(
        form="otlp",
        files=[ExportedFile(path=output, table=name, rows=n) for name, n in counted.items()],
        differing=differing,
        changed_meanwhile=generation(store) != before,
        left_out=_decisions(store, flow_ids),
    )


def _decisions(store: Store, flow_ids: Sequence[str]) -> list[str]:
    """What is said of the decision log: its records are no OTLP."""
    with store.reading(PURPOSE) as session:
        asked = {"flow_ids": sorted(set(flow_ids)), "all": not flow_ids}
        count = ask(session, SQL / "logged_decisions.sql", asked).item()
    return [f"{count} decisions of the log; export parquet has one for them"] if count else []


def _records(
    store: Store, chosen: Chosen, *, everything: bool
) -> Iterator[tuple[list[Span], list[LogRecord]]]:
    """Spans and logs of whole traces, a lease's worth at a time; then logs without a trace."""
    for trace_ids in leases(chosen.traces):
        with store.reading(PURPOSE) as session:
            spans, logs = read_spans(session, trace_ids), read_logs(session, trace_ids)
        if chosen.members is not None:
            wanted = chosen.members
            spans = [span for span in spans if span.span_id in wanted[span.trace_id]]
            logs = [
                log
                for log in logs
                if log.span_id is None or log.span_id in wanted.get(log.trace_id or "", ())
            ]
        yield spans, logs
    if everything:
        for frame in parts(store, "logs_without_trace", SQL / "logs_without_trace.sql"):
            yield [], [_loose(row) for row in frame.iter_rows(named=True)]


def _loose(row: Mapping[str, Any]) -> LogRecord:
    texts = {"body": from_json, "attributes": map_from_json, "resource": map_from_json}
    decoded = {name: decode(row[name]) for name, decode in texts.items()}
    return LogRecord(**{**row, **decoded, "trace_id": None})


def _cut(records: Sequence[Span] | Sequence[LogRecord]) -> Iterable[Sequence[Any]]:
    return (
        records[start : start + RECORDS_PER_LINE]
        for start in range(0, len(records), RECORDS_PER_LINE)
    )


def _write(stream: IO[bytes], document: Document, records: Sequence[Span | LogRecord]) -> list[str]:
    """One line; the records that its reader would not give back as they are."""
    line = msgspec.json.encode(document)
    stream.write(line + b"\n")
    read = Walker(_LIMITS).walk(msgspec.json.decode(line), "line")
    return _differing(records, [item for item in read if isinstance(item, Span | LogRecord)])


_LIMITS = Limits()


def _differing(records: Sequence[Span | LogRecord], read: Sequence[Span | LogRecord]) -> list[str]:
    """Names of the records that are not among those that were read."""
    known = set(map(_text, read))
    return [name_of(record) for record in records if _text(record) not in known]


def _text(record: Span | LogRecord) -> str:
    """All of a record as text, in which NaN equals NaN and 1 is not 1.0."""
    fields = _fields(record)
    for name in ("events", "links"):
        if name in fields:
            fields[name] = [_fields(item) for item in fields[name]]
    return to_json(fields)


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def name_of(record: Span | LogRecord) -> str:
    """A record as people look for it."""
    if isinstance(record, Span):
        return f"span {record.trace_id} {record.span_id}"
    return f"log {record.trace_id or 'without trace'} {record.time_ns}"


@contextmanager
def lines_into(output: Path) -> Iterator[IO[bytes]]:
    """A file that is there only when it is whole, readable by its owner only."""
    aside = output.with_name(f"{output.name}.part")
    try:
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            if output.name.endswith(".gz"):
                # No name and no time in the header: equal data, equal bytes.
                with (
                    gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,
                    io.BufferedWriter(packed, BUFFER_BYTES) as stream,
                ):
                    yield stream
            else:
                yield raw
        aside.replace(output)
    except OSError as error:
        raise DataError(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        aside.unlink(missing_ok=True)
