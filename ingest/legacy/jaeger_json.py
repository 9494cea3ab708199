"""Jaeger's JSON in every spelling that was met, down to its spans.

The UI and the HTTP API write `traceID`, Elasticsearch the same with the process inside the span,
Thrift `traceIdLow`, protobuf `traceId` in base64 or `trace_id`, Cassandra `TraceID`.
"""

from collections.abc import Iterator

from ingest.ids import BadIdError, Id
from ingest.legacy.jaeger_spans import (
    CHILD_OF,
    FOLLOWS_FROM,
    JaegerSpan,
    Process,
    Reference,
    event_of,
    process_of,
    span_of,
)
from ingest.legacy.jaeger_values import KEY, duration_of, tag_value, time_of
from ingest.legacy.values import (
    Attributes,
    first,
    limited,
    number_id,
    padded,
    required,
    text_in,
)
from ingest.legacy.walking import Aside, elements, record, refusal, settled
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from ingest.reader import Item
from store.model import Rejected, Span, SpanEvent

TRACE_ID = ("traceID", "traceId", "trace_id", "TraceID")
TRACE_LOW = ("traceIdLow", "trace_id_low")
TRACE_HIGH = ("traceIdHigh", "trace_id_high")
SPAN_ID = ("spanID", "spanId", "span_id", "SpanID")
PARENT_ID = ("parentSpanID", "parentSpanId", "parent_span_id", "ParentID")
OPERATION = ("operationName", "operation_name", "OperationName")
START = ("startTime", "start_time", "StartTime")
DURATION = ("duration", "Duration")
REFERENCES = ("references", "Refs")
REFERENCE_TYPE = ("refType", "ref_type", "RefType")
TAGS = ("tags", "Tags")
LOGS = ("logs", "Logs")
FIELDS = ("fields", "Fields")
TIMESTAMP = ("timestamp", "Timestamp")
PROCESS = ("process", "Process")
SERVICE = ("serviceName", "service_name", "ServiceName")
BATCH_SPANS = ("spans", "Spans")
# Elasticsearch can hold tags as fields of one object, whose names must not hold a dot.
DOT_REPLACEMENT = "@"


class JaegerWalker:
    """Walks documents: answers of the API, traces, batches, single spans, search hits."""

    def __init__(self, limits: Limits) -> None:
        self._decoding = Decoding(limits)

    def walk(self, value: object, place: str) -> Iterator[Item]:
        """Every span of one document."""
        for where, item in elements(value, place):
            if isinstance(item, list):
                yield from self.walk(item, where)
            elif not isinstance(item, dict):
                yield refusal(item, where, "Jaeger data")
            else:
                yield from self._document(item, where)

    def _document(self, value: Object, place: str) -> Iterator[Item]:
        spans = next((key for key in BATCH_SPANS if key in value), None)
        if spans is not None:
            yield from self._trace(value, spans, place)
        elif "data" in value:
            yield from self.walk(settled(value["data"]), f"{place} data")
        elif isinstance(value.get("_source"), dict):
            yield from self._document(object_of(value["_source"], "_source"), f"{place} _source")
        elif "hits" in value:
            hits = settled(value["hits"])
            inner = settled(hits.get("hits")) if isinstance(hits, dict) else hits
            yield from self.walk(inner, f"{place} hits")
        elif first(value, SPAN_ID) is not None or first(value, OPERATION) is not None:
            yield from self._span(value, {}, None, place)
        else:
            yield refusal(value, place, "Jaeger data")

    def _trace(self, trace: Object, key: str, place: str) -> Iterator[Item]:
        """A trace with the processes of its spans, or a batch with the process of all."""
        processes: dict[str, Process] = {}
        own: Process | None = None
        named = settled(trace.get("processes"))
        if named is not None and not isinstance(named, dict):
            yield refusal(named, f"{place} processes", "processes")
            named = None
        for name, raw in {**(named or {}), None: first(trace, PROCESS)}.items():
            try:
                if name is not None:
                    processes[name] = self._process(raw)
                elif raw is not None:
                    own = self._process(raw)
            except UnreadableError as error:
                where = "process" if name is None else f"processes.{name}"
                yield Rejected(record=f"{place} {where}", reason=str(error))
        spans = settled(trace[key])
        if spans is not None and not isinstance(spans, list):
            yield refusal(spans, f"{place} {key}", "list of spans")
            return
        inherited = first(trace, TRACE_ID)
        for where, raw in elements(spans or [], f"{place} {key}"):
            if isinstance(raw, dict) and inherited is not None and not _names_trace(raw):
                raw = {**raw, "traceID": inherited}
            yield from self._span(raw, processes, own, where)

    def _span(
        self, raw: object, processes: dict[str, Process], own: Process | None, place: str
    ) -> Iterator[Item]:
        def span(fields: Object, aside: Aside) -> Span:
            parts = self._parts(fields, aside)
            process = processes.get(text_in(fields.get("processID"))) or own
            inner = first(fields, PROCESS)
            if process is None or (inner is not None and "processID" not in fields):
                process = self._process(inner)
            return span_of(parts, process, self._decoding)

        yield from record(raw, place, "Jaeger span", self._decoding, span)

    def _process(self, raw: object) -> Process:
        process = object_of(raw, "process")
        tags = Attributes(self._decoding)
        self._take_tags(tags, process, hexadecimal=False)
        return process_of(text_in(first(process, SERVICE)), tags.found)

    def _parts(self, raw: Object, aside: Aside) -> JaegerSpan:
        decoding = self._decoding
        # Elasticsearch's documents hold bytes as hex, all others as base64.
        hexadecimal = "traceID" in raw and "process" in raw and "processID" not in raw
        tags = Attributes(decoding)
        self._take_tags(tags, raw, hexadecimal)
        warnings = raw.get("warnings")
        start = first(raw, START)
        return JaegerSpan(
            trace=_trace_id(raw),
            span=required(padded(first(raw, SPAN_ID), 8, "span id"), "span id"),
            parent=padded(first(raw, PARENT_ID), 8, "parent span id"),
            name=text_in(first(raw, OPERATION)),
            start_ns=time_of(start, "start time"),
            duration_ns=duration_of(first(raw, DURATION), isinstance(start, str)),
            tags=tags.found,
            events=tuple(self._events(raw, hexadecimal, aside)),
            references=tuple(self._references(raw, aside)),
            warnings=[text_in(item) for item in warnings] if isinstance(warnings, list) else [],
        )

    def _references(self, raw: Object, aside: Aside) -> Iterator[Reference]:
        items = list_of(first(raw, REFERENCES), "references")
        for index, item in enumerate(
            limited(items, self._decoding.limits.links_per_span, self._decoding)
        ):
            try:
                fields = object_of(item, "reference")
                kind = str(first(fields, REFERENCE_TYPE) or CHILD_OF).lower().replace("-", "_")
                span = required(padded(first(fields, SPAN_ID), 8, "span id"), "span id")
                known = FOLLOWS_FROM if kind in (FOLLOWS_FROM, "1") else CHILD_OF
                if kind not in (FOLLOWS_FROM, CHILD_OF, "1", "0"):
                    raise UnreadableError(f"unknown reference type {kind[:40]!r}")
                yield Reference(known, _trace_id(fields), span)
            except (UnreadableError, BadIdError) as error:
                aside(f"references[{index}]", str(error))

    def _events(self, raw: Object, hexadecimal: bool, aside: Aside) -> Iterator[SpanEvent]:
        items = list_of(first(raw, LOGS), "logs")
        for index, item in enumerate(
            limited(items, self._decoding.limits.events_per_span, self._decoding)
        ):
            try:
                log = object_of(item, "log")
                fields = Attributes(self._decoding)
                self._take_list(fields, first(log, FIELDS), hexadecimal)
                yield event_of(time_of(first(log, TIMESTAMP), "log time"), fields.found)
            except UnreadableError as error:
                aside(f"logs[{index}]", str(error))

    def _take_tags(self, into: Attributes, raw: Object, hexadecimal: bool) -> None:
        self._take_list(into, first(raw, TAGS), hexadecimal)
        as_fields = raw.get("tag")
        if isinstance(as_fields, dict):
            into.take(
                (key.replace(DOT_REPLACEMENT, "."), value) for key, value in as_fields.items()
            )

    def _take_list(self, into: Attributes, raw: object, hexadecimal: bool) -> None:
        for item in list_of(raw, "tags"):
            tag = object_of(item, "a tag")
            into.put(text_in(first(tag, KEY)), tag_value(tag, hexadecimal))


def _names_trace(raw: Object) -> bool:
    return first(raw, (*TRACE_ID, *TRACE_LOW, *TRACE_HIGH)) is not None


def _trace_id(raw: Object) -> Id:
    value = first(raw, TRACE_ID)
    if value is not None:
        return required(padded(value, 16, "trace id"), "trace id")
    halves = []
    for names in (TRACE_HIGH, TRACE_LOW):
        number = first(raw, names) or 0
        if isinstance(number, str) and number.lstrip("-").isdigit():
            number = int(number) if len(number) < 21 else number
        if type(number) is not int:
            raise BadIdError(f"trace id is {type(number).__name__}, expected an integer")
        half = number_id(number, 8, "trace id")
        halves.append("0" * 16 if half is None else half.hex)
    return required(padded("".join(halves), 16, "trace id"), "trace id")
