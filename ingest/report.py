"""What an ingest did, file by file."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from store.model import BatchCounts, InputEnd, JsonValue, Rejected

SCHEMA = "retrospan.ingest/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file in a folder that is no data: not read, not an error."""

    path: str
    reason: str


@dataclass(slots=True, kw_only=True)
class FileReport:
    """One input: `spans`, `logs`, `decisions` are newly stored ones.

    `rejected` lists at most `rejected_listed_max` records, `rejected_count` counts all.
    `truncated` counts records of which a limit cut something off. `records_read` counts all but
    the rejected ones, new or not.
    """

    path: str
    format: str | None = None
    spans: int = 0
    logs: int = 0
    decisions: int = 0
    metrics: int = 0
    duplicates: int = 0
    superseded: int = 0
    truncated: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    rejected_count: int = 0
    rejected_listed_max: int = 1000
    records_read: int = 0

    def add(self, counts: BatchCounts) -> None:
        """Count what one batch stored."""
        self.spans += counts.spans
        self.logs += counts.logs
        self.decisions += counts.decisions
        self.metrics += counts.metrics
        self.duplicates += counts.duplicates
        self.superseded += counts.superseded

    def reject(self, rejected: Rejected) -> None:
        """Count a refused record; list it while there is room."""
        self.rejected_count += 1
        if len(self.rejected) < self.rejected_listed_max:
            self.rejected.append(rejected)

    def reject_all(self, listed: Sequence[Rejected], count: int) -> None:
        """Count refused records of which only the first are at hand."""
        room = self.rejected_listed_max - len(self.rejected)
        self.rejected.extend(listed[: max(room, 0)])
        self.rejected_count += count

    def end(self) -> InputEnd:
        """What the whole input gave, now that it was read to its end."""
        return InputEnd(
            records=self.records_read, truncated=self.truncated, rejected=self.rejected_count
        )

    def to_document(self) -> dict[str, JsonValue]:
        """This file's part of the document."""
        return {
            "path": self.path,
            "format": self.format,
            "spans": self.spans,
            "logs": self.logs,
            "decisions": self.decisions,
            "metrics": self.metrics,
            "duplicates": self.duplicates,
            "superseded": self.superseded,
            "truncated": self.truncated,
            "rejected": [{"record": r.record, "reason": r.reason} for r in self.rejected],
            "rejected_count": self.rejected_count,
        }


@dataclass(slots=True, kw_only=True)
class IngestReport:
    """All inputs in the order they were read."""

    files: list[FileReport] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def has_bad_input(self) -> bool:
        """Whether anything was refused: exit code 4, although what was good is stored."""
        return any(file.rejected_count for file in self.files)

    def total(self, name: str) -> int:
        """The sum of one count over all files."""
        return sum(int(getattr(file, name)) for file in self.files)

    def problems(self) -> list[str]:
        """One line for each refused record that is listed: file, record, reason."""
        return [
            f"{file.path}: {kept.record}: {kept.reason}"
            for file in self.files
            for kept in file.rejected
        ]

    def to_document(self) -> dict[str, JsonValue]:
        """The JSON document `retrospan.ingest/1`."""
        counts = ("spans", "logs", "decisions", "metrics", "duplicates", "superseded", "truncated")
        return {
            "schema": SCHEMA,
            "files": [file.to_document() for file in self.files],
            "skipped": [{"path": file.path, "reason": file.reason} for file in self.skipped],
            **{name: self.total(name) for name in counts},
            "rejected": self.total("rejected_count"),
        }
