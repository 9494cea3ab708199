"""The events of a span, whether they came inside it or as log records of their own.

OpenTelemetry is moving span events to logs; whoever asks what happened during a span asks here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.conventions import EVENT_NAME, EXCEPTION_MESSAGE, EXCEPTION_TYPE, SpanKey, key_of
from store.model import LogRecord, Span, SpanEvent
from store.read import read_logs, read_spans
from store.session import Session

EXCEPTION = "exception"


def event_name(log: LogRecord) -> str:
    """The name of the event a log record is; empty for a plain log line.

    A record that holds an exception is one by whatever name, and without any.
    """
    if any(name in log.attributes for name in (*EXCEPTION_TYPE, *EXCEPTION_MESSAGE)):
        return EXCEPTION
    named = log.event_name or log.attributes.get(EVENT_NAME)
    return named if isinstance(named, str) else ""


def events_of(span: Span, logs: Iterable[LogRecord]) -> tuple[SpanEvent, ...]:
    """All events of a span by time, then name; one that was recorded both ways counts once."""
    events = list(span.events)
    for log in logs:
        name = event_name(log)
        if name and (log.trace_id, log.span_id) == key_of(span):
            found = _event(log, name)
            if found not in events:
                events.append(found)
    return tuple(sorted(events, key=lambda event: (event.time_ns, event.name)))


def with_events(spans: Sequence[Span], logs: Iterable[LogRecord]) -> list[Span]:
    """The spans, each with all its events."""
    by_span: dict[SpanKey, list[LogRecord]] = defaultdict(list)
    for log in logs:
        if log.trace_id is not None and log.span_id is not None and event_name(log):
            by_span[log.trace_id, log.span_id].append(log)
    return [_with_all(span, by_span.get(key_of(span), ())) for span in spans]


def read_with_events(session: Session, trace_ids: Sequence[str]) -> list[Span]:
    """The stored spans of some traces, each with all its events."""
    return with_events(read_spans(session, trace_ids), read_logs(session, trace_ids))


def _with_all(span: Span, logs: Sequence[LogRecord]) -> Span:
    if not logs and len(span.events) < 2:
        return span
    events = events_of(span, logs)
    return span if events == tuple(span.events) else replace(span, events=events)


def _event(log: LogRecord, name: str) -> SpanEvent:
    """A structured body says what attributes of a span event say."""
    body = log.body if isinstance(log.body, dict) else {}
    attributes = {**body, **log.attributes}
    attributes.pop(EVENT_NAME, None)
    return SpanEvent(name=name, time_ns=log.time_ns, attributes=attributes)
