"""What OpenTelemetry SDKs print: Python's console exporters, JavaScript's span objects."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.ids import BadIdError, Ids
from ingest.jsonstream import Grammar
from ingest.legacy.heads import paths_of
from ingest.legacy.walking import decode, elements, no_document, refusal, walked
from ingest.limits import Limits
from ingest.otlp import printed
from ingest.otlp.logs import log_of
from ingest.otlp.scopes import resource_of, scope_of
from ingest.otlp.spans import span_of
from ingest.otlp.values import Decoding, Object, UnreadableError
from ingest.reader import Item
from store.model import LogRecord, Rejected, Span

_MARKS = (
    {"context.trace_id", "context.span_id", "start_time"},
    {"spanContext.traceId", "spanContext.spanId", "startTime"},
    {"severity_number", "trace_id", "span_id", "body", "timestamp"},
)


class _Walker:
    def __init__(self, limits: Limits) -> None:
        self._decoding, self._ids = Decoding(limits), Ids()

    def walk(self, value: object, place: str) -> Iterator[Item]:
        for where, raw in elements(value, place):
            if not isinstance(raw, dict) or not {"context", "spanContext", "body"} & raw.keys():
                yield refusal(raw, where, "printed span or log record")
                continue
            asides: list[Rejected] = []
            try:
                yield self._record(raw, where, asides)
            except (UnreadableError, BadIdError) as error:
                yield Rejected(record=where, reason=str(error))
            yield from asides

    def _record(self, raw: Object, where: str, asides: list[Rejected]) -> Span | LogRecord:
        def aside(part: str, reason: str) -> None:
            asides.append(Rejected(record=f"{where}.{part}", reason=reason))

        around = printed.scoped(raw)
        scope = scope_of(resource_of(around, self._decoding), around, self._decoding)
        if "context" in raw or "spanContext" in raw:
            return span_of(printed.span(raw), scope, self._ids, self._decoding, aside)
        return log_of(printed.log(raw), scope, self._ids, self._decoding)


class OtelSdkReader:
    """Reads documents one behind the other, lines, and arrays of them."""

    name = "otel_sdk"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the keys that a printed span or log record has together."""
        paths = paths_of(head)
        return any(paths >= mark for mark in _MARKS)

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span and every log record of every document."""
        return walked(stream, limits, Grammar(decode, no_document), _Walker(limits).walk)


READER = OtelSdkReader()
