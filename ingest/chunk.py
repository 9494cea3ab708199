"""Records of an input on their way into one batch."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.reader import Item
from ingest.records import Records
from store.log_table import LogTable
from store.span_table import SpanTable


@dataclass(slots=True, kw_only=True)
class Chunk(Records):
    """Records of one input that will be one batch, the `index`-th."""

    index: int = 0
    began_at: int = 0  # position in the input

    def drop_cut_record(self, *, mid_line: bool) -> None:
        """The record that a truncation cut through is told once, by the file's own problem."""
        if self.rejected:
            last = self.rejected[-1]
            inside = "the input ends inside a" in last.reason
            if inside or (mid_line and last.record.count(" ") == 1):
                self.rejected.pop()


def fitting(
    item: Item | SpanTable | LogTable, taken: int, limit: int
) -> Iterator[Item | SpanTable | LogTable]:
    """A table in pieces that fill batches of `limit` records, the first of which has `taken`."""
    if not isinstance(item, SpanTable | LogTable):
        yield item
        return
    at, room = 0, limit - taken if taken < limit else limit
    while at < len(item):
        yield item.part(at, min(at + room, len(item)))
        at, room = at + room, limit
