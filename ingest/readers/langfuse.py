"""Langfuse exports: traces with their observations become spans; generations, decisions."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.jsonstream import Grammar, decode_plain, documents
from ingest.langfuse import Export
from ingest.limits import Limits
from ingest.reader import Item
from store.model import Rejected

_OBSERVATION = re.compile(
    rb'"parent(?:_o|O)bservation(?:_i|I)d"\s*:|"(?:bookmarked|internalModelId)"\s*:'
    rb'|"observations"\s*:\s*\[[^\]]{0,200}"(?:startTime|traceId)"'
)
_TIMED = re.compile(rb'"(?:startTime|start_time|timestamp)"\s*:\s*"\d{4}-')


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and ("observations" in value or "traceId" in value)


class LangfuseReader:
    """Reads exports of the interface, answers of the API, lines of a blob storage export."""

    name = "langfuse"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the names that only Langfuse gives to parents."""
        if b"\0" in head:
            return False
        return _OBSERVATION.search(head) is not None and _TIMED.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Spans in order, each followed by the decision it tells of."""
        export = Export(limits)
        for found in documents(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from export.read(found.value, f"line {found.line}", {})


READER = LangfuseReader()
