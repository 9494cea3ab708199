"""Zipkin v2 JSON: spans, arrays of spans, arrays of traces."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar
from ingest.legacy.heads import paths_of
from ingest.legacy.values import NS_PER_US, Attributes, text_in
from ingest.legacy.walking import Aside, decode, no_document, walked
from ingest.legacy.zipkin import KINDS, Half, endpoint_of, events_of, ids_of, micros, times_of
from ingest.legacy.zipkin_walk import ZipkinWalker
from ingest.limits import Limits
from ingest.otlp.values import Decoding, Object, object_of
from ingest.reader import Item
from ingest.readers.zipkin_v1 import V1_ONLY

_SPAN = {"traceId", "id"}
_MARKS = (
    {"localEndpoint"},
    {"remoteEndpoint"},
    {"shared"},
    {"timestamp", "duration"},
    {"kind", "duration"},
)
# Keys that records of other formats have beside `traceId` and `id`.
_FOREIGN = {"startTime", "spanId", "type", "projectId"}


def halves_of(raw: Object, decoding: Decoding, aside: Aside) -> list[Half]:
    """The one half that a v2 span is."""
    trace, span, parent = ids_of(raw)
    tags = Attributes(decoding)
    tags.take(object_of(raw.get("tags"), "tags").items())
    written = text_in(raw.get("kind"))
    kind = KINDS.get(written.upper(), "unspecified")
    duration = micros(raw.get("duration"), "duration")
    start, end = times_of(micros(raw.get("timestamp"), "timestamp"), duration)
    half = Half(
        trace=trace,
        span=span,
        parent=parent,
        name=text_in(raw.get("name")),
        kind=kind,
        start_ns=start,
        end_ns=end,
        local=endpoint_of(raw.get("localEndpoint")),
        remote=endpoint_of(raw.get("remoteEndpoint")),
        tags=tags,
        events=[event for event, _ in events_of(raw.get("annotations"), decoding, aside)],
        shared=raw.get("shared") is True and kind != "client",
        duration_us=None if duration is None else duration // NS_PER_US,
    )
    if written and kind == "unspecified":
        tags.put("retrospan.original.kind", written)
    return [half]


class ZipkinV2Reader:
    """Reads what Zipkin's API answers and what its reporters send."""

    name = "zipkin_v2"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the keys of a span, unless some are of v1 or of another format."""
        paths = paths_of(head)
        return (
            paths >= _SPAN
            and any(paths >= mark for mark in _MARKS)
            and paths.isdisjoint(_FOREIGN)
            and paths.isdisjoint(V1_ONLY)
        )

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span of every document."""
        return walked(stream, limits, _GRAMMAR, ZipkinWalker(limits, halves_of).walk)


_GRAMMAR = Grammar(decode, no_document)
READER = ZipkinV2Reader()
