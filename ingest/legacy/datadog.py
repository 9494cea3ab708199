"""Datadog spans as the agent's trace API takes them (v0.4), as the shared records."""

import json
from collections.abc import Iterator

from ingest import conventions
from ingest.ids import HEX, BadIdError, Id
from ingest.legacy.jaeger_spans import KINDS
from ingest.legacy.values import (
    Attributes,
    Values,
    first,
    limited,
    moment,
    number_id,
    padded,
    required,
    text_in,
    time_after,
    units,
)
from ingest.legacy.walking import Aside, elements, record, settled
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from ingest.reader import Item
from ingest.span_draft import trace_id_of
from store.model import Span, SpanEvent, SpanLink

# The upper 64 bits of a trace id; only the first span of a chunk carries them.
UPPER_BITS = "_dd.p.tid"
RESOURCE_NAME, SPAN_TYPE = "resource.name", "span.type"
LINKS, EVENTS = "_dd.span_links", "events"
# Keys of payloads that hold spans or traces.
WRAPPERS = ("traces", "chunks", "spans", "tracerPayloads", "tracer_payloads")
CLIENT_TYPES = frozenset(
    {"http", "sql", "db", "cache", "redis", "valkey", "memcached", "mongodb", "cassandra"}
    | {"elasticsearch", "opensearch", "consul", "dns"}
)


class DatadogWalker:
    """Walks documents: arrays of traces, a trace, a span, payloads that wrap them."""

    def __init__(self, limits: Limits) -> None:
        self._decoding = Decoding(limits)

    def walk(self, value: object, place: str) -> Iterator[Item]:
        """Every span of one document."""
        chunk: list[tuple[str, object]] = []
        for where, item in elements(value, place):
            wrapper = _wrapper(item)
            if isinstance(item, dict) and wrapper is not None:
                yield from self.walk(settled(item[wrapper]), f"{where} {wrapper}")
            elif isinstance(item, list):
                yield from self.walk(item, where)
            else:
                chunk.append((where, item))
        yield from self._chunk(chunk)

    def _chunk(self, chunk: list[tuple[str, object]]) -> Iterator[Item]:
        uppers = _uppers([item for _, item in chunk])
        stand_in = _stand_in([item for _, item in chunk])

        def span(raw: Object, aside: Aside) -> Span:
            return _span(raw, uppers, stand_in, self._decoding, aside)

        for where, item in chunk:
            yield from record(item, where, "Datadog span", self._decoding, span)


def _wrapper(item: object) -> str | None:
    """The key under which an object that is no span holds spans."""
    if not isinstance(item, dict) or "span_id" in item:
        return None
    return next((key for key in WRAPPERS if key in item), None)


def _uppers(chunk: list[object]) -> dict[object, str]:
    """The upper half of each trace id that some span of the chunk tells."""
    found: dict[object, str] = {}
    for item in chunk:
        if isinstance(item, dict) and isinstance(item.get("meta"), dict):
            upper = item["meta"].get(UPPER_BITS)
            if _is_hex(upper, 16):
                found.setdefault(_scalar(item.get("trace_id")), upper.lower())
    return found


def _stand_in(chunk: list[object]) -> Id:
    """A trace id for spans whose own is zero, as recorded tests write it: from what they hold."""
    zero = [item for item in chunk if isinstance(item, dict) and not item.get("trace_id")]
    parts = [[_scalar(item.get(key)) for key in ("span_id", "start", "name")] for item in zero]
    return Id(trace_id_of("datadog", json.dumps(parts)), "0")


def _scalar(raw: object) -> object:
    return raw if isinstance(raw, str | int | float) else None


def _is_hex(raw: object, digits: int) -> bool:
    return isinstance(raw, str) and len(raw) == digits and HEX.issuperset(raw)


def _id(raw: object, what: str) -> Id | None:
    """An integer, its digits as text, or 16 hex digits."""
    if isinstance(raw, str):
        if not _is_hex(raw, 16) and raw.isascii() and raw.isdigit() and len(raw) <= 20:
            raw = int(raw)
        else:
            return padded(raw, 8, what)
    if raw is None:
        return None
    if type(raw) is not int:
        raise BadIdError(f"{what} is {type(raw).__name__}, expected an integer")
    return number_id(raw, 8, what)


def _span(
    raw: Object, uppers: dict[object, str], stand_in: Id, decoding: Decoding, aside: Aside
) -> Span:
    meta = object_of(raw.get("meta"), "meta")
    trace = _trace(raw, meta, uppers, stand_in)
    span = required(_id(raw.get("span_id"), "span id"), "span id")
    parent = _id(raw.get("parent_id"), "parent id")
    tags = Attributes(decoding)
    tags.take(meta.items())
    tags.take(object_of(raw.get("metrics"), "metrics").items())
    tags.take(object_of(raw.get("meta_struct"), "meta_struct").items())
    tags.offer(RESOURCE_NAME, raw.get("resource"))
    tags.offer(SPAN_TYPE, raw.get("type"))
    found = tags.found
    if trace.original is not None:
        found[conventions.ORIGINAL_TRACE_ID] = trace.original
    start = units(raw.get("start"), 1, "start")
    if start is None:
        found[conventions.START_MISSING] = True
        end = None
    else:
        moment(start, "start")
        end = time_after(start, units(raw.get("duration"), 1, "duration"), "end")
    events = tuple(_events(raw, meta, decoding, aside))
    links = tuple(_links(raw, meta, decoding, aside))
    status, message = _status(raw, found)
    if decoding.cut:
        found[conventions.TRUNCATED] = decoding.cut
    service = text_in(raw.get("service"))
    return Span(
        trace_id=trace.hex,
        span_id=span.hex,
        parent_span_id=None if parent is None else parent.hex,
        name=text_in(raw.get("name")),
        kind=_kind(raw, found, parent),
        service=service or conventions.UNKNOWN_SERVICE,
        start_ns=start or 0,
        end_ns=end,
        status=status,
        status_message=message,
        attributes=found,
        resource={"service.name": service} if service else {},
        events=events,
        links=links,
    )


def _trace(raw: Object, meta: Object, uppers: dict[object, str], stand_in: Id) -> Id:
    written = raw.get("trace_id")
    if _is_hex(written, 32):
        return required(padded(written, 16, "trace id"), "trace id")
    lower = _id(written, "trace id")
    upper = meta.get(UPPER_BITS)
    if not isinstance(upper, str) or not _is_hex(upper, 16):
        upper = uppers.get(_scalar(written), "0" * 16)
    whole = padded(upper.lower() + (lower.hex if lower else "0" * 16), 16, "trace id")
    if whole is None and written is None:
        raise BadIdError("trace id is missing")
    return whole or stand_in


def _kind(raw: Object, found: Values, parent: Id | None) -> str:
    """The kind that is named; else the one its type stands for."""
    named = text_in(found.get("span.kind")).lower()
    if named in KINDS:
        return named
    kind = text_in(raw.get("type")).lower()
    if kind in CLIENT_TYPES:
        return "client"
    return "server" if kind == "web" and parent is None else "unspecified"


def _status(raw: Object, found: Values) -> tuple[str, str]:
    if raw.get("error") in (None, 0, False, ""):
        return "unset", ""
    return "error", text_in(first(dict(found), ("error.message", "error.msg")))


def _listed(raw: Object, meta: Object, field: str, tag: str) -> list[object]:
    """A list that stands in a field of the span, or as JSON in a tag."""
    value = raw.get(field)
    text = meta.get(tag)
    if value is None and isinstance(text, str):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"{tag} is not JSON") from error
    return list_of(value, field)


def _links(raw: Object, meta: Object, decoding: Decoding, aside: Aside) -> Iterator[SpanLink]:
    try:
        items = _listed(raw, meta, "span_links", LINKS)
    except UnreadableError as error:
        aside("span_links", str(error))
        return
    for index, item in enumerate(limited(items, decoding.limits.links_per_span, decoding)):
        try:
            link = object_of(item, "link")
            trace = link.get("trace_id")
            if not _is_hex(trace, 32):
                lower = _id(trace, "trace id")
                upper = _id(link.get("trace_id_high"), "trace id")
                trace = "".join(half.hex if half else "0" * 16 for half in (upper, lower))
            tags = Attributes(decoding)
            tags.take(object_of(link.get("attributes"), "attributes").items())
            yield SpanLink(
                trace_id=required(padded(trace, 16, "trace id"), "trace id").hex,
                span_id=required(_id(link.get("span_id"), "span id"), "span id").hex,
                attributes=tags.found,
            )
        except (UnreadableError, BadIdError) as error:
            aside(f"span_links[{index}]", str(error))


def _events(raw: Object, meta: Object, decoding: Decoding, aside: Aside) -> Iterator[SpanEvent]:
    try:
        items = _listed(raw, meta, "span_events", EVENTS)
    except UnreadableError:
        # Anybody may call a tag "events"; it stays one.
        return
    for index, item in enumerate(limited(items, decoding.limits.events_per_span, decoding)):
        try:
            event = object_of(item, "event")
            tags = Attributes(decoding)
            tags.take(object_of(event.get("attributes"), "attributes").items())
            at = moment(units(event.get("time_unix_nano"), 1, "event time") or 0, "event time")
            yield SpanEvent(name=text_in(event.get("name")), time_ns=at, attributes=tags.found)
        except UnreadableError as error:
            aside(f"span_events[{index}]", str(error))
