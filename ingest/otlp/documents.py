"""The way through one OTLP document, down to its records."""

from collections.abc import Callable, Iterator

import msgspec

from ingest.ids import BadIdError, Ids
from ingest.jsonstream import UndecodableError, decode_plain
from ingest.limits import Limits
from ingest.otlp.logs import log_of
from ingest.otlp.scopes import Scope, resource_of, scope_of
from ingest.otlp.spans import span_of
from ingest.otlp.values import Decoding, Object, UnreadableError, list_of, object_of
from ingest.reader import Item, MetricsSeen
from store.model import Record, Rejected

# A document past this size is decoded resource by resource, so that it never stands in memory
# as one tree (about eight times its bytes).
WHOLE_BYTES_MAX = 4 * 1024 * 1024

SPAN_KEYS = ("resourceSpans", "resource_spans", "batches")
LOG_KEYS = ("resourceLogs", "resource_logs")
METRIC_KEYS = ("resourceMetrics", "resource_metrics")
SIGNAL_KEYS = (*SPAN_KEYS, *LOG_KEYS, *METRIC_KEYS)
SCOPE_SPAN_KEYS = (
    "scopeSpans",
    "scope_spans",
    "instrumentationLibrarySpans",
    "instrumentation_library_spans",
)
SCOPE_LOG_KEYS = (
    "scopeLogs",
    "scope_logs",
    "instrumentationLibraryLogs",
    "instrumentation_library_logs",
)
SCOPE_METRIC_KEYS = (
    "scopeMetrics",
    "scope_metrics",
    "instrumentationLibraryMetrics",
    "instrumentation_library_metrics",
)
_shallow = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def decode(data: bytes) -> object:
    """One document; a large one only down to its resources, which stay bytes until their turn."""
    if len(data) <= WHOLE_BYTES_MAX:
        return decode_plain(data)
    try:
        parts: dict[str, object] = {}
        for key, raw in _shallow.decode(data).items():
            large = key in SIGNAL_KEYS and bytes(raw)[:1] == b"["
            parts[key] = _elements.decode(raw) if large else decode_plain(bytes(raw))
        return parts
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, UndecodableError):
        return decode_plain(data)


def is_document(value: object) -> bool:
    """Whether a decoded value is a whole OTLP document."""
    return isinstance(value, dict) and any(key in value for key in SIGNAL_KEYS)


class Walker:
    """Walks documents; keeps the ids seen, so that each is decoded once."""

    def __init__(self, limits: Limits) -> None:
        self._ids = Ids()
        self._decoding = Decoding(limits)

    def walk(self, value: object, place: str) -> Iterator[Item]:
        """Every record of one document."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.walk(item, f"{place} [{index}]")
            return
        if not isinstance(value, dict):
            yield Rejected(record=place, reason="no OTLP data: not a JSON object")
            return
        if isinstance(value.get("trace"), dict) and not is_document(value):
            value = object_of(
                value["trace"], "trace"
            )  # Tempo wraps the answer to a query by trace id
        yield from self._document(value, place)

    def _document(self, value: Object, place: str) -> Iterator[Item]:
        known = False
        for key in SPAN_KEYS:
            if key in value:
                known = True
                yield from self._signal(value[key], f"{place} {key}", SCOPE_SPAN_KEYS, self._spans)
        for key in LOG_KEYS:
            if key in value:
                known = True
                yield from self._signal(value[key], f"{place} {key}", SCOPE_LOG_KEYS, self._logs)
        for key in METRIC_KEYS:
            if key in value:
                known = True
                scopes = SCOPE_METRIC_KEYS
                yield from self._signal(value[key], f"{place} {key}", scopes, self._metrics)
        if not known and value:
            keys = ", ".join(sorted(value)[:5])[:120]
            reason = f"no OTLP data: has {keys}; expected resourceSpans or resourceLogs"
            yield Rejected(record=place, reason=reason)

    def _signal(
        self,
        resources: object,
        place: str,
        scope_keys: tuple[str, ...],
        records: Callable[[Scope, Object, str], Iterator[Item]],
    ) -> Iterator[Item]:
        """Every record of one signal: resources, their scopes, their records."""
        problems: list[Rejected] = []
        for r, raw in enumerate(_items(resources, place, problems)):
            at = f"{place}[{r}]"
            try:
                resource = _object(raw, "resource")
                shared = resource_of(resource, self._decoding)
            except (UnreadableError, UndecodableError) as error:
                yield Rejected(record=at, reason=str(error))
                continue
            for key in scope_keys:
                if key not in resource:
                    continue
                for s, scope_raw in enumerate(_items(resource[key], f"{at}.{key}", problems)):
                    inside = f"{at}.{key}[{s}]"
                    try:
                        body = _object(scope_raw, "scope")
                        scope = scope_of(shared, body, self._decoding)
                    except UnreadableError as error:
                        yield Rejected(record=inside, reason=str(error))
                        continue
                    yield from records(scope, body, inside)
        yield from problems

    def _spans(self, scope: Scope, body: Object, place: str) -> Iterator[Item]:
        yield from self._records("spans", scope, body, place, self._span)

    def _logs(self, scope: Scope, body: Object, place: str) -> Iterator[Item]:
        key = next((k for k in ("logRecords", "log_records", "logs") if k in body), "logRecords")
        yield from self._records(key, scope, body, place, self._log)

    def _records(
        self,
        key: str,
        scope: Scope,
        body: Object,
        place: str,
        record_of: Callable[[Object, Scope, list[tuple[str, str]]], Record],
    ) -> Iterator[Item]:
        problems: list[Rejected] = []
        asides: list[tuple[str, str]] = []
        for index, raw in enumerate(_items(body.get(key), f"{place}.{key}", problems)):
            try:
                yield record_of(_object(raw, "record"), scope, asides)
            except (UnreadableError, BadIdError) as error:
                yield Rejected(record=f"{place}.{key}[{index}]", reason=str(error))
                asides.clear()
                continue
            for where, reason in asides:
                yield Rejected(record=f"{place}.{key}[{index}].{where}", reason=reason)
            asides.clear()
        yield from problems

    def _span(self, raw: Object, scope: Scope, asides: list[tuple[str, str]]) -> Record:
        def aside(where: str, reason: str) -> None:
            asides.append((where, reason))

        return span_of(raw, scope, self._ids, self._decoding, aside)

    def _log(self, raw: Object, scope: Scope, asides: list[tuple[str, str]]) -> Record:
        return log_of(raw, scope, self._ids, self._decoding)

    def _metrics(self, scope: Scope, body: Object, place: str) -> Iterator[Item]:
        points = 0
        problems: list[Rejected] = []
        for metric in _items(body.get("metrics"), f"{place}.metrics", problems):
            for data in metric.values() if isinstance(metric, dict) else ():
                if isinstance(data, dict):
                    found = data.get("dataPoints") or data.get("data_points")
                    points += len(found) if isinstance(found, list) else 0
        if points:
            yield MetricsSeen(points)
        yield from problems


def _items(raw: object, place: str, problems: list[Rejected]) -> list[object]:
    """The elements of an array; anything else is a problem of its own, never a crash."""
    try:
        return list_of(raw, "the list")
    except UnreadableError as error:
        problems.append(Rejected(record=place, reason=str(error)))
        return []


def _object(raw: object, what: str) -> Object:
    if type(raw) is msgspec.Raw:
        raw = decode_plain(bytes(raw))
    if raw is None:
        raise UnreadableError(f"the {what} is null")
    return object_of(raw, f"the {what}")
