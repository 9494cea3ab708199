"""Data made by others is read whole; each record that is refused is listed here."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.kinds import kind_of
from ingest.limits import Limits
from ingest.reader import HEAD_BYTES, Item, MetricsSeen, claimant, discover
from store.model import LogRecord, Rejected, Span
from tests.third_party import corpora_folder

pytestmark = pytest.mark.corpora

# Files of which something is refused, by the end of their path: (record, beginning of the reason).
REFUSED: dict[str, list[tuple[str, str]]] = {
    "duckdb-otlp/test/data/malformed.jsonl": [
        ("line 1", "no OTLP data: has invalid"),
        ("line 2", "not JSON"),
        ("line 4", "the input ends inside a JSON document"),
    ],
    "duckdb-otlp/test/data/multifile_malformed_traces.jsonl": [
        ("line 1", "a JSON string is not closed"),
    ],
    "duckdb-otlp/test/data/traces_deep_nesting.jsonl": [
        (
            "line 1 resourceSpans[0].scopeSpans[0].spans[0].links[0]",
            "trace id is missing, empty or all zero",
        ),
    ],
    "duckdb-otlp/test/data/ts_overflow_logs.jsonl": [
        (
            "line 1 resourceLogs[0].scopeLogs[0].logRecords[0]",
            "time 18446744073709551000 is past the year 2262",
        ),
    ],
    "testdata/invalid/log_invalid_severity.json": [
        ("line 1 resourceLogs[0].scopeLogs[0].logRecords[0]", "unknown severity"),
    ],
    "testdata/invalid/malformed.json": [("line 1", "the input ends inside a JSON document")],
    "testdata/invalid/trace_invalid_kind.json": [
        ("line 1 resourceSpans[0].scopeSpans[0].spans[0]", "unknown span kind"),
    ],
}
# Records of REFUSED that an independent count sees as spans or logs.
REFUSED_SPANS = {"testdata/invalid/trace_invalid_kind.json": 1}
REFUSED_LOGS = {
    "duckdb-otlp/test/data/ts_overflow_logs.jsonl": 1,
    "testdata/invalid/log_invalid_severity.json": 1,
}
# Files no reader claims, by suffix or by the end of their path, with the name they are called.
NOT_READ = {
    ".md": "text of an unknown kind",
}
# Read as well, and counted by tests of their own: they are no text.
ELSEWHERE = (".parquet",)
PROTOBUF = (".pb", ".otlp")
# What the protobuf files hold: spans, log records, metric points. Those with a twin in JSON are
# also compared with it.
IN_PROTOBUF = {
    "samples/logs.pb": (0, 1, 0),
    "samples/metrics.pb": (0, 0, 1),
    "samples/traces.pb": (1, 0, 0),
    "otap/logs-initial.otlp": (0, 3, 0),
    "otap/metrics-initial.otlp": (0, 0, 5),
    "otap/traces-initial.otlp": (1, 0, 0),
    "data/otlp_logs.pb": (0, 1, 0),
    "data/otlp_metrics.pb": (0, 0, 1),
    "data/otlp_traces.pb": (1, 0, 0),
    "testdata/logs.pb": (0, 81, 0),
    "testdata/metrics_exponential_histogram.pb": (0, 0, 2),
    "testdata/metrics_gauge.pb": (0, 0, 3),
    "testdata/metrics_histogram.pb": (0, 0, 3),
    "testdata/metrics_mixed.pb": (0, 0, 3),
    "testdata/metrics_sum.pb": (0, 0, 4),
    "testdata/metrics_summary.pb": (0, 0, 2),
    "testdata/trace.pb": (2, 0, 0),
    "testdata/traces.pb": (19, 0, 0),
}
TWINS = {
    "trace.pb": "trace.json",
    "traces.pb": "traces.jsonl",
    "logs.pb": "logs.jsonl",
    **{
        f"metrics_{kind}.pb": f"metrics_{kind}.json"
        for kind in ("exponential_histogram", "gauge", "histogram", "mixed", "sum", "summary")
    },
}
EMPTY = ("data/empty.jsonl", "data/whitespace.jsonl")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """Every OTLP file of the corpora and of the recorded workflows beside them."""
    corpora = corpora_folder()
    found = sorted(path for path in (corpora / "otlp").rglob("*") if path.is_file())
    found += sorted((corpora.parent / "recordings" / "temporal").glob("otlp_*.json"))
    assert len(found) > 100
    return found


def of(table: dict[str, Any], path: Path) -> Any:
    """The entry whose key the path ends with."""
    return next((value for end, value in table.items() if str(path).endswith(end)), None)


def read_all(path: Path) -> list[Item]:
    data = path.read_bytes()
    reader = claimant(data[:HEAD_BYTES], discover())
    assert reader is not None, path
    return list(reader.read(io.BytesIO(data), Limits()))


def claimed(files: list[Path]) -> Iterator[Path]:
    for path in files:
        if of(NOT_READ, path) is None and not str(path).endswith((*EMPTY, *ELSEWHERE)):
            yield path


def counted(value: Any, key: str) -> int:
    """How many elements lists of this name hold, anywhere: knows nothing of OTLP."""
    if isinstance(value, list):
        return sum(counted(item, key) for item in value)
    if not isinstance(value, dict):
        return 0
    own = value.get(key)
    here = len(own) if isinstance(own, list) else 0
    return here + sum(counted(item, key) for item in value.values())


def expected(path: Path, key: str) -> int:
    text = path.read_text()
    try:
        return counted(json.loads(text), key)
    except ValueError:
        total = 0
        for line in text.splitlines():
            try:
                total += counted(json.loads(line), key)
            except ValueError:
                continue
        return total


def test_every_span_and_log_of_every_file_is_read(files: list[Path]) -> None:
    wrong = {}
    total = 0
    for path in claimed(files):
        if path.suffix in PROTOBUF:
            continue
        items = read_all(path)
        spans = sum(isinstance(item, Span) for item in items)
        logs = sum(isinstance(item, LogRecord) for item in items)
        want = (
            expected(path, "spans") - (of(REFUSED_SPANS, path) or 0),
            expected(path, "logRecords") - (of(REFUSED_LOGS, path) or 0),
        )
        total += spans
        if (spans, logs) != want:
            wrong[str(path)] = ((spans, logs), want)
    assert wrong == {}
    assert total > 100


def test_nothing_is_refused_that_is_not_listed(files: list[Path]) -> None:
    for path in claimed(files):
        found = [item for item in read_all(path) if isinstance(item, Rejected)]
        listed = of(REFUSED, path) or []
        assert [item.record for item in found] == [record for record, _ in listed], path
        for item, (_, reason) in zip(found, listed, strict=True):
            assert item.reason.startswith(reason), path


def test_every_listed_file_is_there(files: list[Path]) -> None:
    names = [str(path) for path in files]
    for end in (*REFUSED, *NOT_READ, *EMPTY):
        assert any(name.endswith(end) for name in names), end


def test_files_of_other_formats_are_called_by_their_name(files: list[Path]) -> None:
    for path in files:
        kind = of(NOT_READ, path)
        if kind is not None:
            head = path.read_bytes()[:HEAD_BYTES]
            assert claimant(head, discover()) is None, path
            assert kind_of(head, str(path)) == kind, path


def test_every_protobuf_file_holds_what_is_listed(files: list[Path]) -> None:
    found = {}
    for path in files:
        if path.suffix in PROTOBUF:
            items = read_all(path)
            points = sum(item.count for item in items if isinstance(item, MetricsSeen))
            spans = sum(isinstance(item, Span) for item in items)
            found[path] = (spans, sum(isinstance(item, LogRecord) for item in items), points)
            assert not any(isinstance(item, Rejected) for item in items), path
    assert len(found) == len(IN_PROTOBUF)
    assert all(of(IN_PROTOBUF, path) == counts for path, counts in found.items())


def test_protobuf_gives_the_records_of_its_twin_in_json(files: list[Path]) -> None:
    folder = next(path.parent for path in files if str(path).endswith("testdata/traces.pb"))
    for protobuf, text in TWINS.items():
        assert read_all(folder / protobuf) == read_all(folder / text), protobuf


def test_the_same_trace_is_equal_as_lines_and_as_one_document(files: list[Path]) -> None:
    """Says nothing of ids or enumerations: both files of this pair spell those alike."""
    (lines,) = [path for path in files if path.name == "otlp2jaeger-multi-in.json.txt"]
    (document,) = [path for path in files if path.name == "otlp2jaeger-multi-in-combined.json"]
    found = read_all(lines)
    spans = [item for item in read_all(document) if isinstance(item, Span)]
    assert len(spans) == 4
    assert spans == found
