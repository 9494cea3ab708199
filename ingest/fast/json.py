"""OTLP JSON documents into flat columns, by way of typed structures."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar

import msgspec
import polars as pl

from ingest.fast.flat import BODY_KEY, FlatLogs, FlatMap, FlatSpans, OddError, repeated
from ingest.fast.json_shapes import Log, Logs, Pair, Span, Status, Traces, Value
from ingest.limits import Limits
from ingest.otlp.logs import SEVERITY, SEVERITY_COUNT
from ingest.otlp.scopes import Scope, resource_of, scope_of
from ingest.otlp.spans import KINDS, STATUSES
from ingest.otlp.values import Decoding, Object, UnreadableError, number_of, value_of
from store.model import AttributeValue

R = TypeVar("R")
CACHE_ENTRIES_MAX = 4096
WHOLE_BYTES_MAX = 4 * 1024 * 1024  # a larger document is read resource by resource, by the walk


_decode_traces = msgspec.json.Decoder(Traces).decode
_decode_logs = msgspec.json.Decoder(Logs).decode
_plain = msgspec.json.Decoder().decode
_OTHERS = ("bytes_value", "array_value", "kvlist_value")
_OF_LOGS = re.compile(rb'\s*\{\s*"resourceLogs"').match
_DIGITS = re.compile(r"[0-9]{1,18}\Z", re.ASCII).match
_other_fields = attrgetter(*_OTHERS)


def typed_of(document: bytes) -> Traces | Logs:
    """A document of spans alone, or of log records alone; raises OddError for any other."""
    if len(document) > WHOLE_BYTES_MAX:
        raise OddError
    is_of_logs = _OF_LOGS(document) is not None
    try:
        return _decode_logs(document) if is_of_logs else _decode_traces(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise OddError from error


class FlatJson:
    """Flattens documents; keeps the resources and scopes it met."""

    def __init__(self, limits: Limits) -> None:
        self._decoding = Decoding(limits)
        self._scopes: dict[tuple[bytes, bytes], Scope] = {}

    def flat(self, documents: Sequence[Traces]) -> FlatSpans:
        """All spans; raises OddError for what needs the walk over records."""
        return self._spans(
            *self._records(
                (resource.resource, [(group.scope, group.spans) for group in resource.scope_spans])
                for document in documents
                for resource in document.resource_spans
            )
        )

    def flat_logs(self, documents: Sequence[Logs]) -> FlatLogs:
        """All log records; raises OddError likewise."""
        return self._logs(
            *self._records(
                (
                    resource.resource,
                    [(group.scope, group.log_records) for group in resource.scope_logs],
                )
                for document in documents
                for resource in document.resource_logs
            )
        )

    def _records(
        self, resources: Iterable[tuple[msgspec.Raw, list[tuple[msgspec.Raw, list[R]]]]]
    ) -> tuple[list[R], pl.Series, list[Scope]]:
        """The records of all resources and their scopes, the scope of each, the scopes."""
        records: list[R] = []
        scope: list[int] = []
        found: dict[tuple[bytes, bytes], int] = {}
        for resource, groups in resources:
            outer = bytes(resource)
            if not groups:  # looked into by the walk alone
                raise OddError
            for inner, held in groups:
                place = found.setdefault((outer, bytes(inner)), len(found))
                records += held
                scope += [place] * len(held)
        shared = [self._scope(*pair) for pair in found]
        return records, pl.Series("scope", scope, dtype=pl.UInt32), shared

    def _scope(self, resource: bytes, scope: bytes) -> Scope:
        known = self._scopes.get((resource, scope))
        if known is not None:
            return known
        self._decoding.cut = 0
        try:
            outer: Object = {"resource": _plain(resource) if resource else None}
            inner: Object = {"scope": _plain(scope) if scope else None}
            found = scope_of(resource_of(outer, self._decoding), inner, self._decoding)
        except (msgspec.MsgspecError, UnicodeDecodeError, UnreadableError) as error:
            raise OddError from error
        if len(self._scopes) >= CACHE_ENTRIES_MAX:
            self._scopes.clear()
        self._scopes[resource, scope] = found
        return found

    def _spans(self, spans: list[Span], scope: pl.Series, shared: list[Scope]) -> FlatSpans:
        status = [span.status or _UNSET for span in spans]
        events, event_owner = _inner([span.events for span in spans])
        links, link_owner = _inner([span.links for span in spans])
        start = _times([span.start_time_unix_nano for span in spans])
        end = _times([span.end_time_unix_nano for span in spans])
        if ((start == 0) & (end != 0)).any():  # the end stands in
            raise OddError
        return FlatSpans(
            trace_id=_ids([span.trace_id for span in spans], 32),
            span_id=_numbers_of(_ids([span.span_id for span in spans], 16)),
            parent_span_id=_numbers_of(
                _ids([span.parent_span_id for span in spans], 16, required=False)
            ),
            name=_texts([span.name for span in spans]),
            kind=_choices([span.kind for span in spans], len(KINDS)),
            start_ns=start,
            end_ns=end.set(end == 0, None),
            status=_choices([one.code for one in status], len(STATUSES)),
            message=_texts([one.message for one in status]),
            state=_texts([span.trace_state for span in spans]),
            scope=scope,
            scopes=shared,
            attributes=self._map([span.attributes for span in spans]),
            event_owner=event_owner,
            event_time_ns=_times([event.time_unix_nano for event in events]),
            event_name=_texts([event.name for event in events]),
            event_attributes=self._map([event.attributes for event in events]),
            link_owner=link_owner,
            link_trace_id=_ids([link.trace_id for link in links], 32),
            link_span_id=_numbers_of(_ids([link.span_id for link in links], 16)),
            link_attributes=self._map([link.attributes for link in links]),
        )

    def _logs(self, logs: list[Log], scope: pl.Series, shared: list[Scope]) -> FlatLogs:
        if any(log.event_name for log in logs):
            raise OddError
        places = pl.int_range(len(logs), dtype=pl.Int64, eager=True)
        bodies = [log.body or _NOTHING for log in logs]
        return FlatLogs(
            time_ns=_times([log.time_unix_nano for log in logs]),
            observed_ns=_times([log.observed_time_unix_nano for log in logs]),
            trace_id=_ids([log.trace_id for log in logs], 32, required=False),
            span_id=_numbers_of(_ids([log.span_id for log in logs], 16, required=False)),
            severity_number=_choices(
                [_severity(log.severity_number) for log in logs], SEVERITY_COUNT
            ),
            severity_text=_texts([log.severity_text for log in logs]),
            scope=scope,
            scopes=shared,
            attributes=self._map([log.attributes for log in logs]),
            body=self._values(bodies, places, repeated(BODY_KEY, len(logs))),
        )

    def _map(self, lists: Sequence[list[Pair]]) -> FlatMap:
        pairs, owner = _inner(lists)
        values = [pair.value or _NOTHING for pair in pairs]
        return self._values(values, owner, _texts([pair.key for pair in pairs]))

    def _values(self, values: list[Value], owner: pl.Series, key: pl.Series) -> FlatMap:
        columns: tuple[list[Any], ...] = (
            [value.string_value for value in values],
            [value.bool_value for value in values],
            [value.int_value for value in values],
            [value.double_value for value in values],
        )
        others: dict[int, AttributeValue] = {}
        held = sum(len(column) - column.count(None) for column in columns)
        if held < len(values):
            for at, value in enumerate(values):
                if any(map(bytes, _other_fields(value))):
                    others[at] = self._other(value)
        nothing = sum(value == _NOTHING for value in values) if held < len(values) else 0
        if held + len(others) + nothing != len(values):
            raise OddError  # two fields of a value that may have one
        return FlatMap(
            owner=owner,
            key=key,
            text=_texts(columns[0]),
            flag=pl.Series("flag", columns[1], dtype=pl.Boolean),
            whole=_integers(columns[2]),
            double=pl.Series("double", columns[3], dtype=pl.Float64),
            others=others,
        )

    def _other(self, value: Value) -> AttributeValue:
        self._decoding.cut = 0
        parts = zip(("bytesValue", "arrayValue", "kvlistValue"), _other_fields(value), strict=True)
        try:
            raw = {name: _plain(part) for name, part in parts if bytes(part)}
            found = value_of(raw, self._decoding, 0)
        except (msgspec.MsgspecError, UnicodeDecodeError, UnreadableError) as error:
            raise OddError from error
        if self._decoding.cut or None in raw.values():
            raise OddError
        return found


_UNSET, _NOTHING = Status(), Value()


def _severity(raw: int | str) -> int:
    try:
        return raw if type(raw) is int else number_of(raw, *SEVERITY)
    except UnreadableError as error:
        raise OddError from error


def _inner(lists: Sequence[list[Any]]) -> tuple[list[Any], pl.Series]:
    """The elements of all lists, and the place of the list each stands in."""
    sizes = pl.Series("sizes", list(map(len, lists)), dtype=pl.Int64)
    places = pl.int_range(len(lists), dtype=pl.Int64, eager=True)
    frame = pl.DataFrame({"place": places, "size": sizes})
    owner = frame.select(pl.col("place").repeat_by("size").explode(empty_as_null=False))
    return list(chain.from_iterable(lists)), owner.to_series()


def _texts(values: Sequence[str]) -> pl.Series:
    return pl.Series("texts", values, dtype=pl.String)


def _integers(values: Sequence[int | str | None]) -> pl.Series:
    """Integers written as digits or as numbers."""
    kinds = set(map(type, values))
    if int not in kinds:
        texts = pl.Series("texts", values, dtype=pl.String)
        found = texts.cast(pl.Int64, strict=False)
        if found.null_count() != texts.null_count():
            raise OddError
        return found
    if str in kinds:
        values = [
            int(value) if type(value) is str and _DIGITS(value) else value for value in values
        ]
    try:
        return pl.Series("numbers", values, dtype=pl.Int64)
    except (OverflowError, TypeError) as error:
        raise OddError from error


def _times(values: Sequence[int | str]) -> pl.Series:
    times = _integers(values)
    if times.null_count() or (times < 0).any():
        raise OddError
    return times


def _choices(values: Sequence[int], count: int) -> pl.Series:
    if values and (min(values) < 0 or max(values) >= count):
        raise OddError
    return pl.Series("numbers", values, dtype=pl.UInt32)


def _ids(values: Sequence[str], digits: int, *, required: bool = True) -> pl.Series:
    """Hex ids in lower case; an absent one is null."""
    ids = _texts(values).str.to_lowercase()
    absent = (ids == "") | (ids == "0" * digits)
    if required and absent.any():
        raise OddError
    if not (absent | ids.str.contains(f"^[0-9a-f]{{{digits}}}$")).all():
        raise OddError
    return ids.set(absent, None)


def _numbers_of(ids: pl.Series) -> pl.Series:
    return ids.str.decode("hex").bin.reinterpret(dtype=pl.UInt64, endianness="big")
