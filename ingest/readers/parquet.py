"""Parquet: tables of OTLP, one record a row, or what `retrospan export parquet` wrote."""

from collections.abc import Iterator
from typing import BinaryIO

from ingest.limits import Limits
from ingest.reader import Item
from store.model import Rejected


class ParquetReader:
    """Reads a file in memory, since Parquet is read from its end; larger ones are refused."""

    name = "parquet"

    def sniff(self, head: bytes) -> bool:
        """Claimed by Parquet's magic; tables of something else are refused by their columns."""
        return head.startswith(b"PAR1")

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """Every row in order."""
        from ingest.parquet_table import records  # Arrow is slow to import; few inputs need it

        data = bytearray()
        while part := stream.read(1024 * 1024):
            data += part
            if len(data) > limits.document_bytes:
                reason = f"document is larger than document_bytes = {limits.document_bytes}"
                yield Rejected(record="whole file", reason=reason)
                return
        yield from records(bytes(data), limits)


READER = ParquetReader()
