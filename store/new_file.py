"""A file that takes the place of another: beside it first, then by one rename."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreError

BACKUPS_MAX = 1_000
DISK_RESERVE_BYTES = 16 * 1024 * 1024


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """The name of the new file; nothing is left under it, neither by us nor by a killed run."""
    new_path = target.with_name(target.name + ".new")
    leftovers = (new_path, new_path.with_name(new_path.name + ".wal"))
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    try:
        yield new_path
    finally:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)


def require_space(target: Path) -> None:
    needed = target.stat().st_size + DISK_RESERVE_BYTES
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise StoreError(
            f"writing {target} anew needs up to {needed} bytes in {target.parent}, "
            f"where {free} are free"
        )


def kept(target: Path, version: int) -> Path:
    """A second name for the old file, one that no earlier upgrade used."""
    for number in range(1, BACKUPS_MAX):
        suffix = f".bak-v{version}" if number == 1 else f".bak-v{version}.{number}"
        backup = target.with_name(target.name + suffix)
        try:
            backup.hardlink_to(target)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links
            if backup.exists():
                continue
            shutil.copyfile(target, backup)
            flush(backup)
        return backup
    raise StoreError(f"{target} has {BACKUPS_MAX} backups already; remove some")


def flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
