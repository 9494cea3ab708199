"""OTLP protobuf: one message, or many behind varint lengths or the collector's four bytes."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import BinaryIO, cast

from ingest.fast.encode import encode
from ingest.fast.flat import OddError
from ingest.fast.logs import encode_logs
from ingest.fast.protobuf import FlatProtobuf
from ingest.jsonstream import UndecodableError
from ingest.limits import Limits
from ingest.otlp import protobuf
from ingest.otlp.documents import Walker
from ingest.otlp.framing import SINGLE, Message, framing_of, messages
from ingest.otlp.values import Object
from ingest.otlp.wire import LOGS, METRICS, TRACES, signal_of
from ingest.preparation import Preparation
from ingest.reader import HEAD_BYTES, Item, Piece
from store.log_table import LogTable
from store.model import Rejected
from store.span_table import SpanTable

PIECE_BYTES = 4 * 1024 * 1024

_DECODERS: dict[str, Callable[[bytes], Object]] = {
    TRACES: protobuf.traces_of,
    LOGS: protobuf.logs_of,
    METRICS: protobuf.metrics_of,
}


class OtlpProtobufReader:
    """Reads traces and logs, counts metrics; each message tells by its records which it holds."""

    name = "otlp_protobuf"

    def sniff(self, head: bytes) -> bool:
        """Claimed when every field that is there is one of OTLP, and a record is."""
        return framing_of(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every record of every message."""
        walker = Walker(limits)
        for found in _messages(stream, limits):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from _records_of(found, walker)

    def read_columns(
        self, stream: BinaryIO, limits: Limits, piece_bytes: int
    ) -> Iterator[Item | Piece]:
        """The same; spans of messages that hold nothing odd as columns."""
        walker = Walker(limits)
        piece: list[Message] = []
        size, of_piece = 0, TRACES
        for found in _messages(stream, limits):
            signal = signal_of(found.data) if isinstance(found, Message) else METRICS
            if piece and signal != of_piece:
                yield Piece(partial(_made, piece, of_piece, limits))
                piece, size = [], 0
            if isinstance(found, Message) and signal != METRICS:
                piece.append(found)
                of_piece = signal
                size += len(found.data)
                if size >= min(piece_bytes, PIECE_BYTES):
                    yield Piece(partial(_made, piece, of_piece, limits))
                    piece, size = [], 0
                continue
            if isinstance(found, Rejected):
                yield found
            else:
                yield from _records_of(found, walker)
        if piece:
            yield Piece(partial(_made, piece, of_piece, limits))


def _made(
    piece: Sequence[Message], signal: str, limits: Limits, prepare: Preparation
) -> Iterator[Item | SpanTable | LogTable]:
    data = [found.data for found in piece]
    try:
        if signal == LOGS:
            yield encode_logs(FlatProtobuf(limits).flat_logs(data), prepare, limits)
        else:
            yield encode(FlatProtobuf(limits).flat(data), prepare, limits)
    except OddError:
        walker = Walker(limits)
        for found in piece:
            yield from _records_of(found, walker)


def _messages(stream: BinaryIO, limits: Limits) -> Iterator[Message | Rejected]:
    head = stream.read(HEAD_BYTES)
    return messages(_joined(head, stream), limits, framing_of(head) or SINGLE)


def _records_of(message: Message, walker: Walker) -> Iterator[Item]:
    """The records of one message, by the same walk as those of OTLP JSON."""
    try:
        document = _DECODERS[signal_of(message.data)](message.data)
    except UndecodableError as error:
        yield Rejected(record=message.place, reason=str(error))
        return
    yield from walker.walk(document, message.place)


class _Joined(io.RawIOBase):
    """Bytes that were taken from a stream to look at them, then the rest of it."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head, self._rest = head, rest

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            data, self._head = self._head, b""
            return data
        return self._rest.read(size)


def _joined(head: bytes, rest: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, _Joined(head, rest))


READER = OtlpProtobufReader()
