"""A file lock that queues processes fairly.

Two flocks: `<file>.queue` is the turnstile, `<file>.lock` the lock itself. A process passes the
turnstile first and keeps it until it has the lock, so a holder that wants the lock again stands
behind whoever is already in the turnstile. The kernel frees both with their holder, so a killed
process blocks nobody. The holder writes who it is into the lock file.
"""

import fcntl
import os
import time
from pathlib import Path

from store.errors import StoreError

POLL_SECONDS = 0.005
HOLDER_BYTES_MAX = 400


class FileLock:
    """The lock of one file. Not for sharing between threads."""

    def __init__(self, path: Path) -> None:
        self._queue = path.with_name(path.name + ".queue")
        self._lock = path.with_name(path.name + ".lock")
        self._held: int | None = None

    def acquire(self, purpose: str, deadline: float) -> bool:
        """Take the lock, or return False when `deadline` (monotonic seconds) passes."""
        queue = _open(self._queue)
        try:
            if not _flock_until(queue, deadline):
                return False
            lock = _open(self._lock)
            try:
                if _flock_until(lock, deadline):
                    note = f"process {os.getpid()} ({purpose})".encode()
                    os.ftruncate(lock, 0)
                    os.pwrite(lock, note[:HOLDER_BYTES_MAX], 0)
                    self._held, lock = lock, -1
                    return True
                return False
            finally:
                if lock >= 0:
                    os.close(lock)
        finally:
            os.close(queue)

    def release(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            os.ftruncate(self._held, 0)
            fcntl.flock(self._held, fcntl.LOCK_UN)
            os.close(self._held)
            self._held = None

    def abandon(self) -> None:
        """Forget the lock without freeing it: for a forked child, whose parent still holds it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_awaited(self) -> bool:
        """Whether another process stands in the turnstile right now."""
        queue = _open(self._queue)
        try:
            return not _try_flock(queue)
        finally:
            os.close(queue)

    def holder(self) -> str:
        """Who holds the lock, in words; read from another process's note, so cleaned."""
        try:
            with self._lock.open("rb") as file:
                note = file.read(HOLDER_BYTES_MAX).decode("utf-8", "replace")
        except OSError:
            note = ""
        return "".join(c if c.isprintable() else "?" for c in note) or "another process"


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(
            f"the lock file {path} cannot be opened ({error.strerror}); "
            "retrospan needs write access to the folder of its store"
        ) from error


def _flock_until(descriptor: int, deadline: float) -> bool:
    while not _try_flock(descriptor):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
