"""What is exported and read again differs in nothing.

Records at a reader's limits (a thousand attributes, texts of a megabyte) are left out: there a
second reading cuts again, which the export tells as a difference.
"""

import gzip
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.otlp.documents import Walker
from ingest.pipeline import IngestSettings, ingest_paths
from retrospan.export import parts
from retrospan.export.otlp import logs_document, spans_document
from retrospan.export.otlp_file import export_otlp
from retrospan.export.parquet import export_parquet
from store.errors import DataError, NotFoundError, UsageError
from store.lease import Store
from store.model import Decision, LogRecord, Span, SpanEvent, SpanLink
from store.read import (
    counts,
    read_logs,
    read_spans,
)
from store.values import to_json
from tests.retrospan.conftest import Command
from tests.retrospan.records import log, span, write

NS = st.integers(1, 2**63 - 1)
TRACE_IDS = st.sampled_from([f"{n:032x}" for n in (1, 2, 2**127)])
SPAN_IDS = st.integers(1, 2**64 - 1).map(lambda n: f"{n:016x}")
TEXT = st.text(max_size=6)
DOUBLES = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1e300, 3.0])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | DOUBLES
    | TEXT
    | st.binary(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
NAMES = TEXT | st.sampled_from(["http.route", "retrospan.flow.id", "otel.scope.x", 'a"b', "$bytes"])
ATTRIBUTES = st.dictionaries(NAMES, VALUES, max_size=5)
RESOURCES = st.dictionaries(TEXT, VALUES, max_size=3)
EVENTS = st.builds(SpanEvent, name=TEXT, time_ns=NS, attributes=ATTRIBUTES)
LINKS = st.builds(SpanLink, trace_id=TRACE_IDS, span_id=SPAN_IDS, attributes=ATTRIBUTES)
SPANS = st.builds(
    Span,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    parent_span_id=st.none() | SPAN_IDS,
    name=TEXT,
    kind=st.sampled_from(["unspecified", "internal", "server", "client", "producer", "consumer"]),
    service=st.sampled_from(["unknown_service", "orders", "pay"]),
    start_ns=NS,
    end_ns=st.none() | NS,
    status=st.sampled_from(["unset", "ok", "error"]),
    status_message=TEXT,
    trace_state=TEXT,
    attributes=ATTRIBUTES,
    resource=RESOURCES,
    scope_name=TEXT,
    scope_version=TEXT,
    events=st.lists(EVENTS, max_size=2).map(tuple),
    links=st.lists(LINKS, max_size=2).map(tuple),
)
LOGS = st.builds(
    LogRecord,
    time_ns=NS,
    observed_ns=NS,
    trace_id=st.none() | TRACE_IDS,
    span_id=st.none() | SPAN_IDS,
    severity_number=st.integers(0, 24),
    severity_text=TEXT,
    event_name=TEXT,
    body=VALUES,
    service=st.sampled_from(["unknown_service", "orders", "pay"]),
    attributes=ATTRIBUTES,
    resource=RESOURCES,
)


def as_read(record: Any) -> Any:
    """With the service in the resource, where readers take it from."""
    if record.service == "unknown_service":
        return record
    return replace(record, resource={**record.resource, "service.name": record.service})


def content(store: Store) -> list[str]:
    """All spans and logs of a store."""
    with store.lease("test") as session:
        return as_text([*read_spans(session), *read_logs(session)])


def read_again(file: Path, path: Path) -> Store:
    store = Store(path)
    report = ingest_paths(store, [str(file)], IngestSettings(redaction_key=b"k" * 32, redact=False))
    assert not report.has_bad_input
    return store


def as_text(records: Sequence[Span | LogRecord]) -> list[str]:
    """Text in which NaN equals NaN and 1 is not 1.0."""

    def fields(record: Any) -> dict[str, Any]:
        found = {name: getattr(record, name) for name in record.__slots__}
        for name in ("events", "links"):
            if name in found:
                found[name] = [fields(item) for item in found[name]]
        return found

    return sorted(to_json(fields(record)) for record in records)


@given(st.lists(SPANS.map(as_read), max_size=4), st.lists(LOGS.map(as_read), max_size=3))
def test_records_written_as_otlp_and_read_again_are_equal(
    spans: list[Span], logs: list[LogRecord]
) -> None:
    line = msgspec.json.encode({**spans_document(spans), **logs_document(logs)})
    read = list(Walker(Limits()).walk(msgspec.json.decode(line), "line"))
    assert as_text(read) == as_text([*spans, *logs])  # type: ignore[arg-type]


@settings(deadline=None, max_examples=4, phases=[Phase.generate], derandomize=True)
@given(
    st.lists(SPANS.map(as_read), min_size=2, max_size=4),
    st.lists(LOGS.map(as_read), min_size=2, max_size=4),
)
def test_a_store_exported_and_loaded_into_another_differs_in_nothing(
    spans: list[Span], logs: list[LogRecord]
) -> None:
    with TemporaryDirectory() as folder:
        first = write(Path(folder, "a.duckdb"), spans=spans, logs=logs)
        assert not export_otlp(first, Path(folder, "a.jsonl")).differing
        second = read_again(Path(folder, "a.jsonl"), Path(folder, "b.duckdb"))
        assert content(second) == content(first)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_equal_stores_give_equal_bytes_whatever_the_order_of_loading(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS_PER_PART", 3)
    monkeypatch.setattr("retrospan.export.parts.SPANS_PER_LEASE", 4)
    spans = [span(n, trace=n % 5) for n in range(1, 30) if n % 5]
    logs = [log(n) for n in range(1, 12)] + [log(2**63 - 1), log(3, trace_id=f"{9:032x}")]
    one = write(tmp_path / "one.duckdb", spans=spans, logs=logs)
    two = write(tmp_path / "two.duckdb", spans=spans[::-1], logs=logs[::-1])
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    done = export_otlp(one, tmp_path / "1" / name)
    export_otlp(two, tmp_path / "2" / name)
    assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    assert [(file.table, file.rows) for file in done.files] == [("spans", 24), ("logs", 13)]
    assert not done.changed_meanwhile
    assert content(read_again(tmp_path / "1" / name, tmp_path / "again.duckdb")) == content(one)
    assert (tmp_path / "1" / name).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in (tmp_path / "1").iterdir()} == {name}


def test_a_record_that_does_not_come_back_equal_is_named(tmp_path: Path, command: Command) -> None:
    odd = [span(1), span(2, attributes={"n": 2**64 - 1}), span(3, service="told elsewhere")]
    write(Path("retrospan.duckdb"), spans=odd, logs=[log(0, observed_ns=5)])
    said = command("export", "otlp", "-o", "a.jsonl", "--json")
    assert said.code == 4
    assert said.document["differing"] == [
        f"span {1:032x} {2:016x}",
        f"span {1:032x} {3:016x}",
        "log without trace 0",
    ]
    assert said.document["differing_count"] == 3


def test_an_empty_store_gives_a_file_that_can_be_loaded(tmp_path: Path) -> None:
    export_otlp(write(tmp_path / "a.duckdb"), tmp_path / "a.jsonl")
    with read_again(tmp_path / "a.jsonl", tmp_path / "b.duckdb").lease("test") as session:
        assert counts(session).spans == 0


@pytest.mark.usefixtures("sample")
def test_some_flows_are_exported_without_what_belongs_to_others(command: Command) -> None:
    flows = command("flows", "list", "--json").document["flows"]
    chosen = flows[0]
    said = command("export", "otlp", "-o", "one.jsonl", "--flow", chosen["flow_id"], "--json")
    assert said.code == 0, said.err
    assert command("--db", "one.duckdb", "ingest", "one.jsonl").code == 0
    (alone,) = command("--db", "one.duckdb", "flows", "list", "--json").document["flows"]
    for name in ("flow_id", "outcome", "span_count", "step_count", "attempt_count"):
        assert alone[name] == chosen[name]
    said = command("export", "otlp", "-o", "one.jsonl", "--flow", "flow-77")
    assert (said.code, "flow-77" in said.err) == (4, True)


@pytest.fixture(scope="session")
def _sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three flows of a recorded incident, as `retrospan ingest` loads them."""
    folder = tmp_path_factory.mktemp("sample")
    file = folder / "traces.jsonl"
    recorded = Path(__file__).parents[2] / "sample_traces" / "payment-healthy"
    with gzip.open(recorded / "traces.jsonl.gz", "rt") as stream:
        lines = [line for line, _ in zip(stream, range(40), strict=False)]
    file.write_text("".join(lines))
    return file


@pytest.fixture
def sample(_sample: Path, command: Command) -> None:
    assert command("ingest", _sample).code == 0


def test_an_output_that_cannot_be_written_is_told_and_nothing_half_is_left(
    tmp_path: Path,
) -> None:
    store = write(tmp_path / "a.duckdb", spans=[span(1)])
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        export_otlp(store, tmp_path / "nowhere" / "a.jsonl")
    with pytest.raises(DataError, match="cannot be made"):
        export_parquet(store, tmp_path / "file")
    with pytest.raises(UsageError, match="jsonl"):
        export_otlp(store, tmp_path / "a.txt")
    with pytest.raises(NotFoundError, match="flow-1"):
        export_otlp(store, tmp_path / "a.jsonl", ["flow-1"])
    assert not list(tmp_path.glob("*.part"))
    assert not (tmp_path / "a.jsonl").exists()


def test_data_that_came_in_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = write(tmp_path / "a.duckdb", spans=[span(1)])
    seen = iter((1, 2))
    monkeypatch.setattr("retrospan.export.otlp_file.generation", lambda store: next(seen))
    done = export_otlp(store, tmp_path / "a.jsonl")
    assert done.changed_meanwhile
    assert json.loads((tmp_path / "a.jsonl").read_text())["resourceSpans"]


def test_decisions_of_the_log_are_told_to_be_left_out(tmp_path: Path) -> None:
    decisions = [Decision(decision_id=f"d{n}", time_ns=n, chosen="a") for n in range(3)]
    store = write(tmp_path / "a.duckdb", spans=[span(1)], decisions=decisions)
    (told,) = export_otlp(store, tmp_path / "a.jsonl").left_out
    assert told.startswith("3 decisions of the log")
    assert (
        export_otlp(write(tmp_path / "b.duckdb", spans=[span(1)]), tmp_path / "b.jsonl").left_out
        == []
    )
