"""OTLP JSON: one document, JSON lines, or documents written one behind the other."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.json import FlatJson
from ingest.fast.json_shapes import Traces
from ingest.jsonstream import Document, Grammar, documents
from ingest.limits import Limits
from ingest.otlp.documents import Walker, decode, is_document
from ingest.preparation import Preparation
from ingest.reader import Item
from store.model import Rejected
from store.span_table import SpanTable

PIECE_BYTES = 8 * 1024 * 1024

_SIGNAL = re.compile(
    rb'"(?:resource_?(?:Spans|Logs|Metrics|spans|logs|metrics))"\s*:\s*(?:\[|null)'
    rb'|"batches"\s*:\s*\[\s*(?:\]|\{\s*"(?:resource|scope_?[Ss]pans|instrumentation))'
)
_GRAMMAR = Grammar(decode, is_document)


class _Typed(NamedTuple):
    """A document in both forms: the walk over records starts from its bytes."""

    data: bytes
    traces: Traces


class OtlpJsonReader:
    """Reads every dialect of OTLP JSON that `ingest.otlp` knows."""

    name = "otlp_json"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the key of a signal, wherever it stands: a first line may be malformed."""
        return b"\0" not in head and _SIGNAL.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every record of every document."""
        walker = Walker(limits)
        for found in documents(stream, limits, _GRAMMAR):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from walker.walk(found.value, f"line {found.line}")

    def read_columns(
        self, stream: BinaryIO, limits: Limits, prepare: Preparation, piece_bytes: int
    ) -> Iterator[Item | SpanTable]:
        """The same; spans of documents that hold nothing odd as columns."""
        walker, decoder = Walker(limits), FlatJson(limits)
        piece: list[tuple[int, _Typed]] = []
        size = 0

        def typed(data: bytes) -> object:
            try:
                return _Typed(data, decoder.decode(data))
            except OddError:
                return decode(data)

        def given() -> Iterator[Item | SpanTable]:
            try:
                yield encode(decoder.flat([held.traces for _, held in piece]), prepare, limits)
            except OddError:
                for line, held in piece:
                    yield from walker.walk(decode(held.data), f"line {line}")
            piece.clear()

        grammar = Grammar(typed, lambda value: isinstance(value, _Typed) or is_document(value))
        for found in documents(stream, limits, grammar):
            if isinstance(found, Document) and isinstance(found.value, _Typed):
                piece.append((found.line, found.value))
                size += len(found.value.data)
                if size >= min(piece_bytes, PIECE_BYTES):
                    yield from given()
                    size = 0
                continue
            if piece:
                yield from given()
                size = 0
            if isinstance(found, Rejected):
                yield found
            else:
                yield from walker.walk(found.value, f"line {found.line}")
        if piece:
            yield from given()


READER = OtlpJsonReader()
