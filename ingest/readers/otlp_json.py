"""OTLP JSON: one document, JSON lines, or documents written one behind the other."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import BinaryIO, NamedTuple

from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.json import FlatJson, signal_in
from ingest.fast.logs import encode_logs
from ingest.jsonstream import Document, Grammar, documents
from ingest.limits import Limits
from ingest.otlp.documents import Walker, decode, is_document
from ingest.otlp.wire import LOGS, TRACES
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


class _Sound(NamedTuple):
    """A document of one signal, not decoded yet."""

    data: bytes
    signal: str


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
            yield from _records_of(found, walker)

    def read_columns(
        self, stream: BinaryIO, limits: Limits, piece_bytes: int
    ) -> Iterator[Item | Piece]:
        """The same; spans of documents that hold nothing odd as columns."""
        walker = Walker(limits)
        piece: list[tuple[int, bytes]] = []
        size, of_piece = 0, TRACES
        for found in documents(stream, limits, _SOUND_GRAMMAR):
            held = found.value if isinstance(found, Document) else None
            if piece and not (isinstance(held, _Sound) and held.signal == of_piece):
                yield Piece(partial(_made, piece, of_piece, limits))
                piece, size = [], 0
            if isinstance(found, Document) and isinstance(held, _Sound):
                piece.append((found.line, held.data))
                of_piece = held.signal
                size += len(held.data)
                if size >= min(piece_bytes, PIECE_BYTES):
                    yield Piece(partial(_made, piece, of_piece, limits))
                    piece, size = [], 0
            else:
                yield from _records_of(found, walker)
        if piece:
            yield Piece(partial(_made, piece, of_piece, limits))


def _sound(data: bytes) -> object:
    try:
        return _Sound(data, signal_in(data))
    except OddError:
        return decode(data)


_SOUND_GRAMMAR = Grammar(_sound, lambda value: isinstance(value, _Sound) or is_document(value))


def _made(
    piece: Sequence[tuple[int, bytes]], signal: str, limits: Limits, prepare: Preparation
) -> Iterator[Item | SpanTable | LogTable]:
    """The records of documents that are all of one signal."""
    data = [held for _, held in piece]
    try:
        if signal == LOGS:
            yield encode_logs(FlatJson(limits).flat_logs(data), prepare, limits)
        else:
            yield encode(FlatJson(limits).flat(data), prepare, limits)
    except OddError:
        walker = Walker(limits)
        for line, held in piece:
            for found in documents(io.BytesIO(held), limits, _GRAMMAR):
                if isinstance(found, Rejected):
                    yield replace(found, record=f"line {line}")
                else:
                    yield from walker.walk(found.value, f"line {line}")


def _records_of(found: Document | Rejected, walker: Walker) -> Iterator[Item]:
    if isinstance(found, Rejected):
        yield found
    else:
        yield from walker.walk(found.value, f"line {found.line}")


READER = OtlpJsonReader()
