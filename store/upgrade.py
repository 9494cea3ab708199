"""A store file written anew: an older schema brought up to date, or deleted bytes left behind.

The new file is built beside the old one while the store's lock is held, checked row by row count,
then put in its place by one rename: whoever dies in between leaves the old store as it was. What
differs between a schema and the present one stands in `sql/upgrade/v<N>/<table>.sql`, one SELECT
over the old tables that gives the present columns; a table without a file is copied as it is.
Conclusions are not copied by an upgrade: every trace is marked, so that flows are derived again.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import duckdb

from store import schema
from store.decision_log import fill_leaves
from store.decision_log import leaf_key as key_of_leaves
from store.errors import (
    DataError,
    InvariantError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreVersionError,
)
from store.locks import FileLock
from store.new_file import beside, flush, kept, require_space
from store.opening import PRIVATE, LeaseSettings, busy, connect
from store.session import Session
from store.statements import statement

# Made from what was recorded, or about this file only. Every other table was recorded or told by
# people and must survive an upgrade; a table that is new here counts as recorded.
CONCLUDED = frozenset(
    {
        "store_meta",
        "derivations",
        "dirty_traces",
        "payloads",
        "flows",
        "flow_members",
        "flow_aliases",
        "flow_heads",
        "flow_problems",
        "flow_effects",
        "flow_kinds",
        "clock_skew",
        "steps",
        "attempts",
        "sagas",
        "findings",
        "replays",
        "incident_causes",
    }
)
MADE_ANEW = frozenset({"decision_leaves"})
"""Recorded too, but made of the other tables where the old store had no such table."""
AS_THEY_ARE = frozenset({1, 2})
"""Older schemas whose recorded tables are those of this one: they differ in what is concluded."""
ROWS_PER_PIECE = 100_000

Connection = duckdb.DuckDBPyConnection
Told = Callable[[str, int], None]
"""Told each table with its rows when it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What was done. `backup` is where the old file is kept; `rows` counts what was copied.

    `replays` were not copied: they are conclusions that only the user can ask for again.
    """

    from_version: int
    to_version: int
    changed: bool
    backup: Path | None = None
    rows: dict[str, int] = field(default_factory=dict)
    replays: int = 0
    bytes_before: int
    bytes_after: int


def upgrade(
    path: Path, settings: LeaseSettings, *, keep_old: bool = True, told: Told | None = None,
    leaf_key: bytes = b"",
) -> Rewritten:  # fmt: skip
    """Bring a store of an older schema, or of another build of this one, to the present schema.

    `leaf_key` makes the salts of decision leaves that the old store did not have.
    """
    with _sole(path, "upgrading the store", settings) as target, beside(target) as new_path:
        with _opened(target, settings) as old:
            version, fingerprint = _version_of(old, target)
            if version == schema.SCHEMA_VERSION and fingerprint == schema.fingerprint():
                size = target.stat().st_size
                return Rewritten(
                    from_version=version,
                    to_version=version,
                    changed=False,
                    bytes_before=size,
                    bytes_after=size,
                )
            _require_way(version, target)
            require_space(target)
            ((replays,),) = old.execute(statement("upgrade/replays")).fetchall()
            with _opened(new_path, settings, create=True) as new:
                tables = [name for name in _tables(new) if name not in CONCLUDED]
                rows = _copied(old, new, tables, version, target, told)
                rows["decision_leaves"] += _leaves(new, new_path, leaf_key)
                new.execute(statement("write/generation"))
                new.execute(statement("upgrade/all_dirty"))
        return _put(new_path, target, version, rows, replays=replays, keep_old=keep_old)


def rewrite(path: Path, settings: LeaseSettings) -> Rewritten:
    """Write the present rows into a new file, so that nothing deleted stays in free blocks."""
    with _sole(path, "rewriting the store", settings) as target, beside(target) as new_path:
        with _opened(target, settings) as old:
            schema.ensure(old, target, create=False)
            require_space(target)
            with _opened(new_path, settings, create=True) as new:
                tables = [name for name in _tables(new) if name != "store_meta"]
                rows = _copied(old, new, tables, schema.SCHEMA_VERSION, target, None)
        return _put(new_path, target, schema.SCHEMA_VERSION, rows, replays=0, keep_old=False)


def ways() -> dict[int, dict[str, str]]:
    """For each older schema its SELECTs by table."""
    folder = files("store").joinpath("sql", "upgrade")
    return {version: {} for version in AS_THEY_ARE} | {
        int(entry.name.removeprefix("v")): {
            part.name.removesuffix(".sql"): part.read_text("utf-8")
            for part in entry.iterdir()
            if part.name.endswith(".sql")
        }
        for entry in folder.iterdir()
        if entry.is_dir() and entry.name.removeprefix("v").isdecimal()
    }


@contextmanager
def _sole(path: Path, purpose: str, settings: LeaseSettings) -> Iterator[Path]:
    """Nobody else has or gets the store until the block ends."""
    target = Path(path).absolute().resolve()
    if not target.is_file() or target.stat().st_size == 0:
        raise StoreMissingError(schema.missing(path))
    lock = FileLock(target)
    if not lock.acquire(purpose, time.monotonic() + settings.wait_seconds_max):
        raise StoreBusyError(busy(path, lock.holder(), settings))
    PRIVATE.enter()
    try:
        yield target
    except duckdb.Error as error:
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise StoreError(f"{path}, while {purpose}: {said}") from error
    finally:
        PRIVATE.leave()
        lock.release()


@contextmanager
def _opened(path: Path, settings: LeaseSettings, *, create: bool = False) -> Iterator[Connection]:
    connection = connect(path, settings, time.monotonic() + settings.wait_seconds_max)
    try:
        if create:
            schema.ensure(connection, path, create=True)
        yield connection
        connection.execute("CHECKPOINT")  # the file alone is the store, without a log beside it
    finally:
        connection.close()


def _leaves(new: Connection, path: Path, leaf_key: bytes) -> int:
    """Leaves of the decisions that have none; how many."""
    return fill_leaves(Session(path, new, threading.RLock()), key_of_leaves(leaf_key))


def _tables(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(statement("read/tables")).fetchall()]


def _version_of(old: Connection, target: Path) -> tuple[int, str]:
    if "store_meta" not in _tables(old):
        raise DataError(f"{target} is a DuckDB database, but not a retrospan store")
    rows = old.execute(statement("read/meta")).fetchall()
    if len(rows) != 1 or type(rows[0][0]) is not int:
        raise DataError(f"{target} does not say which schema it has; it cannot be upgraded")
    return rows[0][0], str(rows[0][1])


def _require_way(version: int, target: Path) -> None:
    if version > schema.SCHEMA_VERSION:
        raise StoreVersionError(
            f"{target} has schema {version}; this retrospan reads schema "
            f"{schema.SCHEMA_VERSION}: use a newer retrospan"
        )
    known = ways()
    if version < schema.SCHEMA_VERSION and version not in known:
        listed = ", ".join(map(str, sorted(known)))
        raise StoreVersionError(
            f"{target} has schema {version}; there is a way from {listed} to "
            f"{schema.SCHEMA_VERSION}: load the input files into a new store"
        )


def _copied(
    old: Connection,
    new: Connection,
    tables: Sequence[str],
    version: int,
    target: Path,
    told: Told | None,
) -> dict[str, int]:
    way = ways().get(version, {})
    ((generation,),) = old.execute(statement("read/generation")).fetchall()
    new.begin()
    new.execute(statement("upgrade/generation"), {"generation": generation})
    rows = {}
    known = set(_tables(old))
    for table in tables:
        if table in MADE_ANEW - known:
            rows[table] = 0
            continue
        rows[table] = _copy(old, new, table, way.get(table), f"{target} (schema {version})")
        if told is not None:
            told(table, rows[table])
    new.commit()
    return rows


def _copy(old: Connection, new: Connection, table: str, sql: str | None, where: str) -> int:
    """One table, as a stream: it never stands in memory as a whole."""
    wanted = new.table(table).columns
    try:
        source = old.sql(sql) if sql is not None else old.table(table)
    except duckdb.Error as error:
        said = next(iter(str(error).splitlines()), "")
        raise StoreVersionError(f"{where} is not as that schema was: {table}: {said}") from error
    lacking = sorted(set(wanted) - set(source.columns))
    unknown = sorted(set(source.columns) - set(wanted))
    if lacking or unknown:
        parts = [f"lacks {', '.join(lacking)}"] * bool(lacking)
        parts += [f"has also {', '.join(unknown)}"] * bool(unknown)
        raise StoreVersionError(
            f"{where} was written by another build: table {table} {' and '.join(parts)}; "
            "use the retrospan that wrote it, or load the input files into a new store"
        )
    columns = [duckdb.ColumnExpression(column) for column in wanted]
    pieces = source.select(*columns).to_arrow_reader(ROWS_PER_PIECE)
    new.from_arrow(pieces).insert_into(table)
    ((before,),) = source.count("*").fetchall()
    ((after,),) = new.table(table).count("*").fetchall()
    if before != after:
        raise InvariantError(f"{where}: of {before} rows of {table}, {after} arrived")
    return int(after)


def _put(
    new_path: Path,
    target: Path,
    version: int,
    rows: dict[str, int],
    *,
    replays: int,
    keep_old: bool,
) -> Rewritten:
    """The new file into the old one's place."""
    for path in (target, new_path):
        if path.with_name(path.name + ".wal").exists():
            raise InvariantError(f"{path} still has a log beside it")
    before, after = target.stat().st_size, new_path.stat().st_size
    flush(new_path)
    backup = kept(target, version) if keep_old else None
    new_path.replace(target)
    flush(target.parent)
    return Rewritten(
        from_version=version,
        to_version=schema.SCHEMA_VERSION,
        changed=True,
        backup=backup,
        rows=rows,
        replays=replays,
        bytes_before=before,
        bytes_after=after,
    )
