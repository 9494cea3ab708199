"""The protobuf wire format of OTLP, as far as it tells what a message is and where it ends.

Protobuf has no magic bytes: a message is believed to be OTLP when every field of it, down to its
records, has a number and a wire type OTLP gives it there, and one record at least is seen.
"""

from collections.abc import Iterator
from typing import NamedTuple

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
TRACES, LOGS, METRICS = "traces", "logs", "metrics"
TRACE_ID_BYTES, SPAN_ID_BYTES = 16, 8

_SIZES = {FIXED64: 8, FIXED32: 4}
# Wire types by field number.
_SPAN = {
    **dict.fromkeys((1, 2, 3, 4, 5, 9, 11, 13, 15), LENGTH),
    **dict.fromkeys((6, 10, 12, 14), VARINT),
    **dict.fromkeys((7, 8), FIXED64),
    16: FIXED32,
}
_LOG = {
    **dict.fromkeys((1, 11), FIXED64),
    **dict.fromkeys((2, 7), VARINT),
    **dict.fromkeys((3, 5, 6, 9, 10, 12), LENGTH),
    8: FIXED32,
}
_METRIC_DATA = (5, 7, 9, 10, 11)
_METRIC = dict.fromkeys((1, 2, 3, *_METRIC_DATA, 12), LENGTH)
_RECORDS = {TRACES: _SPAN, LOGS: _LOG, METRICS: _METRIC}
_GROUP = dict.fromkeys((1, 2, 3, 1000), LENGTH)  # a resource's or a scope's part of a message


class Field(NamedTuple):
    """One field on the wire; of a length-delimited one, where its content lies."""

    number: int
    wire: int
    start: int
    end: int


class NotWireError(ValueError):
    """Raised when bytes are no protobuf fields."""


class CutError(ValueError):
    """Raised when the bytes end inside a field."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A number and the place behind it."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise CutError
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise NotWireError


def fields(data: bytes, start: int, end: int) -> Iterator[Field]:
    """The fields between two places; the last may reach past the end of the data."""
    at = start
    while at < end:
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == LENGTH:
            size, at = varint(data, at)
        elif wire == VARINT:
            first = at
            _, at = varint(data, at)
            size, at = at - first, first
        elif wire in _SIZES:
            size = _SIZES[wire]
        else:
            raise NotWireError
        if number == 0 or at + size > end:
            raise NotWireError
        yield Field(number, wire, at, at + size)
        at += size


def signals_in(data: bytes, start: int, end: int, *, first: bool) -> set[str]:
    """The signals of which records stand in a message, none when it fits no signal.

    `end` may lie past the data: what is there is judged. With `first` one record is enough.
    """
    possible, seen = set(_RECORDS), set[str]()
    try:
        for resource in fields(data, start, end):
            if (resource.number, resource.wire) != (1, LENGTH):
                return set()
            for scope in _grouped(data, resource):
                for record in _grouped(data, scope):
                    fitting = {name for name in possible if _fits(data, record, name)}
                    possible &= fitting
                    if not possible:
                        return set()
                    seen = possible
                    if first and len(seen) == 1:
                        return seen
    except CutError:
        pass
    except NotWireError:
        return set()
    return seen if len(seen) == 1 else set()


def _grouped(data: bytes, part: Field) -> Iterator[Field]:
    for field in fields(data, part.start, part.end):
        if _GROUP.get(field.number) != field.wire:
            raise NotWireError
        if field.number == 2:
            yield field


def _fits(data: bytes, record: Field, signal: str) -> bool:
    """Whether a record is one of this signal; a cut one is judged by what is there."""
    wires = _RECORDS[signal]
    found: dict[int, Field] = {}
    try:
        for field in fields(data, record.start, record.end):
            if wires.get(field.number) != field.wire:
                return False
            found[field.number] = field
    except CutError:
        if len(found) < 3:
            raise
    if signal == LOGS:
        return bool(found.keys() & {1, 11, 2, 3, 5})
    if signal == TRACES:
        return _size(found, 1) == TRACE_ID_BYTES and _size(found, 2) == SPAN_ID_BYTES
    points = [field for number, field in found.items() if number in _METRIC_DATA]
    return (
        _size(found, 1) > 0 and 7 not in found.keys() - set(_METRIC_DATA) and _points(data, points)
    )


def _points(data: bytes, parts: list[Field]) -> bool:
    """A metric's data begins with a list of points."""
    return bool(parts) and all(
        part.start == part.end or data[part.start : part.start + 1] in (b"\x0a", b"\x10", b"")
        for part in parts
    )


def _size(found: dict[int, Field], number: int) -> int:
    return found[number].end - found[number].start if number in found else 0


def signal_of(message: bytes) -> str:
    """The signal of a message by its first record; traces when there is none."""
    found = signals_in(message, 0, len(message), first=True)
    return found.pop() if found else TRACES
