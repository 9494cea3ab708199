"""What an export did."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from store.model import JsonValue

NAMED_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """One file with the number of its rows or records."""

    path: Path
    table: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written. `differing` are records that, read again, are not what the store holds,
    `left_out` what the format has no place for."""

    form: str
    files: Sequence[ExportedFile]
    differing: Sequence[str] = ()
    changed_meanwhile: bool = False
    left_out: Sequence[str] = ()

    def to_document(self) -> dict[str, JsonValue]:
        """The document of the command contract; long lists are cut at `NAMED_MAX`."""
        return {
            "schema": "retrospan.export/1",
            "form": self.form,
            "files": [
                {"path": str(file.path), "table": file.table, "rows": file.rows}
                for file in self.files
            ],
            "differing": list(self.differing[:NAMED_MAX]),
            "differing_count": len(self.differing),
            "changed_meanwhile": self.changed_meanwhile,
            "left_out": list(self.left_out[:NAMED_MAX]),
        }
