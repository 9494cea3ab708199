"""What can be done with the store while a lease lasts."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from store.errors import InvariantError
from store.statements import statement


class Session:
    """One lease's own cursor. Only `store` uses its methods; others pass it on."""

    def __init__(
        self,
        path: Path,
        cursor: duckdb.DuckDBPyConnection,
        lock: threading.RLock,
        reads_only: bool = False,
    ) -> None:
        self.path = path
        self.cursor = cursor
        self._writing = lock
        self._reads_only = reads_only
        self._depth = 0

    def rows(self, name: str, params: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """All rows of the store's own statement `name`."""
        rows: list[tuple[Any, ...]] = self._execute(name, params).fetchall()
        return rows

    def row(self, name: str, params: Mapping[str, object] | None = None) -> tuple[Any, ...]:
        """The only row of the store's own statement `name`."""
        (row,) = self.rows(name, params)
        return row

    def run(self, name: str, params: Mapping[str, object] | None = None) -> None:
        """Run the store's own statement `name` for its effect."""
        self._execute(name, params)

    def run_over(self, name: str, table: str, data: object, **params: object) -> None:
        """Run a statement that reads the Arrow table `data` under the name `table`."""
        self.rows_over(name, table, data, **params)

    def rows_over(
        self, name: str, table: str, data: object, **params: object
    ) -> list[tuple[Any, ...]]:
        """All rows of a statement that reads the Arrow table `data` under the name `table`."""
        with self.tables({table: data}):
            return self.rows(name, params)

    def row_over(self, name: str, table: str, data: object, **params: object) -> tuple[Any, ...]:
        """The only row of a statement that reads the Arrow table `data`."""
        (row,) = self.rows_over(name, table, data, **params)
        return row

    @contextmanager
    def tables(self, named: Mapping[str, object]) -> Iterator[None]:
        """Arrow tables that statements can read under these names while the block lasts."""
        for name, data in named.items():
            self.cursor.register(name, data)
        try:
            yield
        finally:
            for name in named:
                self.cursor.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another is part of it. Writers of one process wait here."""
        if self._reads_only:
            raise InvariantError("written to under a lease that only reads")
        with self._writing:
            if self._depth:
                yield
                return
            self.cursor.begin()
            self._depth += 1
            try:
                yield
            except BaseException:
                with suppress(duckdb.Error):  # the first error is the one to tell
                    self.cursor.rollback()
                raise
            finally:
                self._depth -= 1
            self.cursor.commit()

    def _execute(self, name: str, params: Mapping[str, object] | None) -> duckdb.DuckDBPyConnection:
        return self.cursor.execute(statement(name), dict(params) if params else None)
