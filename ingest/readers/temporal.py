"""Temporal workflow histories: as the SDKs, the command line or the web interface write them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from ingest.history.codec import CodecServer
from ingest.history.events import histories_in
from ingest.history.workflow import spans_of
from ingest.jsonstream import Grammar, decode_plain, documents
from ingest.limits import Limits
from ingest.reader import Item
from store.model import Rejected

# An event's type in one of its spellings, or the name of an event's attributes.
HISTORY = re.compile(
    rb'"eventType"\s*:\s*"(?:EVENT_TYPE_[A-Z_]+|[A-Z][A-Za-z]+)"'
    rb'|"(?:workflowExecution|activityTask|workflowTask|timer)[A-Z][A-Za-z]*EventAttributes"\s*:'
)
EVENT_ID = re.compile(rb'"eventId"\s*:')
CADENCE = re.compile(
    rb'"(?:taskList|decisionTask[A-Z][A-Za-z]*EventAttributes)"\s*:|"DecisionTask[A-Z]'
    rb'|"EVENT_TYPE_DECISION_TASK|"timestamp"\s*:\s*\d'
)


def is_history(head: bytes) -> bool:
    """Whether the head is of events of a workflow, of either engine."""
    return b"\0" not in head and bool(HISTORY.search(head) and EVENT_ID.search(head))


def is_document(value: object) -> bool:
    """Whether a decoded value is a whole history."""
    return isinstance(value, dict) and ("events" in value or "history" in value)


GRAMMAR = Grammar(decode_plain, is_document)


class TemporalReader:
    """Reads histories into spans; each is marked, since spans of the same run may come too."""

    name = "temporal"

    def __init__(self, codec: CodecServer | None = None) -> None:
        self._codec = codec

    def with_codec(self, url: str) -> "TemporalReader":
        """The reader that has payloads opened first."""
        return TemporalReader(CodecServer(url))

    def sniff(self, head: bytes) -> bool:
        """Claimed by events of a workflow that are not Cadence's."""
        return is_history(head) and CADENCE.search(head) is None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of every history."""
        return read_histories(stream, limits, self.name, self._codec)


def read_histories(
    stream: BinaryIO, limits: Limits, engine: str, codec: CodecServer | None = None
) -> Iterator[Item]:
    """The spans of every history of a stream. Raises DataError when the codec server fails."""
    for found in documents(stream, limits, GRAMMAR):
        if isinstance(found, Rejected):
            yield found
            continue
        for history in histories_in(found.value, f"line {found.line}"):
            if isinstance(history, Rejected):
                yield history
            else:
                if codec is not None:
                    history = replace(history, events=codec.opened(history.events))
                yield from spans_of(history, engine, limits)


READER = TemporalReader()
