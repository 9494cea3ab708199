"""One Zipkin v1 span: its kind, times and parties stand in annotations."""

import binascii
import struct
from collections.abc import Callable

from ingest.legacy.values import NS_PER_US, Attributes, first, text_in
from ingest.legacy.walking import Aside
from ingest.legacy.zipkin import (
    NOBODY,
    Endpoint,
    Half,
    endpoint_of,
    events_of,
    ids_of,
    micros,
    times_of,
)
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from store.model import SpanEvent

BINARY = ("binaryAnnotations", "binary_annotations")
# The kind that each core annotation tells of; whether it begins the span.
CORE = {
    "cs": ("client", True),
    "cr": ("client", False),
    "sr": ("server", True),
    "ss": ("server", False),
    "ms": ("producer", True),
    "mr": ("consumer", True),
}
# Binary annotations whose endpoint is the other party, and the kinds they are read for.
ADDRESSES = {
    "sa": ("client", "unspecified"),
    "ca": ("server",),
    "ma": ("producer", "consumer"),
}
THRIFT_TYPES = ("BOOL", "BYTES", "I16", "I32", "I64", "DOUBLE", "STRING")

Core = dict[str, tuple[SpanEvent, Endpoint]]


def halves_of(raw: Object, decoding: Decoding, aside: Aside) -> list[Half]:
    """One half for each side that left core annotations; one when none did."""
    ids_of(raw)
    core: Core = {}
    others: list[tuple[SpanEvent, Endpoint]] = []
    for event, endpoint in events_of(raw.get("annotations"), decoding, aside):
        if event.name in CORE and event.name not in core:
            core[event.name] = (event, endpoint)
        else:
            others.append((event, endpoint))
    kinds = list(dict.fromkeys(kind for name, (kind, _) in CORE.items() if name in core))
    binary = _binary_annotations(raw, aside)
    fallback = next((who for _, who in others if who.service), NOBODY)
    named = (who for key, _, who in binary if key not in ADDRESSES and who.service)
    fallback = fallback if fallback.service else next(named, NOBODY)
    halves = [
        _half(raw, kind, kinds, core, fallback, decoding) for kind in kinds or ["unspecified"]
    ]
    for event, endpoint in others:
        _owner(halves, endpoint).events.append(event)
    for key, value, endpoint in binary:
        kinds_of_address = ADDRESSES.get(key)
        if kinds_of_address is not None and value is True:
            for half in halves:
                if half.kind in kinds_of_address:
                    half.remote = endpoint
        else:
            _owner(halves, endpoint).tags.put(key, value)
    return halves


def _half(
    raw: Object, kind: str, kinds: list[str], core: Core, fallback: Endpoint, decoding: Decoding
) -> Half:
    """One side. The span's own times are the client's, or the only side's."""
    trace, span, parent = ids_of(raw)
    own = {CORE[name][1]: core[name] for name in core if CORE[name][0] == kind}
    begin, finish = own.get(True), own.get(False)
    stated = micros(raw.get("timestamp"), "timestamp")
    stated_duration = micros(raw.get("duration"), "duration")
    first_side = kind == (kinds or [kind])[0]
    start = stated if first_side else None
    duration = stated_duration if first_side else None
    if start is None and begin is not None:
        start = begin[0].time_ns
    if duration is None and start is not None and finish is not None:
        duration = finish[0].time_ns - start
    start, end = times_of(start, duration)
    if start is None and finish is not None:
        end = finish[0].time_ns
    endpoint = next((who for _, who in own.values() if who.service), fallback)
    return Half(
        trace=trace,
        span=span,
        parent=parent,
        name=text_in(raw.get("name")),
        kind=kind,
        start_ns=start,
        end_ns=end,
        local=endpoint,
        remote=NOBODY,
        tags=Attributes(decoding),
        # v1 had no flag: only the side that made the id states a timestamp.
        shared=kind == "server" and ("client" in kinds or stated is None),
        duration_us=None if stated_duration is None else stated_duration // NS_PER_US,
    )


def _owner(halves: list[Half], endpoint: Endpoint) -> Half:
    """The side that an annotation was made on."""
    for half in halves:
        if half.local == endpoint:
            return half
    for half in halves:
        if half.local.service == endpoint.service:
            return half
    return halves[0]


def _binary_annotations(raw: Object, aside: Aside) -> list[tuple[str, object, Endpoint]]:
    found = []
    for index, item in enumerate(list_of(first(raw, BINARY), "binary annotations")):
        try:
            annotation = object_of(item, "binary annotation")
            endpoint = endpoint_of(first(annotation, ("endpoint", "host")))
            found.append((text_in(annotation.get("key")), _value(annotation), endpoint))
        except UnreadableError as error:
            aside(f"binaryAnnotations[{index}]", str(error))
    return found


def _value(annotation: Object) -> object:
    """The value; Thrift's JSON writes each type as base64 of its bytes."""
    value = annotation.get("value")
    kind = annotation.get("annotation_type")
    if type(kind) is int and 0 <= kind < len(THRIFT_TYPES):
        kind = THRIFT_TYPES[kind]
    if not isinstance(kind, str) or not isinstance(value, str):
        # An address says true; some writers write it as text.
        address = text_in(annotation.get("key")) in ADDRESSES
        return True if address and value == "true" else value
    try:
        data = binascii.a2b_base64(value + "=" * (-len(value) % 4), strict_mode=True)
        return _DECODERS.get(kind.upper(), bytes)(data)
    except (ValueError, struct.error):
        return value


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big", signed=True)


def _double(data: bytes) -> float:
    value: float = struct.unpack(">d", data)[0]
    return value


_DECODERS: dict[str, Callable[[bytes], object]] = {
    "BOOL": lambda data: data == b"\x01",
    "I16": _integer,
    "I32": _integer,
    "I64": _integer,
    "DOUBLE": _double,
    "STRING": lambda data: data.decode("utf-8", "replace"),
}
