"""OTLP protobuf: one message, or many behind varint lengths or the collector's four bytes."""

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from ingest.jsonstream import UndecodableError
from ingest.limits import Limits
from ingest.otlp import protobuf
from ingest.otlp.documents import Walker
from ingest.otlp.framing import SINGLE, Message, framing_of, messages
from ingest.otlp.values import Object
from ingest.otlp.wire import LOGS, METRICS, TRACES, signals_in
from ingest.reader import HEAD_BYTES, Item
from store.model import Rejected

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
        head = stream.read(HEAD_BYTES)
        framing = framing_of(head) or SINGLE
        walker = Walker(limits)
        for found in messages(_joined(head, stream), limits, framing):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from records_of(found, walker)


def records_of(message: Message, walker: Walker) -> Iterator[Item]:
    """The records of one message, by the same walk as those of OTLP JSON."""
    signals = signals_in(message.data, 0, len(message.data), first=True) or {TRACES}
    try:
        document = _DECODERS[signals.pop()](message.data)
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
