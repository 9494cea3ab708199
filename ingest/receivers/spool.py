"""The spool: redacted records on disk, flushed before their sender is told so.

One thread writes: what came while it flushed is the next group, flushed once. Appending never
waits; the future it returns is done when the bytes are durable.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from ingest.receivers import segments
from ingest.receivers.errors import OverloadedError
from ingest.receivers.segments import OPEN, SEALED, Heading
from ingest.receivers.settings import ReceiverLimits
from store.errors import StoreBusyError, StoreError
from store.locks import FileLock

IDENTITY_BYTES = 16


@dataclass(slots=True, kw_only=True)
class _Growing:
    """The segment that is being written."""

    path: Path
    descriptor: int
    size: int
    seal_at: float


class Spool:
    """A folder of segments, owned by one process at a time."""

    def __init__(
        self,
        folder: Path,
        limits: ReceiverLimits,
        reader: str,
        rules_sha256: str,
        identity: Callable[[], str] = lambda: secrets.token_hex(IDENTITY_BYTES),
    ) -> None:
        self.folder = folder
        self._limits = limits
        self._reader, self._rules, self._identity = reader, rules_sha256, identity
        self._owner = _owned(folder)
        left = sorted(p for p in folder.iterdir() if p.suffix in (OPEN, SEALED))
        self._sealed: dict[Path, int] = {path: path.stat().st_size for path in left}
        self._backlog = sum(self._sealed.values())
        self._number = max((int(path.name.split("-")[0]) for path in left), default=0)
        self._waiting: list[tuple[bytes, Future[None]]] = []
        self._growing: _Growing | None = None
        self._closing = False
        self._is_asked = False  # somebody waits for a segment to load
        self._turn = threading.Condition()
        self._writer = threading.Thread(target=self._write, name="retrospan-spool")
        self._writer.start()

    @property
    def backlog_bytes(self) -> int:
        """What is acknowledged, or about to be, and not loaded yet."""
        return self._backlog

    def append(self, content: bytes) -> Future[None]:
        """Durable when the future is done; OverloadedError, here or there, when it never will."""
        data = segments.block(content)
        future: Future[None] = Future()
        with self._turn:
            if self._closing:
                raise OverloadedError("the receiver is stopping")
            if self._backlog and self._backlog + len(data) > self._limits.spool_bytes:
                raise OverloadedError(
                    f"{self._backlog} bytes wait to be loaded; the limit is "
                    f"spool_bytes = {self._limits.spool_bytes}"
                )
            self._backlog += len(data)
            self._waiting.append((data, future))
            self._turn.notify_all()
        return future

    def sealed(self, wait_seconds: float) -> list[Path]:
        """Segments to load, oldest first; waits that long for one.

        Only while somebody waits does time close a segment: a busy loader gets larger ones.
        """
        with self._turn:
            if not self._sealed and wait_seconds > 0:
                self._is_asked = True
                self._turn.notify_all()
                self._turn.wait_for(lambda: self._sealed, wait_seconds)
                self._is_asked = False
            return list(self._sealed)

    def forget(self, path: Path, *, aside: bool = False) -> None:
        """Remove a segment whose records are in the store; `aside` keeps a damaged file."""
        if aside:
            path.rename(path.with_suffix(segments.DAMAGED))
        else:
            path.unlink()
        with self._turn:
            self._backlog -= self._sealed.pop(path)

    def close(self) -> None:
        """Flush and seal what is there; from now on nothing is taken."""
        with self._turn:
            self._closing = True
            self._turn.notify_all()
        self._writer.join()

    def release(self) -> None:
        """Let another process own the folder."""
        self._owner.release()

    def _write(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(self._has_work, self._seconds_to_seal())
                group, self._waiting = self._waiting, []
                closing = self._closing
            if group:
                self._commit(group)
            growing = self._growing
            if growing is not None and (
                closing
                or growing.size >= self._limits.segment_bytes
                or self._seconds_to_seal() == 0.0
            ):
                self._seal(growing)
            if closing and not group:
                return

    def _has_work(self) -> bool:
        return bool(self._waiting) or self._closing or self._seconds_to_seal() == 0.0

    def _seconds_to_seal(self) -> float | None:
        """Until time closes the segment that grows; None while nobody waits for it."""
        if self._growing is None or not self._is_asked:
            return None
        return max(0.0, self._growing.seal_at - time.monotonic())

    def _commit(self, group: list[tuple[bytes, Future[None]]]) -> None:
        """Write a group and flush once; on trouble none of it counts as received."""
        data = b"".join(block for block, _ in group)
        try:
            growing = self._growing or self._begin()
            segments.write_all(growing.descriptor, data)
            os.fdatasync(growing.descriptor)
            growing.size += len(data)
        except Exception as error:  # nobody would restart this thread
            self._give_up(len(data))
            reason = f"the spool cannot be written: {getattr(error, 'strerror', None) or error}"
            for _, future in group:
                future.set_exception(OverloadedError(reason))
            return
        for _, future in group:
            future.set_result(None)

    def _begin(self) -> _Growing:
        self._number += 1
        heading = Heading(self._identity(), self._reader, self._rules)
        path = self.folder / f"{self._number:012d}-{heading.identity}{OPEN}"
        descriptor, size = segments.create(path, heading)
        with self._turn:
            self._backlog += size
        seal_at = time.monotonic() + self._limits.load_seconds
        self._growing = _Growing(path=path, descriptor=descriptor, size=size, seal_at=seal_at)
        return self._growing

    def _give_up(self, unwritten: int) -> None:
        """After a failed write or flush a file is never written again: cut it, then load it.

        It stays `.open`: what the cut may have left behind its last whole block is no damage.
        """
        with self._turn:
            self._backlog -= unwritten
        growing, self._growing = self._growing, None
        if growing is None:
            return
        try:
            os.ftruncate(growing.descriptor, growing.size)
        except OSError:
            pass  # then more is loaded than was acknowledged, which the store tells apart
        finally:
            os.close(growing.descriptor)
        self._offer(growing.path, growing.size)

    def _seal(self, growing: _Growing) -> None:
        os.close(growing.descriptor)
        self._growing = None
        path = growing.path.with_suffix(SEALED)
        try:
            growing.path.rename(path)
        except OSError:
            path = growing.path
        self._offer(path, growing.size)

    def _offer(self, path: Path, size: int) -> None:
        with self._turn:
            self._sealed[path] = size
            self._turn.notify_all()


def _owned(folder: Path) -> FileLock:
    """The right to the folder, which ends with the process."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the spool {folder} cannot be made: {error.strerror or error}") from error
    lock = FileLock(folder / "owner")
    if not lock.acquire("serve", time.monotonic()):
        raise StoreBusyError(f"{folder} is in use by {lock.holder()}; one receiver per store")
    return lock
