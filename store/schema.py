"""The tables of a store: made once, checked on every open.

`SCHEMA_VERSION` counts what users see; the fingerprint of all CREATE statements catches a file made
by a build whose statements differ although the number is the same.
"""

from hashlib import sha256
from pathlib import Path

from duckdb import CatalogException, DuckDBPyConnection
from duckdb import Error as DuckDBError

from store.errors import DataError, StoreMissingError, StoreVersionError
from store.statements import definitions, statement

SCHEMA_VERSION = 3


def fingerprint() -> str:
    """SHA-256 of all CREATE statements."""
    return sha256("\0".join(definitions()).encode()).hexdigest()


def ensure(connection: DuckDBPyConnection, path: Path, *, create: bool) -> None:
    """Accept a store of our version; make the tables in an empty file when `create` is set."""
    try:
        row = connection.execute(statement("read/meta")).fetchone()
    except CatalogException:  # asking which tables there are takes ten times as long
        if connection.execute(statement("read/tables")).fetchall():
            raise DataError(_foreign(path)) from None
        if not create:
            raise StoreMissingError(missing(path)) from None
        _make(connection)
    except DuckDBError as error:
        raise DataError(_foreign(path)) from error
    else:
        _check(row, path)


def _foreign(path: Path) -> str:
    return f"{path} is a DuckDB database, but not a retrospan store"


def missing(path: Path) -> str:
    """What to tell a reader whose store does not exist."""
    return f"there is no store at {path}; make one with `retrospan ingest PATH` or `retrospan demo`"


def _make(connection: DuckDBPyConnection) -> None:
    connection.begin()
    for definition in definitions():
        connection.execute(definition)
    connection.execute(
        statement("write/meta"), {"version": SCHEMA_VERSION, "ddl_sha256": fingerprint()}
    )
    connection.commit()


def _check(row: tuple[int, str] | None, path: Path) -> None:
    found, ddl_sha256 = row if row is not None else (None, None)
    if found == SCHEMA_VERSION and ddl_sha256 == fingerprint():
        return
    if found == SCHEMA_VERSION:
        said = f"schema {found} of a different build of retrospan"
    else:
        said = f"schema {found}; this retrospan reads schema {SCHEMA_VERSION}"
    if isinstance(found, int) and found > SCHEMA_VERSION:
        way_out = "use a newer retrospan"
    else:
        way_out = "run `retrospan store upgrade`, or load the input files into a new store"
    raise StoreVersionError(f"{path} has {said}: {way_out}")
