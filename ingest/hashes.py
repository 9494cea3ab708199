"""Hashes of files, remembered while the files stay as they are.

A file is hashed again when anything has changed that the kernel notes of it: its number, its size,
its times. One of them, the time of the inode's last change, cannot be set by who writes the file,
so other bytes of the same size under the old date are noticed. It has the grain of a clock, though:
a file that changed just before it was hashed may change again under the same time. Such a file is
hashed each time (git treats the entries of its index alike, "racily clean").
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from ingest.streams import sha256_of

FILES_MAX = 10_000  # past it the files hashed first are forgotten
SETTLED_NS = 2_000_000_000  # no file system's clock is coarser
READ_BYTES_MAX = 4 * 1024 * 1024

_State = tuple[int, int, int, int, int]  # device, inode, bytes, modified, changed


class _Kept(msgspec.Struct, tag_field="schema", tag="retrospan.hashes/1"):
    files: list[tuple[_State, str]]


class FileHashes:
    """Hashes of this run, and those that `path` keeps from one run to the next."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found = dict(_read(path))
        self._settled = dict(self._found)
        self._draft: int | None = None
        self._began_ns = 0
        self._is_changed = False

    def of(self, raw: BinaryIO) -> str:
        """SHA-256 of an open file, which is then at its beginning."""
        status = os.fstat(raw.fileno())
        state = _state(status)
        known = self._found.get(state)
        if known is not None:
            return known
        self._begin()
        digest = sha256_of(raw)
        raw.seek(0)
        if stat.S_ISREG(status.st_mode) and state == _state(os.fstat(raw.fileno())):
            self._found[state] = digest
            if state[-1] + SETTLED_NS <= self._began_ns:
                self._settled[state] = digest
                self._is_changed = True
        return digest

    def keep(self) -> None:
        """Write down what was found; where that cannot be done, the next run hashes again."""
        if self._draft is None:
            return
        descriptor, self._draft = self._draft, None
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(_Kept([*self._settled.items()][-FILES_MAX:])))
            if self._is_changed:
                self._draft_path.replace(self._path)
        except OSError:
            pass
        with suppress(OSError):
            self._draft_path.unlink(missing_ok=True)

    @property
    def _draft_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.{os.getpid()}")

    def _begin(self) -> None:
        """Before the first hash of a run: a new file tells what time it is where the store is."""
        if self._began_ns:
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._draft = os.open(self._draft_path, flags, 0o600)
            os.ftruncate(self._draft, 0)
            self._began_ns = os.fstat(self._draft).st_ctime_ns
        except OSError:
            self._began_ns = 1  # nothing is settled


def _state(status: os.stat_result) -> _State:
    times = status.st_mtime_ns, status.st_ctime_ns
    return status.st_dev, status.st_ino, status.st_size, *times


def _read(path: Path) -> list[tuple[_State, str]]:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(READ_BYTES_MAX), type=_Kept).files
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
