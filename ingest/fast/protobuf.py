"""OTLP protobuf messages into flat columns, by way of Arrow."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pyarrow.compute as pc
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from ingest.fast.flat import BODY_KEY, FlatLogs, FlatMap, FlatSpans, OddError, begins, repeated
from ingest.fast.flat_proto import handler_of
from ingest.limits import Limits
from ingest.otlp import protobuf
from ingest.otlp.logs import SEVERITY_COUNT
from ingest.otlp.scopes import Scope, resource_of, scope_of
from ingest.otlp.spans import KINDS, STATUSES
from ingest.otlp.values import INT64_MAX, Decoding, Object, UnreadableError, value_of
from store.model import AttributeValue

CACHE_ENTRIES_MAX = 4096
_OTHERS = {"array": "array_value", "map": "kvlist_value", "bytes": "bytes_value"}

Array = Any  # of pyarrow


class FlatProtobuf:
    """Decodes messages; keeps the resources and scopes it met."""

    def __init__(self, limits: Limits) -> None:
        self._decoding = Decoding(limits)
        self._scopes: dict[tuple[bytes, bytes], Scope] = {}

    def flat(self, messages: Sequence[bytes]) -> FlatSpans:
        """All spans of trace messages; raises OddError for what needs the walk over records."""
        return self._spans(*self._records(messages, TracesData, "Traces", "spans"))

    def flat_logs(self, messages: Sequence[bytes]) -> FlatLogs:
        """All log records of log messages; raises OddError likewise."""
        return self._logs(*self._records(messages, LogsData, "Logs", "logs"))

    def _records(
        self, messages: Sequence[bytes], kind: type[Message], name: str, records: str
    ) -> tuple[Array, pl.Series, list[Scope]]:
        """The records of all messages, the scope of each, the scopes."""
        try:
            for message in messages:
                kind.FromString(message)  # ptars leaves out what is no protobuf, in silence
            batch = handler_of(name).list_to_record_batch(list(messages))
        except (DecodeError, ValueError) as error:
            raise OddError from error
        resources = batch.column(0).flatten()
        scopes = resources.field("scopes")
        scope_rows = scopes.flatten()
        of_resource = pc.list_parent_indices(scopes)
        if begins(_series(of_resource)).sum() < len(resources.field("resource")):
            raise OddError  # a resource without scopes is looked into by the walk alone
        found = scope_rows.field(records)
        shared, index = self._shared(
            resources.field("resource").take(of_resource), scope_rows.field("scope")
        )
        return found.flatten(), index[_series(pc.list_parent_indices(found))], shared

    def _shared(self, resources: Array, scopes: Array) -> tuple[list[Scope], pl.Series]:
        found: dict[tuple[bytes, bytes], int] = {}
        index = [
            found.setdefault(pair, len(found))
            for pair in zip(resources.to_pylist(), scopes.to_pylist(), strict=True)
        ]
        shared = [self._scope(*pair) for pair in found]
        return shared, pl.Series("scope", index, dtype=pl.UInt32)

    def _scope(self, resource: bytes, scope: bytes) -> Scope:
        known = self._scopes.get((resource, scope))
        if known is not None:
            return known
        self._decoding.cut = 0
        try:
            parts = Resource.FromString(resource), InstrumentationScope.FromString(scope)
            outer: Object = {
                "resource": {"attributes": protobuf.attributes_of(parts[0].attributes)}
            }
            inner = {
                "name": parts[1].name,
                "version": parts[1].version,
                "attributes": protobuf.attributes_of(parts[1].attributes),
            }
            found = scope_of(resource_of(outer, self._decoding), {"scope": inner}, self._decoding)
        except (DecodeError, UnreadableError) as error:
            raise OddError from error
        if len(self._scopes) >= CACHE_ENTRIES_MAX:
            self._scopes.clear()
        self._scopes[resource, scope] = found
        return found

    def _spans(self, spans: Array, scope: pl.Series, shared: list[Scope]) -> FlatSpans:
        start, end = (_times(spans.field(name)) for name in ("start", "end"))
        if ((start == 0) & (end != 0)).any():  # the end stands in
            raise OddError
        status = spans.field("status")
        code = _series(pc.struct_field(status, [1])).fill_null(0)
        message = _series(pc.struct_field(status, [0])).fill_null("")
        events, event_owner = _inner(spans.field("events"))
        links, link_owner = _inner(spans.field("links"))
        return FlatSpans(
            trace_id=_trace_ids(spans.field("trace")),
            span_id=_span_ids(spans.field("span"), required=True),
            parent_span_id=_span_ids(spans.field("parent"), required=False),
            name=_series(spans.field("name")),
            kind=_numbers(_series(spans.field("kind")), len(KINDS)),
            start_ns=start,
            end_ns=end.set(end == 0, None),
            status=_numbers(code, len(STATUSES)),
            message=message,
            state=_series(spans.field("state")),
            scope=scope,
            scopes=shared,
            attributes=self._map(spans.field("attributes")),
            event_owner=event_owner,
            event_time_ns=_times(events.field("time")),
            event_name=_series(events.field("name")),
            event_attributes=self._map(events.field("attributes")),
            link_owner=link_owner,
            link_trace_id=_trace_ids(links.field("trace")),
            link_span_id=_span_ids(links.field("span"), required=True),
            link_attributes=self._map(links.field("attributes")),
        )

    def _logs(self, logs: Array, scope: pl.Series, shared: list[Scope]) -> FlatLogs:
        if (_series(logs.field("event")) != "").any():
            raise OddError
        places = pl.int_range(len(logs), dtype=pl.Int64, eager=True)
        return FlatLogs(
            time_ns=_times(logs.field("time")),
            observed_ns=_times(logs.field("observed")),
            trace_id=_trace_ids(logs.field("trace"), required=False),
            span_id=_span_ids(logs.field("span"), required=False),
            severity_number=_numbers(_series(logs.field("severity")), SEVERITY_COUNT),
            severity_text=_series(logs.field("severity_text")),
            scope=scope,
            scopes=shared,
            attributes=self._map(logs.field("attributes")),
            body=self._values(logs.field("body"), places, repeated(BODY_KEY, len(logs))),
        )

    def _map(self, lists: Array) -> FlatMap:
        pairs, owner = _inner(lists)
        return self._values(pairs.field("value"), owner, _series(pairs.field("key")))

    def _values(self, value: Array, owner: pl.Series, key: pl.Series) -> FlatMap:
        columns = {name: pc.struct_field(value, [place]) for place, name in enumerate(_VALUE)}
        others: dict[int, AttributeValue] = {}
        for name, field in _OTHERS.items():
            raw = columns[name]
            if raw.null_count == len(raw):
                continue
            places = pc.indices_nonzero(raw.is_valid())
            for at, data in zip(places.to_pylist(), raw.take(places).to_pylist(), strict=True):
                others[at] = self._other(field, data)
        return FlatMap(
            owner=owner,
            key=key,
            text=_series(columns["text"]),
            flag=_series(columns["flag"]),
            whole=_series(columns["whole"]),
            double=_series(columns["double"]),
            others=others,
        )

    def _other(self, field: str, data: bytes) -> AttributeValue:
        value = AnyValue()
        try:
            if field == "bytes_value":
                value.bytes_value = data
            else:
                getattr(value, field).MergeFromString(data)
                getattr(value, field).SetInParent()
            self._decoding.cut = 0
            found = value_of(protobuf.value_of(value), self._decoding, 0)
        except (DecodeError, UnreadableError) as error:
            raise OddError from error
        if self._decoding.cut:
            raise OddError
        return found


_VALUE = ("text", "flag", "whole", "double", *_OTHERS)


def _series(array: Array) -> pl.Series:
    found = pl.from_arrow(array)
    assert isinstance(found, pl.Series)
    return found


def _inner(lists: Array) -> tuple[Array, pl.Series]:
    """The elements of all lists, and the place of the list each stands in."""
    return lists.flatten(), _series(pc.list_parent_indices(lists)).cast(pl.Int64)


def _times(array: Array) -> pl.Series:
    times = _series(array)
    if times.len() and (times > INT64_MAX).any():
        raise OddError
    return times.cast(pl.Int64)


def _numbers(numbers: pl.Series, count: int) -> pl.Series:
    if ((numbers < 0) | (numbers >= count)).any():
        raise OddError
    return numbers.cast(pl.UInt32)


def _trace_ids(array: Array, *, required: bool = True) -> pl.Series:
    text = _sized(array, 16, required).bin.encode("hex")
    nothing = text == "0" * 32
    if required and nothing.any():
        raise OddError
    return text.set(nothing, None)


def _span_ids(array: Array, *, required: bool) -> pl.Series:
    ids = _sized(array, 8, required)
    numbers = ids.bin.reinterpret(dtype=pl.UInt64, endianness="big")
    nothing = numbers == 0
    if required and nothing.any():
        raise OddError
    return numbers.set(nothing, None)


def _sized(array: Array, size: int, required: bool) -> pl.Series:
    """Ids of that many bytes each; an empty one, where it may be, is null."""
    # Not compared by Arrow: it imports pandas with the first plain number it is given.
    ids, sizes = _series(array), _series(pc.binary_length(array))
    absent = sizes == 0
    if ((sizes != size) & (~absent | required)).any():
        raise OddError
    return ids.set(absent, None)
