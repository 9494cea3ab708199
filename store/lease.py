"""The lease: who may open the store file, and for how long.

DuckDB lets one process have a file open, or many that only read it. So nobody keeps it:
`Store.lease` waits for its turn, opens the file, hands out a `Session`, closes the file;
`Store.reading` does so beside others that read. Leases of one process share one connection. Take
one lease per command or page, and compute nothing while it is held.

Never open the database file by other means in a process that may hold a lease: closing any
descriptor of it drops the lock by which DuckDB keeps other processes out.
"""

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import duckdb

from store.errors import InvariantError, StoreBusyError, StoreError
from store.locks import FileLock
from store.opening import PRIVATE, LeaseSettings, busy, open_store, require
from store.session import Session

__all__ = ["LeaseSettings", "Session", "Store"]

COURTESY_SECONDS_MAX = 2.0

Tell = Callable[[str], None]


class _File:
    """One store file as this process sees it, shared by all leases on it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = os.getpid()
        self.lock = FileLock(path)
        self.connection: duckdb.DuckDBPyConnection | None = None
        self.reads_only = False  # the connection that is open
        self.writers_waiting = 0  # for a connection of this process that only reads
        self.leases = 0
        self.openings = 0
        self.turn = threading.Condition()
        self.writing = threading.RLock()
        self.holders: dict[int, int] = {}

    def enter(
        self,
        purpose: str,
        settings: LeaseSettings,
        create: bool,
        tell: Tell | None = None,
        reads_only: bool = False,
    ) -> Session:
        deadline = time.monotonic() + settings.wait_seconds_max
        if not self.turn.acquire(timeout=max(settings.wait_seconds_max, 0)):
            raise StoreBusyError(busy(self.path, "another thread of this process", settings))
        try:
            self._let_others_pass()
            if self.reads_only and not reads_only:
                self._await_readers(settings, deadline)
            if self.connection is None:
                self.connection = self._open(purpose, settings, create, deadline, tell, reads_only)
                self.reads_only = reads_only
            cursor = self.connection.cursor()
            self.leases += 1
            thread = threading.get_ident()
            self.holders[thread] = self.holders.get(thread, 0) + 1
            return Session(self.path, cursor, self.writing, self.reads_only)
        finally:
            self.turn.release()

    def leave(self, session: Session) -> None:
        if os.getpid() != self.process:
            return  # a forked child on its way out of its parent's lease
        with self.turn:
            session.cursor.close()
            thread = threading.get_ident()
            self.holders[thread] = self.holders.get(thread, 0) - 1
            if self.holders[thread] <= 0:
                del self.holders[thread]
            self.leases -= 1
            if self.leases == 0:
                self._close()
            self.turn.notify_all()

    def _let_others_pass(self) -> None:
        """Leases that overlap for ever would starve other processes: let the file close once.

        Bounded, because a holder may wait for the very thread that asks; and never for a thread
        that holds a lease itself.
        """
        if self.connection is None or threading.get_ident() in self.holders:
            return
        if self.writers_waiting or self.lock.is_awaited():
            before = self.openings
            self.turn.wait_for(
                lambda: self.connection is None or self.openings > before, COURTESY_SECONDS_MAX
            )

    def _await_readers(self, settings: LeaseSettings, deadline: float) -> None:
        """A connection that only reads cannot be made to write: wait until it is closed."""
        if threading.get_ident() in self.holders:
            raise InvariantError("a lease that writes was asked for within one that only reads")
        self.writers_waiting += 1
        try:
            left = max(deadline - time.monotonic(), 0.0)
            if not self.turn.wait_for(lambda: not self.reads_only, left):
                raise StoreBusyError(busy(self.path, "readers of this process", settings))
        finally:
            self.writers_waiting -= 1

    def _open(
        self,
        purpose: str,
        settings: LeaseSettings,
        create: bool,
        deadline: float,
        tell: Tell | None,
        reads_only: bool,
    ) -> duckdb.DuckDBPyConnection:
        require(self.path, create)
        waiting = partial(_tell_waiting, self.path, self.lock, tell) if tell else None
        if not self.lock.acquire(purpose, deadline, waiting, shared=reads_only):
            raise StoreBusyError(busy(self.path, self.lock.holder(), settings))
        PRIVATE.enter()
        try:
            connection = open_store(self.path, settings, create, deadline, reads_only)
        except BaseException:
            PRIVATE.leave()
            self.lock.release()
            raise
        self.openings += 1
        return connection

    def _close(self) -> None:
        try:
            if self.connection is not None:
                self.connection.close()
        finally:
            self.connection, self.reads_only = None, False
            PRIVATE.leave()
            self.lock.release()


_FILES: dict[Path, _File] = {}
_FILES_LOCK = threading.Lock()


def _forget_after_fork() -> None:
    global _FILES_LOCK
    _FILES_LOCK = threading.Lock()
    for file in _FILES.values():
        if file.connection is not None:
            # The parent's. Never freed here: closing it would write to the parent's file.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(file.connection))
            file.lock.abandon()
    PRIVATE.forget()
    _FILES.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


class Store:
    """A store file. Holding a `Store` opens nothing. `tell` hears of long waits."""

    def __init__(
        self, path: Path, settings: LeaseSettings | None = None, tell: Tell | None = None
    ) -> None:
        self.path = Path(path)
        self.settings = settings or LeaseSettings()
        self._tell = tell

    def is_awaited(self) -> bool:
        """Whether another process waits for the file right now."""
        return FileLock(self.path.absolute().resolve()).is_awaited()

    def lease(self, purpose: str, *, create: bool = False) -> AbstractContextManager[Session]:
        """The right to use the file until the block ends; `purpose` is shown to who must wait."""
        return self._leased(purpose, create=create, reads_only=False)

    def reading(self, purpose: str) -> AbstractContextManager[Session]:
        """The right to read the file, beside all others that only read; nothing can be written."""
        return self._leased(purpose, create=False, reads_only=True)

    @contextmanager
    def first_at(self, work: str) -> Iterator[bool]:
        """Whether this process came first of those that do this work on the store just now.

        Nobody waits: several may do it at once, and divide it by who is the first.
        """
        target = self.path.absolute().resolve()
        lock = FileLock(target.with_name(f"{target.name}.{work}"))
        is_first = lock.acquire(work, time.monotonic())
        try:
            yield is_first
        finally:
            lock.release()

    @contextmanager
    def _leased(self, purpose: str, *, create: bool, reads_only: bool) -> Iterator[Session]:
        key = self.path.absolute().resolve()
        with _FILES_LOCK:
            file = _FILES.setdefault(key, _File(key))
        session = file.enter(purpose, self.settings, create, self._tell, reads_only)
        try:
            yield session
        except duckdb.Error as error:
            raise StoreError(f"{self.path}, while {purpose}: {_first_line(error)}") from error
        except RuntimeError as error:
            if str(error) == "Query interrupted":  # what DuckDB makes of Ctrl-C
                raise KeyboardInterrupt from error
            raise
        finally:
            file.leave(session)


def _tell_waiting(path: Path, lock: FileLock, tell: Tell) -> None:
    tell(f"waiting for {path}: in use by {lock.holder()}")


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
