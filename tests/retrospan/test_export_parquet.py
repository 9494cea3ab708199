"""Parquet files hold what the store holds, as another program reads them."""

import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from retrospan.export import parts
from retrospan.export.parquet import TABLES, export_parquet
from store.lease import Store
from store.model import Batch, Decision, SpanEvent, SpanLink
from store.read import (
    read_decisions,
    read_incidents,
    read_logs,
    read_rejects,
    read_spans,
)
from store.upgrade import CONCLUDED
from store.values import from_json
from store.write import write_batch
from tests.retrospan import world
from tests.retrospan.records import log, span, write


def test_parquet_files_hold_what_the_store_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: Path
) -> None:
    monkeypatch.setattr(parts, "ROWS_PER_PART", 7)
    spans = [
        span(
            n,
            parent_span_id=f"{2**64 - 1:016x}",
            attributes={"n": n, "x": math.inf, "raw": b"\xff"},
            events=(SpanEvent(name="e", time_ns=n), SpanEvent(name="f", time_ns=n)),
            links=(SpanLink(trace_id=f"{n:032x}", span_id=f"{n:016x}"),),
        )
        for n in range(1, 20)
    ]
    store = Store(db)
    with store.lease("test") as session:
        write_batch(
            session,
            Batch(
                source="more",
                content_sha256="1:0",
                reader="hand/1",
                rules_sha256="0",
                spans=spans,
                logs=[log(n, body={"n": float(n)}) for n in range(9)],
                rejected=[],
            ),
        )
        kept = (
            read_spans(session),
            read_logs(session),
            read_decisions(session),
            read_incidents(session),
            read_rejects(session),
        )
    done = export_parquet(store, tmp_path / "out")
    tables = {name: pq.read_table(tmp_path / "out" / f"{name}.parquet") for name in TABLES}
    assert {file.table: file.rows for file in done.files} == {
        name: len(table) for name, table in tables.items()
    }
    rows = {name: table.to_pylist() for name, table in tables.items()}
    events = [(row["span_id"], row["name"], row["time_ns"]) for row in rows["span_events"]]
    assert events == [
        (one.span_id, event.name, event.time_ns) for one in kept[0] for event in one.events
    ]
    assert [row["linked_span_id"] for row in rows["span_links"]] == [
        link.span_id for one in kept[0] for link in one.links
    ]
    by_name = {"attributes": from_json, "resource": from_json, "body": from_json}
    for records, table in ((kept[0], "spans"), (kept[1], "logs")):
        for record, row in zip(records, rows[table], strict=True):
            for name, value in row.items():
                read = by_name.get(name, lambda raw: raw)(value)
                assert read == getattr(record, name), name
    by_id = {row["decision_id"]: row for row in rows["decisions"]}
    assert len(by_id) == len(kept[2]) == world.FLOWS
    for decision in kept[2]:
        row = by_id[decision.decision_id]
        known = {name: row[name] for name in Decision.__slots__ if name != "record"}
        assert Decision(**known, record=from_json(row["record"])) == decision
    (incident,) = kept[3]
    assert rows["incidents"][0]["flow_ids"] == list(incident.flow_ids)
    assert len(rows["rejects"]) == len(kept[4])


def test_parquet_bytes_follow_the_data_alone(tmp_path: Path) -> None:
    spans = [span(n) for n in range(1, 20)]
    one = write(tmp_path / "one.duckdb", spans=spans, logs=[log(1), log(2)])
    two = write(tmp_path / "two.duckdb", spans=spans[::-1], logs=[log(2), log(1)])
    export_parquet(one, tmp_path / "1")
    export_parquet(two, tmp_path / "2")
    export_parquet(one, tmp_path / "1")
    for name in TABLES:
        file = f"{name}.parquet"
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "2" / file).read_bytes(), name
    assert {path.name for path in (tmp_path / "1").iterdir()} == {f"{n}.parquet" for n in TABLES}
    metadata = pq.read_metadata(tmp_path / "1" / "spans.parquet")
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert metadata.metadata[b"format"] == b"retrospan.parquet/1"


def test_every_recorded_table_is_exported(tmp_path: Path) -> None:
    """`traces` is left out: it repeats where in time the spans of each trace lie. So are leaves of
    decisions: their salts hide what was redacted, and proofs travel by `decisions prove`. Files
    given for an incident travel in its bundle."""
    store = write(tmp_path / "a.duckdb")
    with store.lease("test") as session:
        tables = {name for (name,) in session.rows("read/tables")}
    assert set(TABLES) == tables - CONCLUDED - {"traces", "decision_leaves", "incident_inputs"}
