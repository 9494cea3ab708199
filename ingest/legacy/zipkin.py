"""Zipkin spans of one document as the shared records, client and server halves told apart."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest import conventions
from ingest.ids import Id
from ingest.legacy.values import (
    NS_PER_US,
    Attributes,
    Values,
    first,
    keep_originals,
    limited,
    moment,
    padded,
    required,
    text_in,
    time_after,
    units,
)
from ingest.legacy.walking import Aside
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from ingest.reader import Item
from ingest.span_draft import span_id_of
from store.model import Rejected, Span, SpanEvent

TRACE_ID = ("traceId", "trace_id")
PARENT_ID = ("parentId", "parent_id")
SERVICE = ("serviceName", "service_name")
KINDS = {name.upper(): name for name in ("client", "server", "producer", "consumer")}
ORIGINAL_DURATION_US = "retrospan.original.duration_us"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who took part in a span; empty where it is not known."""

    service: str = ""
    address: str = ""
    port: int = 0


NOBODY = Endpoint()


@dataclass(slots=True, kw_only=True)
class Half:
    """One span, or one side of a span that two services reported under one id."""

    trace: Id
    span: Id
    parent: Id | None
    name: str
    kind: str
    start_ns: int | None
    end_ns: int | None
    local: Endpoint
    remote: Endpoint
    tags: Attributes
    events: list[SpanEvent] = field(default_factory=list)
    shared: bool = False
    duration_us: int | None = None
    cut: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.trace.hex, self.span.hex


def endpoint_of(raw: object) -> Endpoint:
    """An endpoint; parts of it that cannot be read are left out."""
    if not isinstance(raw, dict):
        return NOBODY
    port = raw.get("port")
    return Endpoint(
        text_in(first(raw, SERVICE)),
        _address(raw.get("ipv4")) or _address(raw.get("ipv6")),
        port & 0xFFFF if type(port) is int else 0,
    )


def _address(raw: object) -> str:
    # Thrift's IPv4 addresses are signed integers.
    if type(raw) is int:
        return str(ipaddress.IPv4Address(raw & 0xFFFFFFFF)) if raw else ""
    return raw if isinstance(raw, str) else ""


def ids_of(raw: Object) -> tuple[Id, Id, Id | None]:
    """The ids of the trace, the span and its parent."""
    return (
        required(padded(first(raw, TRACE_ID), 16, "trace id"), "trace id"),
        required(padded(raw.get("id"), 8, "span id"), "span id"),
        padded(first(raw, PARENT_ID), 8, "parent span id"),
    )


def micros(raw: object, what: str) -> int | None:
    """Nanoseconds of a number of microseconds; Zipkin takes 0 for a number that is not known."""
    return units(raw, NS_PER_US, what) or None


def events_of(raw: object, decoding: Decoding, aside: Aside) -> list[tuple[SpanEvent, Endpoint]]:
    """Annotations with the endpoints that made them."""
    found = []
    items = list_of(raw, "annotations")
    for index, item in enumerate(limited(items, decoding.limits.events_per_span, decoding)):
        try:
            annotation = object_of(item, "annotation")
            at = moment(micros(annotation.get("timestamp"), "annotation time") or 0, "its time")
            event = SpanEvent(name=text_in(annotation.get("value")), time_ns=at)
            found.append((event, endpoint_of(first(annotation, ("endpoint", "host")))))
        except UnreadableError as error:
            aside(f"annotations[{index}]", str(error))
    return found


def times_of(
    start_ns: int | None, duration_ns: int | None, what: str = "end time"
) -> tuple[int | None, int | None]:
    """Start and end; an end without a start is not known."""
    if start_ns is None:
        return None, None
    return moment(start_ns, "timestamp"), time_after(start_ns, duration_ns, what)


def spans_of(found: list[Half | Rejected]) -> Iterator[Item]:
    """The records of one document: each server half that shares an id gets one of its own."""
    halves = [item for item in found if isinstance(item, Half)]
    callers = {half.key: half for half in halves if half.kind == "client" and not half.shared}
    served: dict[tuple[str, str], list[Half]] = {}
    for half in halves:
        half.shared = half.shared or (half.kind == "server" and half.key in callers)
        if half.shared:
            served.setdefault(half.key, []).append(half)
    for item in found:
        yield item if isinstance(item, Rejected) else _span(item, served, callers)


def derived_id(half: Half) -> str:
    """The id of a server half: the same in every file, whether the client half is there or not.

    One request may have many: a message that several consumers, or one of them several times, took.
    """
    where = half.local
    return span_id_of(
        "zipkin server half", *half.key, where.service, where.address, where.port, half.start_ns
    )


def _parent(
    half: Half, served: dict[tuple[str, str], list[Half]], callers: dict[tuple[str, str], Half]
) -> str | None:
    """The parent's id: work done below a shared id is the server's, unless the caller did it."""
    if half.shared:
        return half.span.hex
    if half.parent is None:
        return None
    key = (half.trace.hex, half.parent.hex)
    candidates = served.get(key)
    if not candidates or key == half.key:
        return half.parent.hex
    caller = callers.get(key)
    if not any(each.local.service == half.local.service for each in candidates) and (
        caller is not None and caller.local.service == half.local.service
    ):
        return half.parent.hex
    return derived_id(max(candidates, key=lambda each: _nearness(each, half)))


def _nearness(server: Half, child: Half) -> tuple[bool, bool, bool, int]:
    """How well a server half fits as parent: its place, then the last one begun before."""
    start, limit = server.start_ns or 0, child.start_ns or 0
    before = start <= limit
    return (
        server.local.service == child.local.service,
        server.local == child.local,
        before,
        start if before else -start,
    )


def _span(
    half: Half, served: dict[tuple[str, str], list[Half]], callers: dict[tuple[str, str], Half]
) -> Span:
    tags = half.tags.found
    parent = _parent(half, served, callers)
    _offer_endpoints(half)
    keep_originals(tags, half.trace, half.span, None if half.shared else half.parent)
    if half.shared:
        tags.setdefault(conventions.ORIGINAL_SPAN_ID, half.span.hex)
        if half.parent is not None:
            tags[conventions.ORIGINAL_PARENT_SPAN_ID] = half.parent.hex
    elif half.parent is not None and parent != half.parent.hex:
        tags[conventions.ORIGINAL_PARENT_SPAN_ID] = half.parent.hex
    start = half.start_ns
    if start is None:
        tags[conventions.START_MISSING] = True
        start = half.end_ns or min((event.time_ns for event in half.events), default=0)
        if half.duration_us is not None:
            tags[ORIGINAL_DURATION_US] = half.duration_us
    status, message = status_of(tags)
    if half.cut:
        tags[conventions.TRUNCATED] = half.cut
    service = half.local.service
    return Span(
        trace_id=half.trace.hex,
        span_id=derived_id(half) if half.shared else half.span.hex,
        parent_span_id=parent,
        name=half.name,
        kind=half.kind,
        service=service or conventions.UNKNOWN_SERVICE,
        start_ns=start,
        end_ns=half.end_ns,
        status=status,
        status_message=message,
        attributes=tags,
        resource={"service.name": service} if service else {},
        events=tuple(half.events),
    )


def _offer_endpoints(half: Half) -> None:
    offer = half.tags.offer
    offer("network.local.address", half.local.address)
    offer("network.local.port", half.local.port or None)
    offer("peer.service", half.remote.service)
    offer("network.peer.address", half.remote.address)
    offer("network.peer.port", half.remote.port or None)


def status_of(tags: Values) -> tuple[str, str]:
    """OpenTelemetry's own tag first; else the tag `error`, whose value is a message or true."""
    code = str(tags.get("otel.status_code") or "").lower()
    if code in ("ok", "error"):
        return code, text_in(tags.get("otel.status_description") or tags.get("error"))
    error = tags.get("error")
    if error is None or str(error).lower() == "false":
        return "unset", ""
    return "error", "" if str(error).lower() == "true" else text_in(error)
