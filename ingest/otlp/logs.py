"""One OTLP log record as the shared record."""

from ingest import conventions
from ingest.ids import Ids
from ingest.otlp.scopes import Scope
from ingest.otlp.values import (
    Decoding,
    Object,
    attributes_of,
    number_of,
    object_of,
    text_of,
    time_of,
    value_of,
)
from store.model import LogRecord

SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
# OTLP numbers each severity in four grades: INFO = 9, INFO2 = 10, INFO3 = 11, INFO4 = 12.
SEVERITY_NUMBERS = {
    "UNSPECIFIED": 0,
    **{
        f"{name}{grade if grade > 1 else ''}": 4 * position + grade
        for position, name in enumerate(SEVERITIES)
        for grade in (1, 2, 3, 4)
    },
}
SEVERITY = SEVERITY_NUMBERS, "SEVERITY_NUMBER_", "severity"
SEVERITY_COUNT = 1 + max(SEVERITY_NUMBERS.values())


def log_of(raw: Object, scope: Scope, ids: Ids, decoding: Decoding) -> LogRecord:
    """The log record; raises UnreadableError or BadIdError with the reason when there is none."""
    get = raw.get
    decoding.cut = 0
    trace = ids.trace(get("traceId") or get("trace_id"))
    span = ids.span(get("spanId") or get("span_id"))
    attributes = attributes_of(get("attributes"), decoding)
    if scope.attributes:
        attributes = {**scope.attributes, **attributes}
    if scope.name:
        attributes.setdefault(conventions.SCOPE_NAME, scope.name)
    time = time_of(get("timeUnixNano") or get("time_unix_nano"), "time")
    observed = time_of(
        get("observedTimeUnixNano") or get("observed_time_unix_nano"), "observed time"
    )
    event = text_of(get("eventName") or get("event_name"), "event name")
    alias = conventions.first_of(attributes, conventions.EVENT_NAME)
    if trace is not None and trace.original is not None:
        attributes[conventions.ORIGINAL_TRACE_ID] = trace.original
    if span is not None and span.original is not None:
        attributes[conventions.ORIGINAL_SPAN_ID] = span.original
    record = LogRecord(
        time_ns=time or observed,
        observed_ns=observed or time,
        trace_id=None if trace is None else trace.hex,
        span_id=None if span is None else span.hex,
        severity_number=number_of(get("severityNumber") or get("severity_number"), *SEVERITY),
        severity_text=text_of(get("severityText") or get("severity_text"), "severity text"),
        event_name=event or (alias if isinstance(alias, str) else ""),
        body=value_of(object_of(get("body"), "body"), decoding, 0),
        service=scope.service,
        attributes=attributes,
        resource=scope.resource,
    )
    if decoding.cut:
        attributes[conventions.TRUNCATED] = decoding.cut
    return record
