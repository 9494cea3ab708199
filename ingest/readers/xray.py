"""AWS X-Ray: segment documents, and the API's answers that hold them as text."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar
from ingest.legacy.heads import paths_of
from ingest.legacy.walking import decode_exactly, walked
from ingest.legacy.xray import WRAPPERS, XRayWalker
from ingest.limits import Limits
from ingest.reader import Item

_SEGMENT = {"trace_id", "id", "name", "start_time"}
_WRAPPED = {"Traces.Segments.Document", "Segments.Document", "TraceSegmentDocuments"}


class XRayReader:
    """Reads segments on lines or in arrays, and what GetTraces or PutTraceSegments carry."""

    name = "xray"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the keys of a segment, or of the API around it."""
        paths = paths_of(head)
        if not paths.isdisjoint(_WRAPPED):
            return True
        return paths >= _SEGMENT and "span_id" not in paths

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every segment and subsegment of every document."""
        return walked(stream, limits, _GRAMMAR, XRayWalker(limits).walk)


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in WRAPPERS)


_GRAMMAR = Grammar(decode_exactly, _is_document)
READER = XRayReader()
