"""Stores of older schemas become stores of this one, or stay exactly as they were.

Schema 0 was never released: `old/v0.sql` stands for any change of recorded columns. `old/v1.sql` is
what the last build with schema 1 wrote, conclusions and all, and `old/v2.sql` the same of schema 2.
A power cut cannot be tried here; the order of flush and rename is only read.
"""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from store import schema, upgrade
from store.errors import (
    DataError,
    StoreBusyError,
    StoreError,
    StoreMissingError,
    StoreVersionError,
)
from store.lease import LeaseSettings, Store
from store.locks import FileLock
from store.model import Batch, Span
from store.read import (
    counts,
    read_decisions,
    read_dirty,
    read_incidents,
    read_logs,
    read_rejects,
    read_spans,
)
from store.write import write_batch

OLD = Path(__file__).with_name("old")
TRACE = "0af7651916cd43dd8448eb211c80319c"
SETTINGS = LeaseSettings(wait_seconds_max=5.0)
IMPATIENT = LeaseSettings(wait_seconds_max=0.2)
DIE_AFTER_A_WRITE = """
import os, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO logs BY NAME SELECT 5 AS time_ns, 'null' AS body")
os._exit(0)
"""


def old_store(path: Path, version: int) -> Path:
    """The store of an older schema, made from the text that is kept of it."""
    with duckdb.connect(str(path)) as connection:
        connection.execute((OLD / f"v{version}.sql").read_text())
    return path


def change(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for sql in statements:
            connection.execute(sql)


def names(path: Path) -> set[str]:
    """Files beside the store, without the locks."""
    return {file.name for file in path.parent.iterdir() if file.suffix not in {".lock", ".queue"}}


def test_there_is_an_old_store_here_for_every_schema_there_is_a_way_from() -> None:
    kept = {int(file.stem.removeprefix("v")) for file in OLD.glob("v*.sql")}
    assert kept == set(upgrade.ways()) == set(range(schema.SCHEMA_VERSION))


@pytest.mark.parametrize("version", sorted(upgrade.ways()))
def test_an_old_store_is_refused_then_upgraded_then_read(path: Path, version: int) -> None:
    old_store(path, version)
    with pytest.raises(StoreVersionError), Store(path).lease("report"):
        pass
    done = upgrade.upgrade(path, SETTINGS)
    assert (done.from_version, done.to_version, done.changed) == (version, 3, True)
    assert done.rows["spans"] == 3
    assert done.replays == 1
    with Store(path).lease("report") as session:
        spans, logs = read_spans(session), read_logs(session)
        decisions, incidents = read_decisions(session), read_incidents(session)
        leaves = session.cursor.execute("SELECT decision_id, leaf_index FROM decisions").fetchall()
        sagas = session.cursor.execute("SELECT DISTINCT saga_id FROM spans").fetchall()
        got, rejects = counts(session), read_rejects(session)
    assert [span.span_id for span in spans] == [f"{n:016x}" for n in (1, 2, 3)]
    assert spans[0].events[0].name == "retry"
    assert spans[1].links[0].span_id == f"{9:016x}"
    assert spans[0].attributes["raw"] == b"\x00\x01\xff"
    ratio = spans[0].attributes["ratio"]
    assert isinstance(ratio, float)
    assert math.isnan(ratio)
    assert sagas == [("saga-1",)]
    assert [log.body for log in logs] == ["charged", "a trace of logs alone"]
    assert sorted(leaves) == [(f"decision-{n}", n - 1) for n in (1, 2, 3)]
    assert len(decisions) == 3
    assert incidents == []
    assert [reject.reason for reject in rejects] == ["trace id is missing"]
    assert (got.data_start_ns, got.data_end_ns) == (
        1_700_000_000_000_000_001,
        1_700_000_000_049_999_999,
    )


def test_every_trace_is_derived_again_after_an_upgrade(path: Path) -> None:
    upgrade.upgrade(old_store(path, 0), SETTINGS)
    with Store(path).lease("report") as session:
        dirty = read_dirty(session)
    assert dirty.trace_ids == (TRACE, "2" + TRACE[1:])
    assert dirty.generation == 8, "a rebuild that read the old store may not write to the new one"


def test_flows_of_a_store_of_schema_1_are_the_same_when_derived_again(path: Path) -> None:
    before = old_store(path, 1)
    with duckdb.connect(str(before)) as connection:
        flows = connection.execute("SELECT * EXCLUDE (code_digest, generation) FROM flows")
        earlier = flows.fetchall()
    upgrade.upgrade(path, SETTINGS)
    rebuild(Store(path), RebuildSettings())
    with Store(path).lease("report") as session:
        again = session.cursor.sql("SELECT * EXCLUDE (code_digest, generation) FROM flows")
        assert again.fetchall() == earlier
        heads = session.cursor.sql("SELECT flow_id, decisions, verdict FROM flow_heads")
        assert heads.fetchall() == [("trace:" + TRACE, 3, "unknown")]


def test_a_batch_the_old_store_knew_stays_known(path: Path, span: Callable[..., Span]) -> None:
    upgrade.upgrade(old_store(path, 0), SETTINGS)
    batch = Batch(
        source="again.jsonl",
        content_sha256="file:0",
        reader="otlp_json/1",
        rules_sha256="rules",
        spans=[span(9)],
    )
    with Store(path).lease("load") as session:
        assert write_batch(session, batch).known_batch


def test_the_old_file_is_kept_under_a_name_no_other_upgrade_used(path: Path) -> None:
    before = old_store(path, 0).read_bytes()
    first = upgrade.upgrade(path, SETTINGS)
    assert first.backup == path.with_name(path.name + ".bak-v0")
    assert first.backup.read_bytes() == before
    path.unlink()
    second = upgrade.upgrade(old_store(path, 0), SETTINGS)
    assert second.backup == path.with_name(path.name + ".bak-v0.2")
    assert names(path) == {path.name, first.backup.name, second.backup.name}
    path.unlink()
    assert upgrade.upgrade(old_store(path, 0), SETTINGS, keep_old=False).backup is None
    assert len(names(path)) == 3
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_store_of_another_build_with_the_same_recorded_columns_is_upgraded(
    path: Path, span: Callable[..., Span], batch: Callable[..., Batch]
) -> None:
    with Store(path).lease("load", create=True) as session:
        write_batch(session, batch(span(1), span(2)))
        before = read_spans(session)
    change(
        path,
        "UPDATE store_meta SET ddl_sha256 = 'a build of last week'",
        "DROP VIEW saga_checks",
        "ALTER TABLE flows ADD COLUMN mood VARCHAR",
        "DROP TABLE findings",
    )
    assert upgrade.upgrade(path, SETTINGS).from_version == schema.SCHEMA_VERSION
    with Store(path).lease("report") as session:
        assert read_spans(session) == before
        session.cursor.execute("SELECT * FROM saga_checks").fetchall()


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("ALTER TABLE spans ADD COLUMN mood VARCHAR", "table spans has also mood"),
        ("ALTER TABLE logs DROP COLUMN body", "table logs lacks body"),
        ("DROP TABLE rejects", "rejects"),
        ("UPDATE store_meta SET schema_version = 99", "use a newer retrospan"),
        ("UPDATE store_meta SET schema_version = -3", "there is a way from 0"),
        ("UPDATE store_meta SET schema_version = NULL", "does not say which schema"),
        ("ALTER TABLE store_meta RENAME TO mine", "not a retrospan store"),
    ],
)
def test_what_cannot_be_upgraded_is_refused_in_words_and_left_as_it_was(
    path: Path, sql: str, said: str
) -> None:
    with Store(path).lease("load", create=True):
        pass
    change(path, "UPDATE store_meta SET ddl_sha256 = 'other'", sql)
    before = path.read_bytes()
    with pytest.raises((StoreError, DataError), match=said):
        upgrade.upgrade(path, SETTINGS)
    assert path.read_bytes() == before
    assert names(path) == {path.name}


def test_an_upgrade_that_dies_before_the_rename_leaves_the_old_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_store(path, 0).read_bytes()
    path.with_name(path.name + ".new").write_bytes(b"left by a run that was killed")

    def no_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", no_disk)
        with pytest.raises(OSError, match="No space"):
            upgrade.upgrade(path, SETTINGS, keep_old=False)
    assert path.read_bytes() == before
    assert names(path) == {path.name}
    assert upgrade.upgrade(path, SETTINGS, keep_old=False).changed


def test_rows_in_the_log_of_a_killed_writer_are_upgraded_too(path: Path) -> None:
    old_store(path, 0)
    subprocess.run([sys.executable, "-c", DIE_AFTER_A_WRITE, str(path)], check=True)
    assert path.with_name(path.name + ".wal").exists()
    done = upgrade.upgrade(path, SETTINGS)
    assert done.rows["logs"] == 3
    assert done.backup is not None
    with duckdb.connect(str(done.backup)) as connection:
        assert connection.execute("SELECT count(*) FROM logs").fetchall() == [(3,)]


def test_a_store_in_use_is_waited_for_and_its_holder_named(path: Path) -> None:
    old_store(path, 0)
    lock = FileLock(path.resolve())
    assert lock.acquire("a long load", 0)
    with pytest.raises(StoreBusyError, match=r"a long load.*0\.2 seconds"):
        upgrade.upgrade(path, IMPATIENT)
    lock.release()
    assert upgrade.upgrade(path, IMPATIENT).changed


def test_an_up_to_date_store_is_left_alone_and_a_missing_one_is_told(path: Path) -> None:
    with pytest.raises(StoreMissingError, match="retrospan ingest"):
        upgrade.upgrade(path, SETTINGS)
    with Store(path).lease("load", create=True):
        pass
    assert not upgrade.upgrade(path, SETTINGS).changed
    assert names(path) == {path.name}


def test_a_rewritten_store_holds_the_same_rows_in_every_table(
    path: Path, span: Callable[..., Span], batch: Callable[..., Batch]
) -> None:
    upgrade.upgrade(old_store(path, 0), SETTINGS, keep_old=False)

    def content() -> dict[str, list[str]]:
        with Store(path).lease("report") as session:
            tables = [name for (name,) in session.rows("read/tables")]
            return {
                name: sorted(map(repr, session.cursor.table(name).fetchall())) for name in tables
            }

    before = content()
    done = upgrade.rewrite(path, SETTINGS)
    assert content() == before
    assert done.rows["spans"] == 3
    assert names(path) == {path.name}
