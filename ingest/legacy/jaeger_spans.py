"""One Jaeger span, however it was written, as the shared record."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest import conventions
from ingest.ids import Id
from ingest.legacy.values import Values, keep_originals, moment, time_after
from ingest.otlp.values import Decoding
from store.model import AttributeValue, Span, SpanEvent, SpanLink

KINDS = frozenset(("internal", "server", "client", "producer", "consumer"))
# Jaeger's own name for what its collector found odd in a span.
WARNINGS = "@jaeger@warnings"
REFERENCE_TYPE = "opentracing.ref_type"
CHILD_OF, FOLLOWS_FROM = "child_of", "follows_from"
EVENT_FIELD = "event"


@dataclass(frozen=True, slots=True)
class Process:
    """Who reported spans; `resource` is shared by all of them."""

    service: str
    resource: Values


@dataclass(frozen=True, slots=True)
class Reference:
    """A tie to another span."""

    type: str
    trace: Id
    span: Id


@dataclass(slots=True, kw_only=True)
class JaegerSpan:
    """The parts of a span, decoded; `start_ns` is None when it names none."""

    trace: Id
    span: Id
    parent: Id | None
    name: str
    start_ns: int | None
    duration_ns: int | None
    tags: Values
    events: Sequence[SpanEvent] = ()
    references: Sequence[Reference] = ()
    warnings: list[AttributeValue] = field(default_factory=list)


def process_of(service: str, tags: Values) -> Process:
    """The process; its name is the resource's `service.name`."""
    named = service or conventions.UNKNOWN_SERVICE
    return Process(named, {**tags, "service.name": service} if service else tags)


def span_of(parts: JaegerSpan, process: Process, decoding: Decoding) -> Span:
    """The record. All tags stay; those with a place of their own in OpenTelemetry fill it too."""
    tags = parts.tags
    parent, links = _ties(parts)
    if parts.trace.original or parts.span.original or (parent is not None and parent.original):
        keep_originals(tags, parts.trace, parts.span, parent)
    if parts.warnings:
        tags[WARNINGS] = parts.warnings
    start = parts.start_ns
    if start is None:
        tags[conventions.START_MISSING] = True
        end = None
    else:
        start = moment(start, "start time")
        end = time_after(start, parts.duration_ns, "end time")
    status, message = _status(tags)
    record = Span(
        trace_id=parts.trace.hex,
        span_id=parts.span.hex,
        parent_span_id=None if parent is None else parent.hex,
        name=parts.name,
        kind=_kind(tags),
        service=process.service,
        start_ns=start or 0,
        end_ns=end,
        status=status,
        status_message=message,
        trace_state=_text(tags, "w3c.tracestate"),
        attributes=tags,
        resource=process.resource,
        scope_name=_text(tags, conventions.SCOPE_NAME) or _text(tags, "otel.library.name"),
        scope_version=_text(tags, "otel.scope.version") or _text(tags, "otel.library.version"),
        events=parts.events,
        links=links,
    )
    if decoding.cut:
        tags[conventions.TRUNCATED] = decoding.cut
    return record


def event_of(time_ns: int | None, fields: Values) -> SpanEvent:
    """A log: OpenTelemetry's exporters write an event's name into the field `event`."""
    name = fields.get(EVENT_FIELD)
    if isinstance(name, str):
        del fields[EVENT_FIELD]
    return SpanEvent(
        name=name if isinstance(name, str) else "",
        time_ns=moment(time_ns or 0, "log time"),
        attributes=fields,
    )


def _ties(parts: JaegerSpan) -> tuple[Id | None, tuple[SpanLink, ...]]:
    """The parent and the links.

    The parent is the first CHILD_OF in this trace, else the id that is named as such, else, as in
    Jaeger, the first FOLLOWS_FROM in this trace, which is a link all the same.
    """
    if not parts.references:
        return parts.parent, ()
    parent, followed, links = None, None, []
    for reference in parts.references:
        if reference.trace.hex == parts.trace.hex:
            if reference.type == CHILD_OF and parent is None:
                parent = reference.span
                continue
            if reference.type == FOLLOWS_FROM and followed is None:
                followed = reference.span
        attributes: Values = {REFERENCE_TYPE: reference.type}
        if reference.trace.original or reference.span.original:
            keep_originals(attributes, reference.trace, reference.span)
        links.append(
            SpanLink(
                trace_id=reference.trace.hex, span_id=reference.span.hex, attributes=attributes
            )
        )
    return parent or parts.parent or followed, tuple(links)


def _kind(tags: Values) -> str:
    value = tags.get("span.kind")
    if not isinstance(value, str):
        return "unspecified"
    kind = value.lower()
    return kind if kind in KINDS else "unspecified"


def _status(tags: Values) -> tuple[str, str]:
    """OpenTelemetry's own tags first, then OpenTracing's `error`."""
    message = _text(tags, "otel.status_description")
    code = _text(tags, "otel.status_code").lower()
    if code in ("ok", "error", "unset"):
        return code, message
    error = tags.get("error")
    failed = error is True or (isinstance(error, str) and error.lower() == "true")
    return ("error" if failed else "unset"), message


def _text(tags: Values, name: str) -> str:
    value = tags.get(name)
    return value if isinstance(value, str) else ""
