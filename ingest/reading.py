"""Inputs into batches, one after the other."""

import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple, cast

from ingest import conventions
from ingest.chunk import Chunk, fitting
from ingest.kinds import DATA_SUFFIXES, kind_of
from ingest.known import KnownInputs
from ingest.pieces import Made, Makers
from ingest.progress import Telling
from ingest.reader import (
    HEAD_BYTES,
    ColumnReader,
    MetricsSeen,
    Reader,
    claimant,
    coded,
    discover,
    named,
)
from ingest.report import FileReport, IngestReport, Skipped
from ingest.settings import IngestSettings
from ingest.sources import STDIN, Source
from ingest.streams import Input, Place
from ingest.told import told_by
from store.errors import DataError
from store.ledger import KnownInput
from store.log_table import LogTable
from store.model import Batch, LogRecord, Rejected, Span
from store.span_table import SpanTable
from store.write import ready

# Raised when a reader gives other records for the same bytes: the ledger then reads them again.
READER_VERSION = 6
WHOLE_FILE = "whole file"


class Ready(NamedTuple):
    """A batch that waits for a lease, and the report that counts it."""

    report: FileReport
    batch: Batch
    records: int
    size_bytes: int


class Reading:
    """Reads inputs into batches that are ready to be stored; `report` tells of what was read."""

    def __init__(
        self, settings: IngestSettings, telling: Telling, known: KnownInputs, makers: Makers
    ) -> None:
        self.report = IngestReport()
        self._known, self._makers = known, makers
        self._settings, self._telling = settings, telling
        self._readers = coded(discover(), settings.codec)
        self._forced = named(settings.format, self._readers) if settings.format else None
        self._preparation = settings.preparation()
        self._rules = settings.rules_sha256()

    def batches(self, source: Source, stdin: BinaryIO | None) -> Iterator[Ready]:
        """All batches of one input; one that cannot be opened is reported like a bad record."""
        settings = self._settings
        report = FileReport(path=source.path, rejected_listed_max=settings.rejected_listed_max)
        self._telling.begin(source.path)
        try:
            if source.path == STDIN:
                yield from self._open(source, stdin or sys.stdin.buffer, None, report)
            else:
                with Path(source.path).open("rb") as raw:
                    content = self._known.sha256(raw)
                    yield from self._open(source, raw, content, report)
        except OSError as error:
            yield from self._refuse(report, f"cannot be read: {error.strerror or error}")
        except ValueError as error:  # a path with a zero byte
            yield from self._refuse(report, f"cannot be read: {error}")

    def _open(
        self, source: Source, raw: BinaryIO, content: str | None, report: FileReport
    ) -> Iterator[Ready]:
        limit = self._settings.limits.decompressed_bytes
        stream = Input(raw, limit, hashing=content is None)
        head = stream.head(HEAD_BYTES)
        if not head.strip():
            yield from self._refuse(report, stream.problem or "the file is empty", content)
            return
        try:
            reader = self._forced or claimant(head, self._readers)
        except DataError as error:
            yield from self._refuse(report, str(error), content)
            return
        if reader is None:
            yield from self._unclaimed(source, head, content, report)
            return
        report.format = reader.name
        self.report.files.append(report)
        known = self._known.get((content or "", _version_of(reader), self._rules))
        if known is None:
            yield from self._read(reader, stream, content, report)
        else:
            self._tell_known(known, report)

    def _tell_known(self, known: KnownInput, report: FileReport) -> None:
        report.duplicates += known.records
        report.truncated += known.truncated
        report.reject_all(known.rejected, known.rejected_count)
        self._telling.end(known.records + known.rejected_count)

    def _read(
        self, reader: Reader, stream: Input, content: str | None, report: FileReport
    ) -> Iterator[Ready]:
        settings = self._settings
        chunk = Chunk()
        records = 0
        for found, place in self._found(reader, stream):
            for item in fitting(found, chunk.size, settings.records_per_batch):
                if chunk.size >= settings.records_per_batch or (
                    chunk.size and place.position - chunk.began_at > settings.bytes_per_batch
                ):
                    yield self._put(chunk, reader, place, content, report)
                    chunk = Chunk(index=chunk.index + 1, began_at=place.position)
                chunk.add(item)
                if isinstance(item, Span | LogRecord) and conventions.TRUNCATED in item.attributes:
                    report.truncated += 1
                if not isinstance(item, MetricsSeen):
                    records += len(item) if isinstance(item, SpanTable | LogTable) else 1
                    self._telling.at(records, place.taken)
        if stream.problem:
            chunk.drop_cut_record(mid_line=stream.mid_line)
            chunk.add(Rejected(record=WHOLE_FILE, reason=stream.problem))
        yield self._put(chunk, reader, stream.place(), content, report, ends=True)
        self._telling.end(records)

    def _found(self, reader: Reader, stream: Input) -> Iterator[Made]:
        """All that is in an input, as it is stored."""
        limits, binary = self._settings.limits, cast(BinaryIO, stream)
        if isinstance(reader, ColumnReader):
            parts = reader.read_columns(binary, limits, self._settings.bytes_per_batch)
            return self._makers.made(parts, stream, self._preparation)
        return self._makers.made(reader.read(binary, limits), stream, self._preparation)

    def _put(
        self,
        chunk: Chunk,
        reader: Reader,
        place: Place,
        content: str | None,
        report: FileReport,
        *,
        ends: bool = False,
    ) -> Ready:
        for rejected in chunk.rejected:
            report.reject(rejected)
        report.records_read += chunk.size - len(chunk.rejected)
        batch = Batch(
            source=report.path,
            content_sha256=f"{content or place.sha256}:{chunk.index}",
            reader=_version_of(reader),
            rules_sha256=self._rules,
            spans=chunk.spans,
            logs=chunk.logs,
            decisions=[*chunk.decisions, *told_by(chunk.spans, chunk.tables, chunk.logs)],
            rejected=chunk.rejected,
            incidents=chunk.incidents,
            metrics=chunk.metrics,
            encoded=chunk.tables,
            encoded_logs=chunk.log_tables,
            leaf_key=self._settings.redaction_key,
            end=report.end() if ends and content else None,
        )
        return Ready(report, ready(batch), chunk.size, place.position - chunk.began_at)

    def _unclaimed(
        self, source: Source, head: bytes, content: str | None, report: FileReport
    ) -> Iterator[Ready]:
        suffix = PurePath(source.path).suffix.lower()
        if not source.explicit and suffix not in DATA_SUFFIXES:
            reason = f"{kind_of(head, source.path)}, and its name is not one of a data file"
            self.report.skipped.append(Skipped(path=source.path, reason=reason))
            return
        formats = ", ".join(sorted(self._readers))
        kind = kind_of(head, source.path)
        reason = f"this looks like {kind}; the formats that are read: {formats}"
        yield from self._refuse(report, reason, content)

    def _refuse(
        self, report: FileReport, reason: str, content: str | None = None
    ) -> Iterator[Ready]:
        """Refuse a whole input; what could be read of one is kept aside like a bad record."""
        rejected = Rejected(record=WHOLE_FILE, reason=reason)
        report.reject(rejected)
        if not any(report is known for known in self.report.files[-1:]):
            self.report.files.append(report)
        if content is not None:
            redactor = self._preparation.redactor
            kept = redactor.rejected(rejected) if redactor else rejected
            batch = Batch(
                source=report.path,
                content_sha256=f"{content}:0",
                reader=f"none/{READER_VERSION}",
                rules_sha256=self._rules,
                rejected=[kept],
            )
            yield Ready(report, batch, 1, 0)


def _version_of(reader: Reader) -> str:
    return f"{reader.name}/{READER_VERSION}"
