"""Jaeger's Thrift, as agents and collectors receive it, decoded with jaeger-client's types.

Only this module imports jaeger-client, and only its generated types; that takes most of a second,
so readers and receivers import it when the first bytes come.
"""

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from jaeger_client.thrift_gen.agent import Agent
from jaeger_client.thrift_gen.jaeger import ttypes as generated
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated  # type: ignore[import-untyped]
from thrift.protocol.TCompactProtocol import TCompactProtocol, TCompactProtocolAccelerated  # type: ignore[import-untyped]
from thrift.Thrift import TException, TType  # type: ignore[import-untyped]
from thrift.transport.TTransport import TMemoryBuffer  # type: ignore[import-untyped]

from ingest.ids import BadIdError, Id
from ingest.legacy.jaeger_spans import (
    CHILD_OF,
    FOLLOWS_FROM,
    JaegerSpan,
    Process,
    Reference,
    event_of,
    process_of,
    span_of,
)
from ingest.legacy.values import MASK_64, NS_PER_US, Attributes, Values, units
from ingest.limits import Limits, excerpt_of
from ingest.otlp.values import Decoding, UnreadableError
from ingest.reader import Item
from store.model import Rejected, SpanEvent

try:
    from thrift.protocol import fastbinary  # type: ignore[import-untyped]
except ImportError:  # thrift without its C extension: the same records, ten times slower
    fastbinary = None

ttypes: Any = generated  # generated code has no annotations
EmitBatch: Any = Agent.emitBatch_args

BATCH_BYTES_MAX = 16 * 1024 * 1024
# No list in a message is longer: the decoder would make room for it before it has read it.
LIST_ITEMS_MAX = 1024 * 1024
EMIT_BATCH = "emitBatch"
# Everything that the decoders were seen to raise on hostile bytes.
_MALFORMED = (
    TException,
    EOFError,
    OverflowError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    MemoryError,
    RecursionError,
    KeyError,
)


class MalformedError(ValueError):
    """Raised when bytes are no Thrift message of Jaeger; the message is the reason."""


def decode_batch(body: bytes, limits: Limits) -> Iterator[Item]:
    """The spans of binary batches written one behind the other, as HTTP bodies carry them."""
    yield from _messages(body, limits, read_batch)


def decode_datagram(data: bytes, limits: Limits) -> Iterator[Item]:
    """The spans of `emitBatch` messages in the compact or binary protocol, as agents get them."""
    yield from _messages(data, limits, read_datagram)


def read_stream(stream: BinaryIO, limits: Limits) -> Iterator[Item]:
    """The spans of a file of such batches or messages, of any size."""
    bytes_max = min(BATCH_BYTES_MAX, limits.document_bytes)
    window = stream.read(2 * bytes_max)
    read = read_datagram if window[:1] in (b"\x82", b"\x80") else read_batch
    passed, at, number = 0, 0, 0  # bytes before the window; the place in it; batches read
    while at < len(window):
        try:
            batch, end = read(window, at)
        except MalformedError as error:
            large = len(window) - at > bytes_max and "ends inside" in str(error)
            reason = f"batch is larger than {bytes_max} bytes" if large else str(error)
            yield _refused(window[at : at + 200], number, f"{reason} (at byte {passed + at})")
            return
        yield from batch_records(batch, limits, f"batch {number} ")
        at, number = end, number + 1
        if len(window) - at < bytes_max:
            more = stream.read(bytes_max)
            if more:
                window, passed, at = window[at:] + more, passed + at, 0


def _messages(
    data: bytes, limits: Limits, read: Callable[[bytes, int], tuple[Any, int]]
) -> Iterator[Item]:
    at, number = 0, 0
    if not data:
        yield _refused(data, 0, "no Jaeger batch: it is empty")
    if len(data) > BATCH_BYTES_MAX:
        yield _refused(data[:200], 0, f"body is larger than BATCH_BYTES_MAX = {BATCH_BYTES_MAX}")
        return
    while at < len(data):
        try:
            batch, end = read(data, at)
        except MalformedError as error:
            yield _refused(data[at : at + 200], number, str(error))
            return
        yield from batch_records(batch, limits, f"batch {number} ")
        at, number = end, number + 1


def _refused(data: bytes, number: int, reason: str) -> Rejected:
    return Rejected(record=f"batch {number}", reason=reason, excerpt=excerpt_of(data))


def read_batch(data: bytes, at: int) -> tuple[Any, int]:
    """The binary batch that begins at a byte, and where it ends."""
    transport = TMemoryBuffer(data, at)
    protocol = _protocol(transport, compact=False)
    batch = ttypes.Batch()
    try:
        _decode(batch, protocol, _BATCH)
    except _MALFORMED as error:
        raise MalformedError(_reason(error)) from error
    return _checked(batch), transport._buffer.tell()


def read_datagram(data: bytes, at: int) -> tuple[Any, int]:
    """The batch of the `emitBatch` message that begins at a byte, and where the message ends."""
    transport = TMemoryBuffer(data, at)
    protocol = _protocol(transport, compact=data[at : at + 1] == b"\x82")
    arguments = EmitBatch()
    try:
        name, _, _ = protocol.readMessageBegin()
        if name != EMIT_BATCH:
            raise MalformedError(f"no Jaeger batch: the message is {str(name)[:40]!r}")
        _decode(arguments, protocol, _EMIT_BATCH)
    except _MALFORMED as error:
        raise MalformedError(_reason(error)) from error
    return _checked(arguments.batch), transport._buffer.tell()


def batch_records(batch: Any, limits: Limits | None = None, place: str = "") -> Iterator[Item]:
    """Every span of a decoded batch; a span that cannot be used as Rejected."""
    decoding = Decoding(limits or Limits())
    try:
        process = _process(batch.process, decoding)
    except UnreadableError as error:
        yield Rejected(record=f"{place}process".strip(), reason=str(error))
        process = process_of("", {})
    for index, span in enumerate(batch.spans or ()):
        asides: list[Rejected] = []
        where = f"{place}spans[{index}]"
        try:
            yield span_of(_span(span, decoding, where, asides), process, decoding)
        except (UnreadableError, BadIdError) as error:
            yield Rejected(record=where, reason=str(error))
        yield from asides


def _process(raw: Any, decoding: Decoding) -> Process:
    if raw is None:
        return process_of("", {})
    return process_of(raw.serviceName or "", _tags(raw.tags, decoding))


def _span(raw: Any, decoding: Decoding, where: str, asides: list[Rejected]) -> JaegerSpan:
    decoding.cut = 0
    trace = _trace(raw, "trace id")
    events, references = [], []
    for index, log in enumerate(_first(raw.logs, decoding.limits.events_per_span, decoding)):
        try:
            events.append(_event(log, decoding))
        except UnreadableError as error:
            asides.append(Rejected(record=f"{where}.logs[{index}]", reason=str(error)))
    refs = _first(raw.references, decoding.limits.links_per_span, decoding)
    for index, reference in enumerate(refs):
        try:
            kind = FOLLOWS_FROM if reference.refType else CHILD_OF
            tie = Reference(kind, _trace(reference, "trace id"), _id(reference.spanId, "span id"))
            references.append(tie)
        except BadIdError as error:
            asides.append(Rejected(record=f"{where}.references[{index}]", reason=str(error)))
    return JaegerSpan(
        trace=trace,
        span=_id(raw.spanId, "span id"),
        parent=_id(raw.parentSpanId, "parent span id") if raw.parentSpanId else None,
        name=raw.operationName or "",
        start_ns=units(raw.startTime, NS_PER_US, "start time"),
        duration_ns=units(raw.duration, NS_PER_US, "duration"),
        tags=_tags(raw.tags, decoding),
        events=tuple(events),
        references=references,
    )


def _event(raw: Any, decoding: Decoding) -> SpanEvent:
    return event_of(units(raw.timestamp, NS_PER_US, "log time"), _tags(raw.fields, decoding))


def _tags(raw: Any, decoding: Decoding) -> Values:
    found = Attributes(decoding)
    for tag in raw or ():
        value: object = tag.vStr
        if tag.vType == ttypes.TagType.LONG:
            value = tag.vLong
        elif tag.vType == ttypes.TagType.BOOL:
            value = tag.vBool
        elif tag.vType == ttypes.TagType.DOUBLE:
            value = tag.vDouble
        elif tag.vType == ttypes.TagType.BINARY:
            value = tag.vBinary.encode() if isinstance(tag.vBinary, str) else tag.vBinary
        found.put(tag.key or "", value)
    return found.found


def _first(raw: Any, limit: int, decoding: Decoding) -> Any:
    if raw and len(raw) > limit:
        decoding.cut += len(raw) - limit
        return raw[:limit]
    return raw or ()


def _trace(raw: Any, what: str) -> Id:
    high, low = raw.traceIdHigh or 0, raw.traceIdLow or 0
    if not high and not low:
        raise BadIdError(f"{what} is missing, empty or all zero")
    return Id(f"{high & MASK_64:016x}{low & MASK_64:016x}")


def _id(raw: int | None, what: str) -> Id:
    if not raw:
        raise BadIdError(f"{what} is missing, empty or all zero")
    return Id(f"{raw & MASK_64:016x}")


def _checked(batch: Any) -> Any:
    # Any bytes whose first is 0 are an empty message.
    if batch is None or (batch.process is None and batch.spans is None):
        raise MalformedError("no Jaeger batch: it has neither process nor spans")
    return batch


def _reason(error: BaseException) -> str:
    if isinstance(error, MalformedError):
        return str(error)
    if isinstance(error, EOFError):
        return "not Jaeger Thrift: the input ends inside a batch"
    detail = str(error) or type(error).__name__
    return f"not Jaeger Thrift: {detail[:120]}"


def _protocol(transport: Any, compact: bool) -> Any:
    if compact:
        protocol = TCompactProtocolAccelerated if fastbinary else TCompactProtocol
    else:
        protocol = TBinaryProtocolAccelerated if fastbinary else TBinaryProtocol
    return protocol(
        transport,
        string_length_limit=BATCH_BYTES_MAX,
        container_length_limit=LIST_ITEMS_MAX,
    )


def _decode(into: Any, protocol: Any, specification: list[Any]) -> None:
    if fastbinary is None:
        into.read(protocol)
    elif isinstance(protocol, TCompactProtocol):
        fastbinary.decode_compact(into, protocol, specification)
    else:
        fastbinary.decode_binary(into, protocol, specification)


def _specification(record: Any) -> list[Any]:
    """What the C decoder expects today, of types generated for an older one."""
    fields = (field and (*field[:3], _arguments(*field[1:4]), field[4]) for field in record[1])
    return [record[0], tuple(fields)]


def _arguments(kind: int, name: str, arguments: Any) -> Any:
    if kind == TType.STRUCT:
        return _specification(arguments)
    if kind == TType.LIST:
        return (arguments[0], _arguments(arguments[0], name, arguments[1]), False)
    if kind == TType.STRING:
        return "BINARY" if name == "vBinary" else "UTF8"
    return None


_BATCH = _specification((ttypes.Batch, ttypes.Batch.thrift_spec))
_EMIT_BATCH = _specification((EmitBatch, EmitBatch.thrift_spec))
