"""What is accepted as a store, how it is made, and what its connection may not do."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from store import statements
from store.errors import DataError, StoreError, StoreMissingError, StoreVersionError
from store.lease import LeaseSettings, Session, Store
from store.model import Batch, Span
from store.read import counts
from store.write import write_batch

IMPATIENT = LeaseSettings(wait_seconds_max=0.2)


def test_nobody_else_may_read_the_files(path: Path, span: Callable[..., Span]) -> None:
    before = os.umask(0o022)
    try:
        with Store(path).lease("load", create=True) as session:
            batch = Batch(
                source="x", content_sha256="1", reader="r", rules_sha256="0", spans=[span()]
            )
            write_batch(session, batch)
            names = {file.name for file in path.parent.iterdir()}
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert names >= {path.name, path.name + ".wal", path.name + ".lock", path.name + ".queue"}
        assert modes == {0o600}
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_a_missing_store_says_how_to_make_one_and_makes_nothing(path: Path) -> None:
    with pytest.raises(StoreMissingError, match="retrospan ingest"), Store(path).lease("report"):
        pass
    assert list(path.parent.iterdir()) == []


def test_an_empty_file_is_no_store_yet(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreMissingError), Store(path).lease("report"):
        pass
    with Store(path).lease("load", create=True) as session:
        assert counts(session).spans == 0


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(StoreError, match="nowhere"),
        Store(tmp_path / "nowhere" / "s.duckdb").lease("load", create=True),
    ):
        pass


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, create: bool) -> None:
    path.write_bytes(b"hello world\n" * 2000)
    with (
        pytest.raises(DataError, match="no DuckDB database"),
        Store(path).lease("x", create=create),
    ):
        pass
    assert path.read_bytes() == b"hello world\n" * 2000
    with pytest.raises(DataError, match="folder"), Store(path.parent).lease("x", create=create):
        pass


def test_a_damaged_store_is_refused_in_words(path: Path) -> None:
    with Store(path).lease("load", create=True):
        pass
    damaged = bytearray(path.read_bytes())
    damaged[12] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match="cannot be opened"), Store(path).lease("report"):
        pass
    path.write_bytes(damaged[:100])
    with pytest.raises(DataError, match="cannot be opened"), Store(path).lease("report"):
        pass


def test_somebody_elses_duckdb_file_is_refused_and_left_alone(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    with (
        pytest.raises(DataError, match="not a retrospan store"),
        Store(path).lease("x", create=True),
    ):
        pass


@pytest.mark.parametrize(
    ("change", "way_out"),
    [
        ("UPDATE store_meta SET schema_version = 0", "load the input files into a new store"),
        ("UPDATE store_meta SET schema_version = 99", "use a newer retrospan"),
        ("UPDATE store_meta SET ddl_sha256 = 'other'", "different build"),
    ],
)
def test_a_store_of_another_version_is_refused_with_the_way_out(
    path: Path, change: str, way_out: str
) -> None:
    with Store(path).lease("load", create=True):
        pass
    with duckdb.connect(str(path)) as connection:
        connection.execute(change)
    for create in (True, False):
        with pytest.raises(StoreVersionError, match=way_out), Store(path).lease("x", create=create):
            pass


def test_the_connection_is_locked_down(session: Session) -> None:
    for sql in (
        "COPY spans TO '/tmp/x.csv'",
        "ATTACH '/tmp/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
    ):
        with pytest.raises(duckdb.Error):
            session.cursor.execute(sql)


def test_an_error_inside_a_lease_is_told_as_ours_and_frees_the_file(path: Path) -> None:
    with (
        pytest.raises(StoreError, match="while looking"),
        Store(path).lease("looking", create=True) as session,
    ):
        session.cursor.execute("SELECT * FROM nothing")
    with Store(path, IMPATIENT).lease("report"):
        pass


def test_the_fingerprint_covers_every_definition() -> None:
    folder = Path(statements.__file__).parent / "sql"
    files = [file for part in ("tables", "macros", "views") for file in (folder / part).iterdir()]
    assert len(statements.definitions()) == len(files)
    assert len({file.name[:3] for file in (folder / "tables").iterdir()}) == len(
        list((folder / "tables").iterdir())
    )
