"""How OTLP protobuf messages stand in a file, and each of them in turn.

A single message is read resource by resource, which protobuf allows: joined messages are the
message of their joined lists. So no framing needs more memory than its largest part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ingest.limits import Limits
from ingest.otlp.wire import CutError, NotWireError, signals_in, varint
from store.model import Rejected

SINGLE, VARINTS, BIG_ENDIAN = "message", "varint", "collector"
ENDS_INSIDE = "the input ends inside a protobuf message"
_RESOURCE_TAG = b"\x0a"
_PREFIX_BYTES_MAX = 11
READ_BYTES = 1024 * 1024
_UNKNOWN_END = 2**62  # a single message that was cut off still has its first parts


@dataclass(frozen=True, slots=True)
class Message:
    """The bytes of one message, or of one resource's part of a single message."""

    place: str
    data: bytes


def framing_of(head: bytes) -> str | None:
    """The framing under which the beginning of an input is OTLP, cut off or not."""
    if signals_in(head, 0, _UNKNOWN_END, first=False):
        return SINGLE
    for framing in (BIG_ENDIAN, VARINTS):
        if _fits(head, framing):
            return framing
    return None


def _fits(head: bytes, framing: str) -> bool:
    at, seen = 0, False
    while at < len(head):
        try:
            size, start = prefix_of(head, at, framing)
        except CutError:
            return seen
        except NotWireError:
            return False
        end = start + size
        if size:
            found = signals_in(head, start, end, first=False)
            if not found and end <= len(head):
                return False
            seen = seen or bool(found)
        at = end
    return seen


def prefix_of(data: bytes, at: int, framing: str) -> tuple[int, int]:
    """The size of the message at a place and where it begins."""
    if framing == BIG_ENDIAN:
        if len(data) < at + 4:
            raise CutError
        return int.from_bytes(data[at : at + 4]), at + 4
    if framing == SINGLE:
        if data[at : at + 1] != _RESOURCE_TAG:
            raise NotWireError
        at += 1
    return varint(data, at)


def messages(stream: BinaryIO, limits: Limits, framing: str) -> Iterator[Message | Rejected]:
    """Every message of an input in order; after what is no message nothing can be found."""
    called = "resource" if framing == SINGLE else "message"
    buffer, at, number = b"", 0, 0
    while True:
        number += 1
        place = f"{called} {number}"
        if len(buffer) - at < _PREFIX_BYTES_MAX:
            buffer, at = buffer[at:] + stream.read(READ_BYTES), 0
        if at == len(buffer):
            return
        try:
            size, start = prefix_of(buffer, at, framing)
        except CutError:
            yield Rejected(record=place, reason=ENDS_INSIDE)
            return
        except NotWireError:
            yield Rejected(record=place, reason="no OTLP message begins here; the rest is not read")
            return
        if framing == SINGLE:  # the resource keeps its tag, so that it is a message of its own
            size, start = size + start - at, at
        if size > limits.document_bytes:
            limit = limits.document_bytes
            yield Rejected(record=place, reason=f"message is larger than document_bytes = {limit}")
            if not _skip(stream, start + size - len(buffer)):
                yield Rejected(record=place, reason=ENDS_INSIDE)
                return
            buffer, at = buffer[start + size :], 0
            continue
        missing = start + size - len(buffer)
        if missing > 0:
            buffer = buffer[start:] + stream.read(max(missing, READ_BYTES))
            start = 0
        at = start + size
        if at > len(buffer):
            yield Rejected(record=place, reason=ENDS_INSIDE)
            return
        yield Message(place, buffer[start:at])


def _skip(stream: BinaryIO, count: int) -> bool:
    while count > 0:
        data = stream.read(min(count, READ_BYTES))
        if not data:
            return False
        count -= len(data)
    return True
