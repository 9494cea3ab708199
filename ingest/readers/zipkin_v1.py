"""Zipkin v1 JSON: spans whose kind, times and parties stand in annotations."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar
from ingest.legacy.heads import paths_of
from ingest.legacy.walking import decode, no_document, walked
from ingest.legacy.zipkin_v1 import halves_of
from ingest.legacy.zipkin_walk import ZipkinWalker
from ingest.limits import Limits
from ingest.reader import Item

# Keys that v2 does not have; Thrift's own JSON spells some of them differently.
V1_ONLY = {
    "binaryAnnotations",
    "binary_annotations",
    "annotations.endpoint",
    "annotations.host",
}


class ZipkinV1Reader:
    """Reads v1 spans as the old API wrote them, and as Thrift's structures look in JSON."""

    name = "zipkin_v1"

    def sniff(self, head: bytes) -> bool:
        """Claimed by annotations that name their endpoint, beside the ids of a span."""
        paths = paths_of(head)
        return (
            "id" in paths
            and ("traceId" in paths or "trace_id" in paths)
            and not paths.isdisjoint(V1_ONLY)
        )

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span of every document."""
        return walked(stream, limits, _GRAMMAR, ZipkinWalker(limits, halves_of).walk)


_GRAMMAR = Grammar(decode, no_document)
READER = ZipkinV1Reader()
