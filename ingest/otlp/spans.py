"""One OTLP span as the shared record."""

from collections.abc import Callable

from ingest import conventions
from ingest.ids import BadIdError, Id, Ids
from ingest.otlp.scopes import Scope
from ingest.otlp.values import (
    Decoding,
    Object,
    UnreadableError,
    attributes_of,
    list_of,
    number_of,
    object_of,
    text_of,
    time_of,
)
from store.model import Attributes, AttributeValue, Span, SpanEvent, SpanLink

KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
KIND_NUMBERS = {name.upper(): number for number, name in enumerate(KINDS)}
STATUSES = ("unset", "ok", "error")
STATUS_NUMBERS = {name.upper(): number for number, name in enumerate(STATUSES)}

Aside = Callable[[str, str], None]  # (where inside the span, reason): a part that was left out


def span_of(raw: Object, scope: Scope, ids: Ids, decoding: Decoding, aside: Aside) -> Span:
    """The span; raises UnreadableError or BadIdError with the reason when there is none."""
    get = raw.get
    decoding.cut = 0
    trace = required(ids.trace(get("traceId") or get("trace_id")), "trace id")
    span = required(ids.span(get("spanId") or get("span_id")), "span id")
    parent = ids.span(get("parentSpanId") or get("parent_span_id"))
    attributes = attributes_of(get("attributes"), decoding)
    if scope.attributes:
        attributes = {**scope.attributes, **attributes}
    start = time_of(get("startTimeUnixNano") or get("start_time_unix_nano"), "start time")
    end = time_of(get("endTimeUnixNano") or get("end_time_unix_nano"), "end time")
    if not start and end:
        start = end
        attributes[conventions.START_MISSING] = True
    kind = _kind(get("kind"), attributes)
    status, message = _status(get("status"), attributes)
    events = get("events")
    links = get("links")
    if trace.original is not None or span.original is not None or parent is not None:
        _keep_originals(attributes, trace, span, parent)
    record = Span(
        trace_id=trace.hex,
        span_id=span.hex,
        parent_span_id=None if parent is None else parent.hex,
        name=text_of(get("name"), "name"),
        kind=kind,
        service=scope.service,
        start_ns=start,
        end_ns=end or None,
        status=status,
        status_message=message,
        trace_state=text_of(get("traceState") or get("trace_state"), "trace state"),
        attributes=attributes,
        resource=scope.resource,
        scope_name=scope.name,
        scope_version=scope.version,
        events=_events(events, decoding, aside) if events else (),
        links=_links(links, ids, decoding, aside) if links else (),
    )
    if decoding.cut:
        attributes[conventions.TRUNCATED] = decoding.cut
    return record


def required(found: Id | None, what: str) -> Id:
    """The id, or the reason why a record without one is refused."""
    if found is None:
        raise BadIdError(f"{what} is missing, empty or all zero")
    return found


def _keep_originals(
    attributes: dict[str, AttributeValue], trace: Id, span: Id, parent: Id | None
) -> None:
    if trace.original is not None:
        attributes[conventions.ORIGINAL_TRACE_ID] = trace.original
    if span.original is not None:
        attributes[conventions.ORIGINAL_SPAN_ID] = span.original
    if parent is not None and parent.original is not None:
        attributes[conventions.ORIGINAL_PARENT_SPAN_ID] = parent.original


def _kind(raw: object, attributes: dict[str, AttributeValue]) -> str:
    number = number_of(raw, KIND_NUMBERS, "SPAN_KIND_", "span kind")
    if 0 <= number < len(KINDS):
        return KINDS[number]
    attributes[conventions.ORIGINAL_KIND] = str(number)
    return KINDS[0]


def _status(raw: object, attributes: dict[str, AttributeValue]) -> tuple[str, str]:
    if not raw:
        return "unset", ""
    status = object_of(raw, "status")
    number = number_of(status.get("code"), STATUS_NUMBERS, "STATUS_CODE_", "status code")
    message = text_of(status.get("message"), "status message")
    if 0 <= number < len(STATUSES):
        return STATUSES[number], message
    attributes[conventions.ORIGINAL_STATUS] = str(number)
    return STATUSES[0], message


def _events(raw: object, decoding: Decoding, aside: Aside) -> tuple[SpanEvent, ...]:
    found = []
    for index, item in enumerate(
        _limited(raw, decoding.limits.events_per_span, "events", decoding)
    ):
        try:
            event = object_of(item, "event")
            found.append(
                SpanEvent(
                    name=text_of(event.get("name"), "event name"),
                    time_ns=time_of(
                        event.get("timeUnixNano") or event.get("time_unix_nano"), "event time"
                    ),
                    attributes=attributes_of(event.get("attributes"), decoding),
                )
            )
        except UnreadableError as error:
            aside(f"events[{index}]", str(error))
    return tuple(found)


def _links(raw: object, ids: Ids, decoding: Decoding, aside: Aside) -> tuple[SpanLink, ...]:
    found = []
    for index, item in enumerate(_limited(raw, decoding.limits.links_per_span, "links", decoding)):
        try:
            link = object_of(item, "link")
            trace = required(ids.trace(link.get("traceId") or link.get("trace_id")), "trace id")
            span = required(ids.span(link.get("spanId") or link.get("span_id")), "span id")
            attributes: Attributes = attributes_of(link.get("attributes"), decoding)
            if trace.original is not None or span.original is not None:
                kept = dict(attributes)
                _keep_originals(kept, trace, span, None)
                attributes = kept
            found.append(SpanLink(trace_id=trace.hex, span_id=span.hex, attributes=attributes))
        except (UnreadableError, BadIdError) as error:
            aside(f"links[{index}]", str(error))
    return tuple(found)


def _limited(raw: object, limit: int, what: str, decoding: Decoding) -> list[object]:
    items = list_of(raw, what)
    if len(items) > limit:
        decoding.cut += len(items) - limit
        return items[:limit]
    return items
