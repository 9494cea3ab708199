"""AWS Step Functions: execution histories as `get-execution-history` writes them."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.history.executions import executions_in
from ingest.history.states import spans_of
from ingest.jsonstream import Grammar, decode_plain, documents
from ingest.limits import Limits
from ingest.reader import Item
from store.model import Rejected

_SNIFF = re.compile(rb'"previousEventId"\s*:')


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and "events" in value


class StepFunctionsReader:
    """Reads every history of a document, at any depth, into spans."""

    name = "step_functions"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the id that an event gives of the one before it."""
        return b"\0" not in head and _SNIFF.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of every execution."""
        for found in documents(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
                continue
            for execution in executions_in(found.value, f"line {found.line}", limits):
                if isinstance(execution, Rejected):
                    yield execution
                else:
                    yield from spans_of(execution, limits)


READER = StepFunctionsReader()
