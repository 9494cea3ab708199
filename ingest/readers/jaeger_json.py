"""Jaeger JSON: answers of its API, traces, Thrift batches, spans as its stores hold them."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar
from ingest.legacy.heads import paths_of
from ingest.legacy.jaeger_json import JaegerWalker
from ingest.legacy.walking import decode, walked
from ingest.limits import Limits
from ingest.reader import Item

# Where spans stand in a document, and what tells that they are Jaeger's.
_PLACES = ("", "spans.", "data.", "data.spans.", "_source.", "hits.hits._source.")
_SPAN = (
    {"traceID", "spanID"},
    {"traceID", "operationName"},
    {"traceIdLow", "spanId"},
    {"traceId", "spanId", "operationName"},
    {"trace_id", "span_id", "operation_name"},
    {"TraceID", "SpanID", "OperationName"},
)
# A trace may name all its processes before its first span.
_TRACE = ({"traceID", "spans"}, {"processes", "spans"}, {"traceID", "processes"})


class JaegerJsonReader:
    """Reads every spelling that `ingest.legacy.jaeger_json` knows."""

    name = "jaeger_json"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the ids and names of a span in a place where Jaeger writes spans."""
        paths = paths_of(head)
        return any(
            paths.issuperset(f"{place}{key}" for key in keys)
            for place in _PLACES
            for keys in (*_SPAN, *_TRACE)
        )

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span of every document."""
        return walked(stream, limits, _GRAMMAR, JaegerWalker(limits).walk)


def _is_document(value: object) -> bool:
    # A trace or a span on a line may be an element of an array that began on a line before.
    return isinstance(value, dict) and "data" in value


_GRAMMAR = Grammar(decode, _is_document)
READER = JaegerJsonReader()
