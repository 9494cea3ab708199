"""Parquet files hold what the store holds, as another program reads them."""

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ingest.pipeline import IngestSettings, ingest_paths
from ingest.redact import Redactor
from retrospan.export import parts
from retrospan.export.parquet import TABLES, export_parquet
from store.lease import Store
from store.model import Batch, Decision, Rejected, SpanEvent, SpanLink
from store.read import (
    counts,
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
    for one, row in zip(kept[0], rows["spans"], strict=True):
        events = [(event["name"], event["time_ns"]) for event in row.pop("events")]
        assert events == [(event.name, event.time_ns) for event in one.events]
        assert [link["span_id"] for link in row.pop("links")] == [it.span_id for it in one.links]
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
    assert metadata.metadata[b"format"] == b"retrospan.parquet/2"


def test_every_recorded_table_is_exported(tmp_path: Path) -> None:
    """`traces` is left out: it repeats where in time the spans of each trace lie. So are leaves of
    decisions: their salts hide what was redacted, and proofs travel by `decisions prove`. Files
    given for an incident travel in its bundle."""
    store = write(tmp_path / "a.duckdb")
    with store.lease("test") as session:
        tables = {name for (name,) in session.rows("read/tables")}
    elsewhere = {"traces", "decision_leaves", "incident_inputs", "span_events", "span_links"}
    assert set(TABLES) == tables - CONCLUDED - elsewhere


def test_what_was_exported_and_read_again_differs_in_nothing(tmp_path: Path, db: Path) -> None:
    """The tables of the loads themselves name other files; what was refused says from where."""
    spans = [
        span(
            number,
            trace=9,
            parent_span_id=f"{2**64 - 1:016x}",
            end_ns=None if number % 3 else number,
            status="error",
            status_message="no",
            trace_state="ot=th:8",
            scope_name="library",
            scope_version="1",
            attributes={"n": number, "x": math.inf, "raw": b"\xff", "$double": ["a", None, {}]},
            resource={"service.name": "shop", "password": "Tr0ub4dor&3"},
            service="shop",
            events=tuple(
                SpanEvent(name=name, time_ns=time_ns, attributes={"of": name})
                for name, time_ns in (("late", 9), ("early", 1), ("late", 9))
            ),
            links=(
                SpanLink(trace_id=f"{number:032x}", span_id=f"{number:016x}", attributes={"a": 1}),
                SpanLink(trace_id=f"{7:032x}", span_id=f"{8:016x}"),
            ),
        )
        for number in range(1, 20)
    ]
    settings = IngestSettings(redaction_key=b"k" * 32)
    spans = [Redactor(settings.redaction_key).span(one) for one in spans]
    store, again = Store(db), Store(tmp_path / "again.duckdb")
    with store.lease("test") as session:
        key: dict[str, Any] = {"source": "more", "content_sha256": "1:0"}
        key |= {"reader": "hand/1", "rules_sha256": "0"}
        logs = [log(n, body={"n": [float(n), b"x"]}, event_name="e") for n in range(9)]
        refused = [Rejected(record="line 3", reason="cut", excerpt="{")]
        write_batch(session, Batch(**key, spans=spans, logs=logs, rejected=refused))
    export_parquet(store, tmp_path / "1")
    report = ingest_paths(again, [str(tmp_path / "1")], settings)
    assert {Path(file.path).stem for file in report.files} == set(TABLES)
    assert {Path(file.path).stem for file in report.files if file.rejected_count} == {"rejects"}
    export_parquet(again, tmp_path / "2")
    for name in ("spans", "logs", "decisions", "incidents"):
        first, second = (pq.read_table(tmp_path / it / f"{name}.parquet") for it in "12")
        assert first.num_rows > 0
        assert first.equals(second, check_metadata=True), name
    with again.reading("test") as session:
        told = {(it.record, it.reason, it.excerpt) for it in read_rejects(session)}
    assert ("line 3 of more", "cut", "{") in told
    ingest_paths(again, [str(tmp_path / "1")], settings)
    with again.reading("test") as session:
        assert counts(session).spans == pq.read_metadata(tmp_path / "1/spans.parquet").num_rows
