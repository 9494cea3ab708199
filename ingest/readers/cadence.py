"""Cadence workflow histories: the elder cousin of Temporal's."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.limits import Limits
from ingest.reader import Item
from ingest.readers.temporal import CADENCE, is_history, read_histories


class CadenceReader:
    """Reads histories into spans, with the same names as Temporal's."""

    name = "cadence"

    def sniff(self, head: bytes) -> bool:
        """Claimed by events of a workflow with task lists or decision tasks."""
        return is_history(head) and CADENCE.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of every history."""
        return read_histories(stream, limits, self.name)


READER = CadenceReader()
