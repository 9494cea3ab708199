"""The inputs that paths stand for: files, folders walked in order, standard input."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.kinds import NOT_DATA_SUFFIXES
from ingest.report import Skipped

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One input; `explicit` when a user named it rather than a folder it lies in."""

    path: str
    explicit: bool


def sources_of(paths: Sequence[str], store: Path) -> Iterator[Source | Skipped]:
    """Every input in a fixed order; hidden files in folders, and the store itself, are left out.

    The store must never be opened as an input: closing it would drop the lock a lease has on it.
    """
    own = store.absolute().resolve()
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            found: Iterator[Source | Skipped] = _walk(path)
        else:
            found = iter([Source(path, explicit=True)])
        for source in found:
            if source.path != STDIN and _resolved(source.path) == own:
                yield Skipped(path=source.path, reason="it is the store itself")
            else:
                yield source


def _resolved(path: str) -> Path | None:
    try:
        return Path(path).absolute().resolve()
    except (OSError, ValueError, RuntimeError):
        return None  # told when it is opened


def _walk(folder: str) -> Iterator[Source | Skipped]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = Path(place) / name
            if path.suffix.lower() in NOT_DATA_SUFFIXES:
                yield Skipped(path=str(path), reason=f"{path.suffix} files are no data")
            elif not _is_regular(path):
                yield Skipped(path=str(path), reason="not a regular file")
            else:
                yield Source(str(path), explicit=False)


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return path.is_symlink()  # a dangling link is told as a file that is not there
