"""How far a load is, told while it goes on."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.sources import STDIN, Source

RECORDS_BETWEEN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`records` are those of `path`, the `number`-th of `inputs`; bytes are those of all inputs.

    The total is None when one of them can be read only once.
    """

    path: str
    records: int
    number: int
    inputs: int
    bytes_read: int
    bytes_total: int | None


class Telling:
    """Counts inputs as they are read; calls `tell` now and then, and at the end of each."""

    def __init__(
        self, tell: Callable[[Progress], None] | None, sources: Sequence[Source] = ()
    ) -> None:
        self._tell = tell
        self._sizes = [_size(source.path) for source in sources] if tell else []
        self._number = self._told = 0
        self._path = ""

    def begin(self, path: str) -> None:
        """The next input."""
        self._number, self._path, self._told = self._number + 1, path, 0

    def at(self, records: int, position: int) -> None:
        """Records of this input so far, and bytes of its file."""
        if self._tell is not None and records - self._told >= RECORDS_BETWEEN:
            self._say(records, position)

    def end(self, records: int) -> None:
        """This input is done."""
        if self._tell is not None:
            self._say(records, self._sizes[self._number - 1] or 0)

    def _say(self, records: int, position: int) -> None:
        assert self._tell is not None
        self._told = records
        before = sum(size or 0 for size in self._sizes[: self._number - 1])
        total = sum(size or 0 for size in self._sizes)
        self._tell(
            Progress(
                path=self._path,
                records=records,
                number=self._number,
                inputs=len(self._sizes),
                bytes_read=min(before + position, total),
                bytes_total=None if None in self._sizes else total,
            )
        )


def _size(path: str) -> int | None:
    """Bytes of a file; None for what can be read only once, zero for what is not there."""
    if path == STDIN:
        return None
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else None
