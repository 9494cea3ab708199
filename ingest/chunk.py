"""Records of an input on their way into one batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.reader import Item
from store.model import Decision, LogRecord, Rejected, Span
from store.span_table import SpanTable


@dataclass(slots=True)
class Chunk:
    """Records of one input that will be one batch."""

    index: int = 0
    began_at: int = 0  # position in the input
    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    metrics: int = 0
    encoded: list[SpanTable] = field(default_factory=list)

    def add(self, item: Item | SpanTable) -> None:
        if isinstance(item, SpanTable):
            self.encoded.append(item)
        elif isinstance(item, Span):
            self.spans.append(item)
        elif isinstance(item, LogRecord):
            self.logs.append(item)
        elif isinstance(item, Decision):
            self.decisions.append(item)
        elif isinstance(item, Rejected):
            self.rejected.append(item)
        else:
            self.metrics += item.count

    @property
    def size(self) -> int:
        records = len(self.spans) + len(self.logs) + len(self.decisions) + len(self.rejected)
        return records + sum(map(len, self.encoded))

    def drop_cut_record(self, *, mid_line: bool) -> None:
        """The record that a truncation cut through is told once, by the file's own problem."""
        if self.rejected:
            last = self.rejected[-1]
            inside = "the input ends inside a" in last.reason
            if inside or (mid_line and last.record.count(" ") == 1):
                self.rejected.pop()


def fitting(item: Item | SpanTable, taken: int, limit: int) -> Iterator[Item | SpanTable]:
    """A table in pieces that fill batches of `limit` records, the first of which has `taken`."""
    if not isinstance(item, SpanTable):
        yield item
        return
    at, room = 0, limit - taken if taken < limit else limit
    while at < len(item):
        yield item.part(at, min(at + room, len(item)))
        at, room = at + room, limit
