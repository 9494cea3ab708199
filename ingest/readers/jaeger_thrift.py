"""Jaeger Thrift: batches or agent messages as they went over the wire, one behind the other."""

import importlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from ingest.limits import Limits
from ingest.reader import Item

# A Batch begins with its process (whose first field is its name) or with its list of spans (whose
# first field is half a trace id); a message begins with the version of its protocol.
_BEGINNING = re.compile(
    rb"\x0c\x00\x01(?:\x0b\x00\x01|\x0f\x00\x02)|\x0f\x00\x02\x0c.{4}\x0a\x00\x01"
    rb"|\x82.[\x00-\xff]{1,5}?\temitBatch|\x80\x01\x00.\x00\x00\x00\temitBatch",
    re.DOTALL,
)


class JaegerThriftReader:
    """Reads what a collector gets by HTTP (binary batches) or an agent by UDP (messages)."""

    name = "jaeger_thrift"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the first field of a batch, or by the name of the message."""
        return _BEGINNING.match(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every span of every batch."""
        # Importing the generated types takes most of a second.
        decoder = importlib.import_module("ingest.legacy.jaeger_batch")
        items: Iterator[Item] = decoder.read_stream(stream, limits)
        return items


READER = JaegerThriftReader()
