"""One row of an OTLP table as the shared record."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias

from ingest import conventions
from ingest.ids import Id, Ids
from ingest.jsonstream import UndecodableError, decode_plain
from ingest.limits import Limits
from ingest.otlp.logs import SEVERITY_NUMBERS
from ingest.otlp.spans import KIND_NUMBERS, KINDS, STATUS_NUMBERS, STATUSES, required
from ingest.otlp.values import UnreadableError, number_of, time_of
from store.conclusions import Incident
from store.model import AttributeValue, LogRecord, Record, Span, SpanEvent, SpanLink

Row: TypeAlias = dict[str, Any]
RowReader: TypeAlias = Callable[[Row, Ids, Limits], Record | Incident]
Values: TypeAlias = dict[str, AttributeValue]

_NOT_PLAIN = re.compile(r"[^a-z0-9]")
_SERVICE = (
    ("servicename", "service.name"),
    ("servicenamespace", "service.namespace"),
    ("serviceinstanceid", "service.instance.id"),
)


def plain_name(name: str) -> str:
    """A column's name without case or separators: `Events.Name` and `events_name` are one."""
    return _NOT_PLAIN.sub("", name.lower())


def span_of(row: Row, ids: Ids, limits: Limits) -> Span:
    """The span; raises UnreadableError or BadIdError with the reason when there is none."""
    cut = Cut(limits)
    trace = required(ids.trace(_text(row, "traceid")), "trace id")
    span = required(ids.span(_text(row, "spanid")), "span id")
    parent = ids.span(_text(row, "parentspanid"))
    start = time_of(row.get("timestamp", row.get("starttime")), "start time")
    resource = _resource(row, cut)
    attributes = cut.attributes(row.get("spanattributes"))
    for key, value in cut.attributes(row.get("scopeattributes")).items():
        attributes.setdefault(conventions.SCOPE_PREFIX + key, value)
    for name, found in (
        (conventions.ORIGINAL_TRACE_ID, trace),
        (conventions.ORIGINAL_SPAN_ID, span),
        (conventions.ORIGINAL_PARENT_SPAN_ID, parent),
    ):
        if found is not None and found.original is not None:
            attributes[name] = found.original
    kind = number_of(_text(row, "spankind"), KIND_NUMBERS, "SPAN_KIND_", "span kind")
    status = number_of(_text(row, "statuscode"), STATUS_NUMBERS, "STATUS_CODE_", "status code")
    events, links = _events(row, cut), _links(row, ids, cut)
    if cut.count:
        attributes[conventions.TRUNCATED] = cut.count
    return Span(
        trace_id=trace.hex,
        span_id=span.hex,
        parent_span_id=_hex(parent),
        name=_text(row, "spanname"),
        kind=KINDS[kind] if 0 <= kind < len(KINDS) else KINDS[0],
        service=_service(resource),
        start_ns=start,
        end_ns=_end(row, start),
        status=STATUSES[status] if 0 <= status < len(STATUSES) else STATUSES[0],
        status_message=_text(row, "statusmessage"),
        trace_state=_text(row, "tracestate"),
        attributes=attributes,
        resource=resource,
        scope_name=_text(row, "scopename"),
        scope_version=_text(row, "scopeversion"),
        events=events,
        links=links,
    )


def log_of(row: Row, ids: Ids, limits: Limits) -> LogRecord:
    """The log record of a row."""
    cut = Cut(limits)
    trace, span = ids.trace(_text(row, "traceid")), ids.span(_text(row, "spanid"))
    time = time_of(row.get("timestamp"), "time")
    observed = time_of(row.get("observedtimestamp"), "observed time")
    resource = _resource(row, cut)
    attributes = cut.attributes(row.get("logattributes"))
    for key, value in cut.attributes(row.get("scopeattributes")).items():
        attributes.setdefault(conventions.SCOPE_PREFIX + key, value)
    if name := _text(row, "scopename"):
        attributes.setdefault(conventions.SCOPE_NAME, name)
    event = _text(row, "eventname") or conventions.first_of(attributes, conventions.EVENT_NAME)
    body = cut.value(_json(row.get("body")), 0)
    severity = row.get("severitynumber")
    if cut.count:
        attributes[conventions.TRUNCATED] = cut.count
    return LogRecord(
        time_ns=time or observed,
        observed_ns=observed or time,
        trace_id=_hex(trace),
        span_id=_hex(span),
        severity_number=number_of(severity, SEVERITY_NUMBERS, "SEVERITY_NUMBER_", "severity"),
        severity_text=_text(row, "severitytext"),
        event_name=event if isinstance(event, str) else "",
        body=body,
        service=_service(resource),
        attributes=attributes,
        resource=resource,
    )


class Cut:
    """Makes values fit the limits; counts what it had to leave out."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.count = limits, 0

    def attributes(self, raw: object) -> Values:
        """Attributes written as JSON text or as a map of the table."""
        raw = _json(raw)
        if isinstance(raw, list):
            raw = {str(pair[0]): pair[1] for pair in raw if isinstance(pair, tuple | list) and pair}
        if raw is None or raw == "":
            return {}
        if not isinstance(raw, dict):
            raise UnreadableError("the attributes are no object")
        return {key: self.value(item, 0) for key, item in self.listed(list(raw.items()))}

    def listed(self, items: list[Any], limit: int | None = None) -> list[Any]:
        """The items up to the limit."""
        limit = self.limits.attributes_per_record if limit is None else limit
        self.count += max(0, len(items) - limit)
        return items[:limit]

    def value(self, raw: Any, depth: int) -> AttributeValue:
        """One value, nested ones within the depth."""
        if depth > self.limits.nesting_depth:
            raise UnreadableError(f"an attribute is nested deeper than nesting_depth = {depth - 1}")
        if isinstance(raw, list):
            return [self.value(item, depth + 1) for item in self.listed(raw)]
        if isinstance(raw, dict):
            pairs = self.listed(list(raw.items()))
            return {str(key): self.value(item, depth + 1) for key, item in pairs}
        if isinstance(raw, str) and len(raw) > self.limits.attribute_chars:
            self.count += 1
            return raw[: self.limits.attribute_chars]
        if isinstance(raw, int) and not -(2**63) <= raw < 2**63:
            return str(raw)[:64]
        return raw if raw is None or isinstance(raw, bool | int | float | str | bytes) else str(raw)


def _json(raw: object) -> object:
    """JSON inside text; text that is no JSON as it is."""
    if not isinstance(raw, str):
        return raw
    try:
        return decode_plain(raw.encode("utf-8", "replace"))
    except UndecodableError:
        return raw


def _text(row: Row, name: str) -> str:
    raw = row.get(name)
    if isinstance(raw, bytes):
        return raw.hex()
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw.encode("utf-8", "replace").decode()
    return str(raw)


def _hex(found: Id | None) -> str | None:
    return None if found is None else found.hex


def _resource(row: Row, cut: Cut) -> Values:
    """The resource with the parts that stand in columns of their own."""
    resource = cut.attributes(row.get("resourceattributes"))
    for column, name in _SERVICE:
        value = row.get(column)
        if isinstance(value, str) and value:
            resource.setdefault(name, value)
    return resource


def _service(resource: Values) -> str:
    service = conventions.first_of(resource, conventions.SERVICE_NAME)
    return str(service) if service else conventions.UNKNOWN_SERVICE


def _end(row: Row, start: int) -> int | None:
    duration = row.get("duration")
    if isinstance(duration, int) and duration >= 0:
        return time_of(start + duration, "end time")
    return time_of(row.get("endtimestamp", row.get("endtime")), "end time") or None


def _column(row: Row, *names: str) -> list[Any]:
    raw = next((row[name] for name in names if row.get(name) is not None), None)
    return raw if isinstance(raw, list) else []


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _events(row: Row, cut: Cut) -> tuple[SpanEvent, ...]:
    names, times = _column(row, "eventsname"), _column(row, "eventstimestamp")
    attributes = _column(row, "eventsattributes")
    return tuple(
        SpanEvent(
            name=str(name or ""),
            time_ns=time_of(_at(times, index), "event time"),
            attributes=cut.attributes(_at(attributes, index)),
        )
        for index, name in enumerate(cut.listed(names, cut.limits.events_per_span))
    )


def _links(row: Row, ids: Ids, cut: Cut) -> tuple[SpanLink, ...]:
    traces, spans = _column(row, "linkstraceid"), _column(row, "linksspanid")
    attributes = _column(row, "linksattributes")
    found = []
    for index, raw in enumerate(cut.listed(traces, cut.limits.links_per_span)):
        trace, span = ids.trace(raw), ids.span(_at(spans, index))
        if trace is not None and span is not None:
            told = cut.attributes(_at(attributes, index))
            found.append(SpanLink(trace_id=trace.hex, span_id=span.hex, attributes=told))
    return tuple(found)
