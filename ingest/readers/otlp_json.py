"""OTLP JSON: one document, JSON lines, or documents written one behind the other."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, NamedTuple

from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.json import FlatJson, typed_of
from ingest.fast.json_shapes import Logs, Traces
from ingest.fast.logs import encode_logs
from ingest.jsonstream import Document, Grammar, documents
from ingest.limits import Limits
from ingest.otlp.documents import Walker, decode, is_document
from ingest.preparation import Preparation
from ingest.reader import Item, Piece
from store.log_table import LogTable
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
    value: Traces | Logs


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
        self, stream: BinaryIO, limits: Limits, piece_bytes: int
    ) -> Iterator[Item | Piece]:
        """The same; spans of documents that hold nothing odd as columns."""
        walker = Walker(limits)
        piece: list[tuple[int, _Typed]] = []
        size = 0
        for found in documents(stream, limits, _TYPED_GRAMMAR):
            held = found.value if isinstance(found, Document) else None
            if piece and not (
                isinstance(held, _Typed) and type(held.value) is type(piece[0][1].value)
            ):
                yield Piece(partial(_made, piece, limits))
                piece, size = [], 0
            if isinstance(found, Document) and isinstance(found.value, _Typed):
                piece.append((found.line, found.value))
                size += len(found.value.data)
                if size >= min(piece_bytes, PIECE_BYTES):
                    yield Piece(partial(_made, piece, limits))
                    piece, size = [], 0
                continue
            if isinstance(found, Rejected):
                yield found
            else:
                yield from walker.walk(found.value, f"line {found.line}")
        if piece:
            yield Piece(partial(_made, piece, limits))


def _typed(data: bytes) -> object:
    try:
        return _Typed(data, typed_of(data))
    except OddError:
        return decode(data)


_TYPED_GRAMMAR = Grammar(_typed, lambda value: isinstance(value, _Typed) or is_document(value))


def _made(
    piece: Sequence[tuple[int, _Typed]], limits: Limits, prepare: Preparation
) -> Iterator[Item | SpanTable | LogTable]:
    """The records of documents that are all of one kind."""
    traces = [held.value for _, held in piece if isinstance(held.value, Traces)]
    logs = [held.value for _, held in piece if isinstance(held.value, Logs)]
    try:
        if logs:
            yield encode_logs(FlatJson(limits).flat_logs(logs), prepare, limits)
        else:
            yield encode(FlatJson(limits).flat(traces), prepare, limits)
    except OddError:
        walker = Walker(limits)
        for line, held in piece:
            yield from walker.walk(decode(held.data), f"line {line}")


READER = OtlpJsonReader()
