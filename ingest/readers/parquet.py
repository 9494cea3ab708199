"""Parquet: tables of OTLP, one record a row, or what `retrospan export parquet` wrote."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from ingest.limits import Limits
from ingest.reader import Item
from store.model import Rejected


class ParquetReader:
    """Reads a file one group of rows after the other.

    Parquet is read from its end: what is packed or comes through a pipe is read in memory first,
    up to `document_bytes`.
    """

    name = "parquet"

    def sniff(self, head: bytes) -> bool:
        """Claimed by Parquet's magic; tables of something else are refused by their columns."""
        return head.startswith(b"PAR1")

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every row in order."""
        from ingest.parquet_table import records  # Arrow is slow to import; few inputs need it

        if stream.seekable():
            yield from records(stream, limits)
            return
        data = bytearray()
        while part := stream.read(1024 * 1024):
            data += part
            if len(data) > limits.document_bytes:
                reason = f"document is larger than document_bytes = {limits.document_bytes}"
                yield Rejected(record="whole file", reason=reason)
                return
        yield from records(io.BytesIO(data), limits)


READER = ParquetReader()
