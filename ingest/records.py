"""Records of all kinds on their way, sorted."""

from dataclasses import dataclass, field

from ingest.reader import Item
from store.conclusions import Incident
from store.log_table import LogTable
from store.model import Decision, LogRecord, Rejected, Span
from store.span_table import SpanTable


@dataclass(slots=True, kw_only=True)
class Records:
    """What was read: records one by one, or column by column in tables."""

    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    metrics: int = 0
    tables: list[SpanTable] = field(default_factory=list)
    log_tables: list[LogTable] = field(default_factory=list)

    def add(self, item: Item | SpanTable | LogTable) -> None:
        """Put a record where it belongs."""
        if isinstance(item, SpanTable):
            self.tables.append(item)
        elif isinstance(item, LogTable):
            self.log_tables.append(item)
        elif isinstance(item, Span):
            self.spans.append(item)
        elif isinstance(item, LogRecord):
            self.logs.append(item)
        elif isinstance(item, Decision):
            self.decisions.append(item)
        elif isinstance(item, Rejected):
            self.rejected.append(item)
        elif isinstance(item, Incident):
            self.incidents.append(item)
        else:
            self.metrics += item.count

    @property
    def size(self) -> int:
        """How many records; metric points are no records."""
        records = len(self.spans) + len(self.logs) + len(self.decisions)
        aside = len(self.rejected) + len(self.incidents)
        tables = sum(map(len, self.tables)) + sum(map(len, self.log_tables))
        return records + aside + tables
