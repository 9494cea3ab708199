"""The way through JSON inputs of the formats before OpenTelemetry."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import BinaryIO

import msgspec

from ingest.ids import BadIdError
from ingest.jsonstream import Grammar, UndecodableError, decode_plain, documents
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, UnreadableError
from ingest.reader import Item
from store.model import Rejected, Span

# A document past this size is decoded element by element, so that it never stands in memory as
# one tree (about eight times its bytes).
WHOLE_BYTES_MAX = 4 * 1024 * 1024
# What may be large in one: lists of spans, traces or what wraps them.
LARGE_KEYS = frozenset(
    {"data", "spans", "hits", "traces", "chunks", "tracerPayloads", "tracer_payloads"}
)

Aside = Callable[[str, str], None]  # (where inside the record, reason): a part that was left out
RecordOf = Callable[[Object, Aside], Span]

_elements = msgspec.json.Decoder(list[msgspec.Raw])
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_exact = msgspec.json.Decoder(float_hook=Decimal)


def decode(data: bytes) -> object:
    """One document; the large parts of a large one stay bytes until their turn."""
    if len(data) <= WHOLE_BYTES_MAX:
        return decode_plain(data)
    try:
        if data.lstrip()[:1] == b"[":
            return _elements.decode(data)
        return {
            key: raw if key in LARGE_KEYS else decode_plain(bytes(raw))
            for key, raw in _fields.decode(data).items()
        }
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UndecodableError):
        return decode_plain(data)


def decode_exactly(data: bytes) -> object:
    """One document whose fractions stay decimal: a float cannot hold a time in seconds."""
    try:
        value: object = _exact.decode(data)
        return value
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, ArithmeticError):
        return decode_plain(data)


def settled(raw: object) -> object:
    """A value whose turn has come."""
    return decode(bytes(raw)) if type(raw) is msgspec.Raw else raw


def no_document(_: object) -> bool:
    """For formats whose lines may be elements of an array as well as documents."""
    return False


def walked(
    stream: BinaryIO,
    limits: Limits,
    grammar: Grammar,
    walk: Callable[[object, str], Iterator[Item]],
) -> Iterator[Item]:
    """What `walk(document, place)` finds in each document."""
    for found in documents(stream, limits, grammar):
        if isinstance(found, Rejected):
            yield found
            continue
        place = f"line {found.line}"
        try:
            yield from walk(found.value, place)
        except RecursionError:
            yield Rejected(record=place, reason="nested too deeply to be read")
        except UndecodableError as error:
            yield Rejected(record=place, reason=f"not JSON: {error}")


def elements(value: object, place: str) -> Iterator[tuple[str, object]]:
    """The items of an array with their places; anything else is one item."""
    if not isinstance(value, list):
        yield place, value
        return
    for index, item in enumerate(value):
        where = f"{place} [{index}]"
        try:
            yield where, settled(item)
        except UndecodableError as error:
            yield where, Undecodable(str(error))


class Undecodable:
    """Stands for an element that is no JSON after all."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def refusal(value: object, place: str, what: str) -> Rejected:
    """Why a value that should hold `what` was refused."""
    if isinstance(value, Undecodable):
        return Rejected(record=place, reason=f"not JSON: {value.reason}")
    if isinstance(value, dict):
        keys = ", ".join(sorted(map(str, value))[:5])[:120] or "nothing"
        return Rejected(record=place, reason=f"no {what}: has {keys}")
    return Rejected(record=place, reason=f"no {what}: not a JSON object")


def record(
    raw: object, place: str, what: str, decoding: Decoding, record_of: RecordOf
) -> Iterator[Item]:
    """One record, or why there is none, then the parts of it that were left out."""
    if not isinstance(raw, dict):
        yield refusal(raw, place, what)
        return
    asides: list[Rejected] = []

    def aside(where: str, reason: str) -> None:
        asides.append(Rejected(record=f"{place}.{where}", reason=reason))

    decoding.cut = 0
    try:
        yield record_of(raw, aside)
    except (UnreadableError, BadIdError) as error:
        yield Rejected(record=place, reason=str(error))
    yield from asides
