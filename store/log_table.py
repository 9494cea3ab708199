"""Log records as the store's own columns, ready to be written."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class LogTable:
    """Rows of `logs` as `store.columns` describes them, redacted, encoded as `store.rows` does."""

    rows: pa.Table

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def part(self, start: int, stop: int) -> "LogTable":
        """Only the rows from `start` up to `stop`; nothing is copied."""
        return LogTable(self.rows.slice(start, stop - start))
