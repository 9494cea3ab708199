"""The store's file: found or made, opened with what DuckDB may and may not do."""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from store import schema
from store.errors import (
    DataError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreVersionError,
)
from store.locks import POLL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseSettings:
    """How a lease is taken. `threads` and `memory_bytes_max` are DuckDB's own choice when None.

    The wait is long: whoever waits is told of it all the while and may stop, and who is refused has
    to come again, at the end of the queue.
    """

    wait_seconds_max: float = 600.0
    threads: int | None = None
    memory_bytes_max: int | None = None


def open_store(
    path: Path, settings: LeaseSettings, create: bool, deadline: float, reads_only: bool
) -> duckdb.DuckDBPyConnection:
    """The store's file, of our schema; made when it is not there and `create` is set."""
    require(path, create)
    _drop_empty(path, create)
    connection = connect(path, settings, deadline, reads_only)
    try:
        # On a cursor that ends: a result left half read would keep a transaction open, and beside
        # one DuckDB writes all twice, into its log and then to its place.
        with connection.cursor() as checking:
            schema.ensure(checking, path, create=create)
    except BaseException:
        connection.close()
        raise
    return connection


def require(path: Path, create: bool) -> None:
    """Refuse a path where no store is, or can be made when `create` is set."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a retrospan store")
    if create and not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist; make it first")
    if not create and not path.is_file():
        raise StoreMissingError(schema.missing(path))


def _drop_empty(path: Path, create: bool) -> None:
    """DuckDB refuses an empty file; whoever made it died before the first write."""
    if path.is_file() and path.stat().st_size == 0:
        if not create:
            raise StoreMissingError(schema.missing(path))
        path.unlink()


def connect(
    path: Path, settings: LeaseSettings, deadline: float, reads_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """A database whatever its tables; StoreBusyError when others have it until `deadline`."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
    }
    if settings.threads is not None:
        config["threads"] = str(settings.threads)
    if settings.memory_bytes_max is not None:
        config["memory_limit"] = f"{settings.memory_bytes_max}B"
    while True:
        try:
            return duckdb.connect(str(path), read_only=reads_only, config=config)
        except duckdb.Error as error:
            said = str(error)
            if "Could not set lock" not in said:
                raise _unreadable(path, said) from error
            if time.monotonic() >= deadline:
                holder = said.partition("Conflicting lock is held in ")[2].partition(". ")[0]
                who = holder or "a process that did not ask for a lease"
                raise StoreBusyError(busy(path, who, settings)) from error
            time.sleep(POLL_SECONDS)


def _unreadable(path: Path, said: str) -> Exception:
    if "not a valid DuckDB database" in said:
        return DataError(f"{path} is not a retrospan store (it is no DuckDB database)")
    if "version number" in said:
        return StoreVersionError(
            f"{path} was written by another version of DuckDB than {duckdb.__version__}; "
            f"use the retrospan that wrote it ({said.splitlines()[0]})"
        )
    return DataError(f"{path} cannot be opened as a store: {said.splitlines()[0]}")


def busy(path: Path, holder: str, settings: LeaseSettings) -> str:
    """What somebody is told who waited in vain."""
    return (
        f"{path} is in use by {holder}; waited {settings.wait_seconds_max:g} seconds. "
        "Try again when it has ended, or wait longer"
    )


class _Private:
    """Umask 0077 while any store file is open: DuckDB makes its log and spill files with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = 0
        self._umask = 0

    def enter(self) -> None:
        """A file is about to be opened."""
        with self._lock:
            if self._open == 0:
                self._umask = os.umask(0o077)
            self._open += 1

    def leave(self) -> None:
        """It is closed."""
        with self._lock:
            self._open -= 1
            if self._open == 0:
                os.umask(self._umask)

    def forget(self) -> None:
        """In a forked child: the files are its parent's."""
        self._lock = threading.Lock()
        if self._open:
            os.umask(self._umask)
        self._open = 0


PRIVATE = _Private()
