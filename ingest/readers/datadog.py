"""Datadog spans as JSON: what tracers send to their agent, and what their tests record."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar
from ingest.legacy.datadog import WRAPPERS, DatadogWalker
from ingest.legacy.heads import paths_of
from ingest.legacy.walking import decode, no_document, walked
from ingest.limits import Limits
from ingest.reader import Item

_SPAN = ("trace_id", "span_id", "name", "start", "duration")
_MARKS = ("meta", "metrics", "resource")
_PLACES = ("", *(f"{key}." for key in WRAPPERS), "chunks.spans.", "tracerPayloads.chunks.spans.")


class DatadogReader:
    """Reads arrays of traces (v0.4), single traces, spans on lines, payloads that wrap them."""

    name = "datadog"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the keys of a span."""
        paths = paths_of(head)
        return any(
            paths.issuperset(f"{place}{key}" for key in _SPAN)
            and any(f"{place}{key}" in paths for key in _MARKS)
            for place in _PLACES
        )

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span of every document."""
        return walked(stream, limits, _GRAMMAR, DatadogWalker(limits).walk)


_GRAMMAR = Grammar(decode, no_document)
READER = DatadogReader()
