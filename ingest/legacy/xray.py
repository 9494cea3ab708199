"""AWS X-Ray segments with the subsegments inside them, as the shared records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest import conventions
from ingest.ids import BadIdError, Id
from ingest.jsonstream import UndecodableError
from ingest.legacy.values import (
    NS_PER_SECOND,
    Attributes,
    Values,
    keep_originals,
    limited,
    moment,
    padded,
    required,
    text_in,
    units,
)
from ingest.legacy.walking import Aside, decode_exactly, elements, record, refusal, settled
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from ingest.reader import Item
from store.model import AttributeValue, Rejected, Span, SpanEvent, SpanLink

_TRACE_ID = re.compile(r"1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})\Z")
# Keys of the API's answers and requests, down to the segments.
WRAPPERS = ("Traces", "Segments", "TraceSegmentDocuments")
# What has a place of its own in the record; the rest is kept under its path.
PLACED = frozenset(
    {"id", "trace_id", "parent_id", "name", "start_time", "end_time", "type", "namespace"}
    | {"subsegments", "annotations", "metadata", "links", "cause"}
)
FLAGS = ("fault", "error", "throttle")
SOURCE_PREFIX = "aws.xray."
# OpenTelemetry's names for X-Ray's paths.
NAMES = {
    "http.request.url": "url.full",
    "http.request.user_agent": "user_agent.original",
    "http.request.client_ip": "client.address",
    "http.response.status": "http.response.status_code",
    "http.response.content_length": "http.response.body.size",
    "sql.database_type": "db.system",
    "sql.sanitized_query": "db.statement",
    "sql.user": "db.user",
    "aws.account_id": "cloud.account.id",
    "aws.region": "cloud.region",
    "user": "enduser.id",
}


@dataclass(frozen=True, slots=True)
class Around:
    """What a subsegment has from the segment around it."""

    trace: object
    parent: object
    service: str
    resource: Values


class XRayWalker:
    """Walks documents: segments, arrays of them, the API's answers with documents as text."""

    def __init__(self, limits: Limits) -> None:
        self._decoding = Decoding(limits)

    def walk(self, value: object, place: str) -> Iterator[Item]:
        """Every segment and subsegment of one document."""
        for where, item in elements(value, place):
            if isinstance(item, str):
                yield from self._text(item, where)
            elif isinstance(item, list):
                yield from self.walk(item, where)
            elif isinstance(item, dict):
                yield from self._object(item, where)
            else:
                yield refusal(item, where, "X-Ray segment")

    def _object(self, value: Object, place: str) -> Iterator[Item]:
        wrapper = next((key for key in WRAPPERS if key in value), None)
        if wrapper is not None:
            yield from self.walk(settled(value[wrapper]), f"{place} {wrapper}")
        elif "Document" in value:
            yield from self.walk(value["Document"], f"{place} Document")
        elif not value.keys() <= {"format", "version"}:  # the daemon's line before each segment
            yield from self._segments(value, place)

    def _text(self, text: str, place: str) -> Iterator[Item]:
        try:
            value = decode_exactly(text.encode("utf-8", "replace"))
        except UndecodableError as error:
            yield Rejected(record=place, reason=f"not JSON: {error}", excerpt=text[:80])
            return
        if isinstance(value, dict):
            yield from self._object(value, place)
        else:
            yield refusal(value, place, "X-Ray segment")

    def _segments(self, segment: Object, place: str) -> Iterator[Item]:
        """The segment, then what is inside it, depth first."""
        left: list[tuple[object, str, Around | None, int]] = [(segment, place, None, 0)]
        depth_max = self._decoding.limits.nesting_depth
        while left:
            raw, where, around, depth = left.pop()
            if depth > depth_max:
                reason = f"subsegments are nested deeper than nesting_depth = {depth_max}"
                yield Rejected(record=where, reason=reason)
                continue
            whose = self._around(raw, around)

            def span(fields: Object, aside: Aside, around: Around = whose) -> Span:
                return _span(fields, around, self._decoding, aside)

            yield from record(raw, where, "X-Ray segment", self._decoding, span)
            inner = raw.get("subsegments") if isinstance(raw, dict) else None
            if inner is not None and not isinstance(inner, list):
                yield refusal(inner, f"{where}.subsegments", "list of subsegments")
            elif inner and isinstance(raw, dict):
                trace = whose.trace
                below = Around(trace, raw.get("id"), whose.service, whose.resource)
                items = [
                    (item, f"{where}.subsegments[{index}]", below, depth + 1)
                    for index, item in enumerate(inner)
                ]
                left.extend(reversed(items))

    def _around(self, raw: object, around: Around | None) -> Around:
        """A segment names the service; a subsegment that came alone does not."""
        if around is not None or not isinstance(raw, dict):
            return around or Around(None, None, "", {})
        service = "" if raw.get("type") == "subsegment" else text_in(raw.get("name"))
        resource: Values = {"service.name": service} if service else {}
        version = raw.get("service")
        if service and isinstance(version, dict) and isinstance(version.get("version"), str):
            resource["service.version"] = version["version"]
        return Around(raw.get("trace_id"), raw.get("parent_id"), service, resource)


def trace_id_of(raw: object) -> Id:
    """X-Ray's `1-time-rest` without its dashes; W3C hex as it stands."""
    match = _TRACE_ID.match(raw) if isinstance(raw, str) else None
    return required(padded(match[1] + match[2] if match else raw, 16, "trace id"), "trace id")


def _span(raw: Object, around: Around, decoding: Decoding, aside: Aside) -> Span:
    trace = trace_id_of(raw.get("trace_id") or around.trace)
    span = required(padded(raw.get("id"), 8, "segment id"), "segment id")
    parent = padded(raw.get("parent_id") or around.parent, 8, "parent id")
    start, end = _time(raw, "start_time"), _time(raw, "end_time")
    if raw.get("in_progress") is True:
        end = None
    tags = _tags(raw, decoding)
    found = tags.found
    keep_originals(found, trace, span, parent)
    if start is None:
        found[conventions.START_MISSING] = True
        start = end or 0
    failed = any(raw.get(flag) is True for flag in FLAGS)
    events = tuple(_exceptions(raw, end or start, decoding, aside))
    links = tuple(_links(raw, decoding, aside))
    if decoding.cut:
        found[conventions.TRUNCATED] = decoding.cut
    return Span(
        trace_id=trace.hex,
        span_id=span.hex,
        parent_span_id=None if parent is None else parent.hex,
        name=text_in(raw.get("name")),
        kind=_kind(raw),
        service=around.service or conventions.UNKNOWN_SERVICE,
        start_ns=start,
        end_ns=end,
        status="error" if failed else "unset",
        status_message=_message(events) if failed else "",
        attributes=found,
        resource=around.resource,
        events=events,
        links=links,
    )


def _time(raw: Object, field: str) -> int | None:
    value = units(raw.get(field), NS_PER_SECOND, field)
    return None if value is None else moment(value, field)


def _kind(raw: Object) -> str:
    if raw.get("namespace") in ("remote", "aws"):
        return "client"
    http = raw.get("http")
    if isinstance(http, dict) and isinstance(http.get("request"), dict):
        return "server"
    inside = raw.get("type") == "subsegment" or "trace_id" not in raw
    return "internal" if inside else "unspecified"


def _tags(raw: Object, decoding: Decoding) -> Attributes:
    tags = Attributes(decoding)
    annotations = raw.get("annotations")
    if isinstance(annotations, dict):
        tags.take(annotations.items())
    for key, value in raw.items():
        if key in PLACED:
            continue
        own = isinstance(value, dict) or key == "user"
        tags.flatten(key if own else SOURCE_PREFIX + key, value)
    tags.offer(f"{SOURCE_PREFIX}namespace", raw.get("namespace"))
    for source, target in NAMES.items():
        if source in tags.found:
            tags.offer(target, tags.found[source])
    metadata = raw.get("metadata")
    if isinstance(metadata, dict):
        for space, values in metadata.items():
            if isinstance(values, dict):
                for key, value in values.items():
                    tags.offer(f"{SOURCE_PREFIX}metadata.{space}.{key}", value)
            else:
                tags.offer(f"{SOURCE_PREFIX}metadata.{space}", values)
    if isinstance(raw.get("cause"), str):
        tags.offer(f"{SOURCE_PREFIX}cause", raw["cause"])
    return tags


def _exceptions(raw: Object, time_ns: int, decoding: Decoding, aside: Aside) -> Iterator[SpanEvent]:
    """The exceptions of a cause; X-Ray does not say when they were thrown."""
    cause = raw.get("cause")
    if not isinstance(cause, dict):
        return
    try:
        items = list_of(cause.get("exceptions"), "exceptions")
    except UnreadableError as error:
        aside("cause.exceptions", str(error))
        return
    for index, item in enumerate(limited(items, decoding.limits.events_per_span, decoding)):
        try:
            exception = object_of(item, "exception")
            tags = Attributes(decoding)
            tags.offer("exception.type", exception.get("type"))
            tags.offer("exception.message", exception.get("message"))
            tags.offer("exception.stacktrace", _stack(exception.get("stack")))
            for key in ("id", "cause", "remote"):
                tags.offer(f"{SOURCE_PREFIX}exception.{key}", exception.get(key))
            yield SpanEvent(name="exception", time_ns=time_ns, attributes=tags.found)
        except UnreadableError as error:
            aside(f"cause.exceptions[{index}]", str(error))


def _stack(raw: object) -> str:
    if not isinstance(raw, list):
        return ""
    frames = [frame for frame in raw if isinstance(frame, dict)]
    return "\n".join(
        "{} at {}:{}".format(*(text_in(frame.get(key)) for key in ("label", "path", "line")))
        for frame in frames
    )


def _message(events: tuple[SpanEvent, ...]) -> str:
    value: AttributeValue = events[0].attributes.get("exception.message") if events else None
    return value if isinstance(value, str) else ""


def _links(raw: Object, decoding: Decoding, aside: Aside) -> Iterator[SpanLink]:
    try:
        items = list_of(raw.get("links"), "links")
    except UnreadableError as error:
        aside("links", str(error))
        return
    for index, item in enumerate(limited(items, decoding.limits.links_per_span, decoding)):
        try:
            link = object_of(item, "link")
            tags = Attributes(decoding)
            tags.flatten("aws.xray.link", link.get("attributes"))
            yield SpanLink(
                trace_id=trace_id_of(link.get("trace_id")).hex,
                span_id=required(padded(link.get("id"), 8, "segment id"), "segment id").hex,
                attributes=tags.found,
            )
        except (UnreadableError, BadIdError) as error:
            aside(f"links[{index}]", str(error))
