"""A span that a reader puts together piece by piece, within the limits."""

import hashlib
import json

from ingest import conventions
from ingest.limits import Limits
from store.model import AttributeValue, Span, SpanEvent, SpanLink

SYNTHETIC_TIME = "retrospan.time.synthetic"
BODY_TRUNCATED = "retrospan.body.truncated"
SOURCE = "retrospan.source"
UNENCODABLE = "a body that is nested too deeply to be written"

_INT64 = range(-(2**63), 2**63)


def trace_id_of(*parts: object) -> str:
    """A trace id that stands for these parts: equal parts, equal id."""
    return _digest("trace", parts)[:32]


def span_id_of(*parts: object) -> str:
    """A span id that stands for these parts."""
    return _digest("span", parts)[:16]


def _digest(what: str, parts: tuple[object, ...]) -> str:
    written = "\x1f".join((what, *map(str, parts)))
    return hashlib.sha256(written.encode("utf-8", "replace")).hexdigest()


def json_text(value: object) -> str:
    """A value as compact JSON, names in the order they came."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError, TypeError):
        return json.dumps(UNENCODABLE)


class SpanDraft:
    """What is known so far; what passes a limit is cut and counted under `retrospan.truncated`."""

    __slots__ = (
        "_cut",
        "_events",
        "_limits",
        "_links",
        "attributes",
        "end_ns",
        "kind",
        "name",
        "parent_span_id",
        "service",
        "span_id",
        "start_ns",
        "status",
        "status_message",
        "trace_id",
    )

    def __init__(
        self, limits: Limits, trace_id: str, span_id: str, name: str, kind: str, start_ns: int
    ) -> None:
        self._limits, self._cut = limits, 0
        self._events: list[SpanEvent] = []
        self._links: list[SpanLink] = []
        self.trace_id, self.span_id, self.kind = trace_id, span_id, kind
        self.name, self.start_ns = name[: limits.attribute_chars], start_ns
        self.parent_span_id: str | None = None
        self.service = conventions.UNKNOWN_SERVICE
        self.end_ns: int | None = None
        self.status, self.status_message = "unset", ""
        self.attributes: dict[str, AttributeValue] = {}

    def put(self, name: str, value: object) -> None:
        """Set an attribute: scalars as they are, what is nested as JSON; None and "" not at all."""
        if value is None or value == "":
            return
        # One place is kept for the count of what was cut.
        room = max(1, self._limits.attributes_per_record - 1)
        if name not in self.attributes and len(self.attributes) >= room:
            self._cut += 1
            return
        self.attributes[name] = self._scalar(value)

    def body(self, name: str, value: object) -> None:
        """Set a request, a response, an input or an output: JSON text, marked when it was cut."""
        self.text_body(name, json_text(value))

    def text_body(self, name: str, text: str) -> None:
        """Set a body that is text already."""
        self.put(name, text)
        if len(text) > self._limits.attribute_chars:
            self.put(BODY_TRUNCATED, True)

    def event(self, name: str, time_ns: int, attributes: dict[str, object] | None = None) -> None:
        """Add a timed note."""
        if len(self._events) >= self._limits.events_per_span:
            self._cut += 1
            return
        scalars = {
            key: self._scalar(value)
            for key, value in (attributes or {}).items()
            if value is not None and value != ""
        }
        limit = self._limits.attributes_per_record
        if len(scalars) > limit:
            self._cut += len(scalars) - limit
            scalars = dict(list(scalars.items())[:limit])
        self._events.append(SpanEvent(name=name, time_ns=time_ns, attributes=scalars))

    def link(self, trace_id: str, span_id: str, relation: str) -> None:
        """Add a causal tie, with the word for what it is."""
        if len(self._links) >= self._limits.links_per_span:
            self._cut += 1
            return
        attributes: dict[str, AttributeValue] = {"retrospan.link": relation}
        self._links.append(SpanLink(trace_id=trace_id, span_id=span_id, attributes=attributes))

    def close(self, time_ns: int, status: str = "ok") -> None:
        """End the span; an end before its start is the start."""
        self.end_ns = max(time_ns, self.start_ns)
        self.status = status

    def fail(self, time_ns: int, error_type: str, message: str = "") -> None:
        """End the span with an error."""
        self.close(time_ns, "error")
        self.put("error.type", error_type)
        self.status_message = self._text(message)

    def span(self, resource: dict[str, AttributeValue]) -> Span:
        """The finished record."""
        attributes = self.attributes
        if self._cut:
            attributes = {**attributes, conventions.TRUNCATED: self._cut}
        return Span(
            trace_id=self.trace_id,
            span_id=self.span_id,
            parent_span_id=self.parent_span_id,
            name=self.name,
            kind=self.kind,
            service=self.service,
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            status=self.status,
            status_message=self.status_message,
            attributes=attributes,
            resource=resource,
            events=tuple(self._events),
            links=tuple(self._links),
        )

    def _scalar(self, value: object) -> AttributeValue:
        if isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if value in _INT64 else str(value)[:64]
        return self._text(value if isinstance(value, str) else json_text(value))

    def _text(self, text: str) -> str:
        if len(text) <= self._limits.attribute_chars:
            return text
        self._cut += 1
        return text[: self._limits.attribute_chars]
