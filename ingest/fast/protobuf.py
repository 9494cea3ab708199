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

from ingest.fast.decoded import Array, FlatDecoded, series
from ingest.fast.flat import FlatLogs, FlatSpans, OddError
from ingest.fast.flat_proto import handler_of
from ingest.otlp import protobuf
from ingest.otlp.values import INT64_MAX, Object, UnreadableError, value_of
from store.model import AttributeValue


class FlatProtobuf(FlatDecoded):
    """Decodes messages; keeps the resources and scopes it met."""

    def flat(self, messages: Sequence[bytes]) -> FlatSpans:
        """All spans of trace messages; raises OddError for what needs the walk over records."""
        resources = _resources(messages, TracesData, "Traces")
        return self.spans(*self.records(resources, "scopeSpans", "spans"))

    def flat_logs(self, messages: Sequence[bytes]) -> FlatLogs:
        """All log records of log messages; raises OddError likewise."""
        resources = _resources(messages, LogsData, "Logs")
        return self.logs(*self.records(resources, "scopeLogs", "logRecords"))

    def texts_of(self, array: Array) -> list[Any]:
        """Resources or scopes as they were sent."""
        found: list[Any] = array.to_pylist()
        return found

    def parts(self, resource: Any, scope: Any) -> tuple[Object, Object]:
        """A resource and a scope as the walk over records reads them."""
        try:
            outer, inner = Resource.FromString(resource), InstrumentationScope.FromString(scope)
        except DecodeError as error:
            raise UnreadableError from error
        attributes = protobuf.attributes_of(inner.attributes)
        return (
            {"resource": {"attributes": protobuf.attributes_of(outer.attributes)}},
            {"scope": {"name": inner.name, "version": inner.version, "attributes": attributes}},
        )

    def other(self, name: str, raw: Any) -> AttributeValue:
        """An array, a map or bytes out of their message."""
        value = AnyValue()
        try:
            if name == "bytesValue":
                value.bytes_value = raw
            else:
                part = value.array_value if name == "arrayValue" else value.kvlist_value
                part.MergeFromString(raw)
                part.SetInParent()
        except DecodeError as error:
            raise UnreadableError from error
        return value_of(protobuf.value_of(value), self.decoding, 0)

    def integers(self, array: Array) -> pl.Series:
        """64 bits each; times have no sign, and one past int64 is odd."""
        found = series(array)
        if found.dtype == pl.UInt64 and found.len() and (found > INT64_MAX).any():
            raise OddError
        return found.cast(pl.Int64)

    def trace_ids(self, array: Array, *, required: bool = True) -> pl.Series:
        """Hex in lower case; an absent one is null."""
        text = _sized(array, 16, required).bin.encode("hex")
        nothing = text == "0" * 32
        if required and nothing.any():
            raise OddError
        return text.set(nothing, None)

    def span_ids(self, array: Array, *, required: bool) -> pl.Series:
        """Numbers; an absent one is null."""
        ids = _sized(array, 8, required)
        numbers = ids.bin.reinterpret(dtype=pl.UInt64, endianness="big")
        nothing = numbers == 0
        if required and nothing.any():
            raise OddError
        return numbers.set(nothing, None)


def _resources(messages: Sequence[bytes], kind: type[Message], name: str) -> Array:
    try:
        for message in messages:
            kind.FromString(message)  # ptars leaves out what is no protobuf, in silence
        batch = handler_of(name).list_to_record_batch(list(messages))
    except (DecodeError, ValueError) as error:
        raise OddError from error
    return batch.column(0).flatten()


def _sized(array: Array, size: int, required: bool) -> pl.Series:
    """Ids of that many bytes each; an empty one, where it may be, is null."""
    # Not compared by Arrow: it imports pandas with the first plain number it is given.
    ids, sizes = series(array), series(pc.binary_length(array))
    absent = sizes == 0
    if ((sizes != size) & (~absent | required)).any():
        raise OddError
    return ids.set(absent, None)
