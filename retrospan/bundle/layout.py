"""What stands where in a bundle."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FORMAT = "retrospan.bundle/1"
MANIFEST = "manifest.json"
SPANS, LOGS, DECISIONS = "data/spans.parquet", "data/logs.parquet", "data/decisions.parquet"
RECORDINGS = "recordings.jsonl"
SETTINGS = "retrospan.toml"
PROOFS = "proofs.jsonl"
HEAD = "tree_head.json"
INPUTS = "incident_files.json"
REPORTS = ("report/post-mortem.md", "report/post-mortem.html")
OBJECTIVES, SCENARIOS, POLICIES = "report", "scenarios", "policies"
STORE = "retrospan.duckdb"
"""Not in the bundle: built beside it when it is opened."""

REQUIRED = (SPANS, LOGS, DECISIONS, RECORDINGS, SETTINGS, *REPORTS)
NAME = re.compile(r"(?:[a-z0-9_-]{1,40}/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}", re.ASCII)
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large a bundle may be; past a limit it is refused by name."""

    file_bytes_max: int = 2 << 30
    entries_max: int = 500
    entry_bytes_max: int = 2 << 30
    total_bytes_max: int = 4 << 30
    ratio_max: int = 200
    ratio_from_bytes: int = 1 << 20
    manifest_bytes_max: int = 4 << 20
    rows_max: int = 5_000_000


def is_name(name: str) -> bool:
    """Whether an entry may be called so: at most one folder deep, nothing that any system reads as
    a way out of the folder or as a device."""
    return (
        NAME.fullmatch(name) is not None
        and ".." not in name
        and not name.endswith(".")
        and not any(RESERVED.fullmatch(part) for part in PurePosixPath(name).parts)
        and PurePosixPath(name).name != STORE
    )


def named(folder: str, path: Path) -> str:
    """The entry's name of a file of the user's own."""
    return f"{folder}/{path.name}"
