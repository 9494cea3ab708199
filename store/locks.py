"""A file lock that serves processes in the order they came: one at a time, or readers together.

Two files: `<file>.lock` is the lock itself (flock), `<file>.queue` the queue before it. Who wants
the lock draws a number from the queue file and keeps that byte of it locked until it has its turn:
that is when no lower byte is locked any more. A holder that wants the lock again draws a new
number. The kernel frees all of it with its owner, so a killed process blocks nobody. The holder
writes who it is into the lock file.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from store.errors import StoreError

POLL_SECONDS = 0.005
TOLD_SECONDS = 5.0  # between two words about waiting
HOLDER_BYTES_MAX = 400
READERS = b"processes that read"  # those that are left when the last who came has gone
_NUMBER_BYTES = 8
_NUMBER_MAX = 2**62
# Locks of an open file, which closing the file elsewhere does not drop. Without them (no Linux) the
# lock goes to whoever asks first when it is free.
_SET, _GET = (getattr(fcntl, f"F_OFD_{name}", None) for name in ("SETLK", "GETLK"))
_RANGE = struct.Struct("hhqqi4x")  # flock of fcntl(2): type, whence, start, length, process


class FileLock:
    """The lock of one file. Not for sharing between threads."""

    def __init__(self, path: Path) -> None:
        self._queue = path.with_name(path.name + ".queue")
        self._lock = path.with_name(path.name + ".lock")
        self._held: int | None = None
        self._note = b""
        self._shared = False

    def acquire(
        self,
        purpose: str,
        deadline: float,
        waiting: Callable[[], None] | None = None,
        *,
        shared: bool = False,
    ) -> bool:
        """Take the lock, or return False when `deadline` (monotonic seconds) passes.

        `waiting` is called now and then meanwhile. A `shared` lock others may share.
        """
        queue = _open(self._queue)
        try:
            lock = _open(self._lock)
            try:
                number = _drawn(queue, deadline)
                if number is None:
                    return False
                tell_at = time.monotonic() + TOLD_SECONDS
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                while not (_is_first(queue, number) and _try_flock(lock, kind)):
                    now = time.monotonic()
                    if now >= deadline:
                        return False
                    if waiting is not None and now >= tell_at:
                        waiting()
                        tell_at = now + TOLD_SECONDS
                    time.sleep(POLL_SECONDS)
                self._note = f"process {os.getpid()} ({purpose})".encode()[:HOLDER_BYTES_MAX]
                os.ftruncate(lock, 0)
                os.pwrite(lock, self._note, 0)
                self._held, self._shared, lock = lock, shared, -1
                return True
            finally:
                if lock >= 0:
                    os.close(lock)
        finally:
            os.close(queue)  # gives the number back

    def release(self) -> None:
        """Give the lock back."""
        if self._held is not None:
            if os.pread(self._held, HOLDER_BYTES_MAX, 0) == self._note:  # no other reader's
                os.ftruncate(self._held, 0)
                os.pwrite(self._held, READERS if self._shared else b"", 0)
            fcntl.flock(self._held, fcntl.LOCK_UN)
            os.close(self._held)
            self._held = None

    def abandon(self) -> None:
        """Forget the lock without freeing it: for a forked child, whose parent still holds it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_awaited(self) -> bool:
        """Whether another process stands in the queue right now."""
        queue = _open(self._queue)
        try:
            return not _is_first(queue, _NUMBER_MAX)
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


def _drawn(queue: int, deadline: float) -> int | None:
    """The next number, with its byte locked; None when the deadline passes."""
    while not _try_flock(queue, fcntl.LOCK_EX):  # others hold it for a moment only
        if time.monotonic() >= deadline:
            return None
        time.sleep(POLL_SECONDS)
    try:
        last = int.from_bytes(os.pread(queue, _NUMBER_BYTES, 0), "big")
        number = last % _NUMBER_MAX + 1
        os.pwrite(queue, number.to_bytes(_NUMBER_BYTES, "big"), 0)
        if _SET is not None:
            fcntl.fcntl(queue, _SET, _RANGE.pack(fcntl.F_WRLCK, os.SEEK_SET, number, 1, 0))
        return number
    finally:
        fcntl.flock(queue, fcntl.LOCK_UN)


def _is_first(queue: int, number: int) -> bool:
    """Whether no lower number is waiting."""
    if _GET is None:
        return True
    lower = _RANGE.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, number, 0)
    kind: int = _RANGE.unpack(fcntl.fcntl(queue, _GET, lower))[0]
    return kind == fcntl.F_UNLCK


def _try_flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
