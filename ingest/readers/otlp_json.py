"""OTLP JSON: one document, JSON lines, or documents written one behind the other."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar, documents
from ingest.limits import Limits
from ingest.otlp.documents import Walker, decode, is_document
from ingest.reader import Item
from store.model import Rejected

_SIGNAL = re.compile(
    rb'"(?:resource_?(?:Spans|Logs|Metrics|spans|logs|metrics))"\s*:\s*(?:\[|null)'
    rb'|"batches"\s*:\s*\[\s*(?:\]|\{\s*"(?:resource|scope_?[Ss]pans|instrumentation))'
)
_GRAMMAR = Grammar(decode, is_document)


class OtlpJsonReader:
    """Reads every dialect of OTLP JSON that `ingest.otlp` knows."""

    name = "otlp_json"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the key of a signal, wherever it stands: a first line may be malformed."""
        return b"\0" not in head and _SIGNAL.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every record of every document."""
        walker = Walker(limits)
        for found in documents(stream, limits, _GRAMMAR):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from walker.walk(found.value, f"line {found.line}")


READER = OtlpJsonReader()
