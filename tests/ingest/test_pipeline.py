"""From paths to the store: what is good is stored, what is bad is told in one line."""

import gzip
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from ingest.limits import Limits
from ingest.pipeline import IngestSettings, Progress, ingest_paths
from ingest.report import IngestReport
from store import read as stored
from store.errors import UsageError
from store.lease import Session, Store
from store.model import Batch, BatchCounts, Span
from store.write import write_batch

T0 = 1_700_000_000_000_000_000
KEY = b"a key for tests only"


def line(number: int, **fields: Any) -> str:
    span = {
        "traceId": f"{number // 4 + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": f"span {number}",
        "startTimeUnixNano": str(T0 + number),
        "endTimeUnixNano": str(T0 + number + 1),
        **fields,
    }
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


def lines(count: int) -> str:
    return "".join(f"{line(number)}\n" for number in range(count))


def decision(number: int) -> str:
    record = {"schema": "retrospan.decision/1", "decision_id": f"d{number}", "chosen": "x"}
    return json.dumps({**record, "time": "2026-11-22T00:00:00Z"}) + "\n"


def decisions(count: int) -> str:
    return "".join(map(decision, range(count)))


def spans_in(store: Store) -> list[Span]:
    with store.lease("test") as session:
        return stored.read_spans(session)


def told(report: IngestReport) -> list[tuple[str, str]]:
    return [(kept.record, kept.reason) for file in report.files for kept in file.rejected]


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    path = tmp_path / "traces.jsonl"
    path.write_text(lines(10))
    return path


def test_a_file_is_loaded_and_loaded_again_without_effect(
    store: Store, settings: IngestSettings, traces: Path
) -> None:
    first = ingest_paths(store, [str(traces)], settings)
    again = ingest_paths(store, [str(traces)], settings)
    assert (first.total("spans"), first.has_bad_input) == (10, False)
    assert (again.total("spans"), again.total("duplicates")) == (0, 10)
    assert sorted(span.name for span in spans_in(store)) == sorted(f"span {n}" for n in range(10))


def test_the_document_has_the_fields_of_the_contract(
    store: Store, settings: IngestSettings, traces: Path
) -> None:
    (traces.parent / "d.jsonl").write_text(decision(1) + "{oops\n")
    paths = [str(traces), str(traces.parent / "d.jsonl")]
    document = ingest_paths(store, paths, settings).to_document()
    assert json.loads(json.dumps(document)) == {
        "schema": "retrospan.ingest/1",
        "files": [
            {
                "path": paths[0],
                "format": "otlp_json",
                "spans": 10,
                "logs": 0,
                "decisions": 0,
                "metrics": 0,
                "duplicates": 0,
                "superseded": 0,
                "truncated": 0,
                "rejected": [],
                "rejected_count": 0,
            },
            {
                "path": paths[1],
                "format": "decisions",
                "spans": 0,
                "logs": 0,
                "decisions": 1,
                "metrics": 0,
                "duplicates": 0,
                "superseded": 0,
                "truncated": 0,
                "rejected": [
                    {"record": "line 2", "reason": "the input ends inside a JSON document"}
                ],
                "rejected_count": 1,
            },
        ],
        "skipped": [],
        "spans": 10,
        "logs": 0,
        "decisions": 1,
        "metrics": 0,
        "duplicates": 0,
        "superseded": 0,
        "truncated": 0,
        "rejected": 1,
    }


@pytest.mark.parametrize("per_batch", [3, 10])
def test_small_batches_store_the_same_as_large_ones(
    store: Store, traces: Path, per_batch: int
) -> None:
    settings = IngestSettings(redaction_key=KEY, records_per_batch=per_batch)
    report = ingest_paths(store, [str(traces)], settings)
    assert report.total("spans") == len(spans_in(store)) == 10


def test_a_batch_ends_at_its_bytes_too(
    monkeypatch: pytest.MonkeyPatch, store: Store, traces: Path
) -> None:
    batches: list[Batch] = []

    def kept(session: Session, batch: Batch) -> BatchCounts:
        batches.append(batch)
        return write_batch(session, batch)

    monkeypatch.setattr("ingest.pipeline.write_batch", kept)
    traces.write_text(lines(3))
    settings = IngestSettings(redaction_key=KEY, bytes_per_batch=100)
    assert ingest_paths(store, [str(traces)], settings).total("spans") == 3
    assert [sum(map(len, batch.encoded)) for batch in batches] == [1, 1, 1]
    assert len({batch.content_sha256 for batch in batches}) == 3


def test_progress_is_told_by_input_records_and_bytes(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.progress.RECORDS_BETWEEN", 4)
    one, other = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(decisions(10))
    other.write_text(decisions(3))
    sizes = [path.stat().st_size for path in (one, other)]
    seen: list[Progress] = []
    settings = IngestSettings(redaction_key=KEY)
    for _ in range(2):
        ingest_paths(store, [str(one), str(other)], settings, seen.append)
    told = [(at.number, at.inputs, at.path, at.records) for at in seen[:4]]
    assert told == [(1, 2, str(one), n) for n in (4, 8, 10)] + [(2, 2, str(other), 3)]
    assert [at.bytes_read for at in seen[2:4]] == [sizes[0], sum(sizes)]
    assert {at.bytes_total for at in seen} == {sum(sizes)}
    assert [at.records for at in seen[4:]] == [10, 3]  # known inputs are told at once


def test_what_can_be_read_only_once_has_no_total(store: Store) -> None:
    seen: list[Progress] = []
    stdin = io.BytesIO(decisions(2).encode())
    ingest_paths(store, ["-"], IngestSettings(redaction_key=KEY), seen.append, stdin)
    assert [(at.records, at.bytes_total) for at in seen] == [(2, None)]


def test_other_batch_sizes_never_make_the_ledger_lose_records(store: Store, tmp_path: Path) -> None:
    """A batch known under one size says nothing of a batch of another size."""
    path = tmp_path / "t.jsonl"
    path.write_text(lines(10))
    small = IngestSettings(redaction_key=KEY, records_per_batch=2)
    ingest_paths(store, [str(path)], small)
    report = ingest_paths(store, [str(path)], IngestSettings(redaction_key=KEY))
    assert report.total("duplicates") == 10
    assert len(spans_in(store)) == 10


def test_a_malformed_line_is_told_and_the_rest_is_stored(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(f"{line(0)}\nnot json at all\n{line(1)}\n")
    report = ingest_paths(store, [str(path)], settings)
    assert report.has_bad_input
    assert len(spans_in(store)) == 2
    assert report.problems() == [f"{path}: line 2: not JSON: invalid character (byte 4)"]
    with store.lease("test") as session:
        (kept,) = stored.read_rejects(session)
    assert (kept.record, kept.excerpt) == ("line 2", "not json at all")


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compression_is_known_by_its_bytes_not_by_its_name(
    store: Store, settings: IngestSettings, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "t.jsonl"
    half = lines(5).encode()
    path.write_bytes(compress(half) + compress(f"{line(7)}\n".encode()))
    assert ingest_paths(store, [str(path)], settings).total("spans") == 6


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("indent", [None, 2])
def test_what_came_before_a_truncation_is_stored(
    store: Store, settings: IngestSettings, tmp_path: Path, indent: int | None, kind: str
) -> None:
    texts = [json.dumps(json.loads(line(n)), indent=indent) + "\n" for n in range(4_000)]
    data = "".join(texts).encode()
    whole = gzip.compress(data, mtime=0) if kind == "gzip" else zstandard.compress(data)
    path = tmp_path / "t.jsonl.packed"
    path.write_bytes(whole[: len(whole) // 2])
    report = ingest_paths(store, [str(path)], settings)
    count = len(spans_in(store))
    assert 100 < count < 4_000
    assert report.total("spans") == count
    assert told(report) == [("whole file", f"{kind} data ends early: the file is truncated")]


BAD_FILES = [
    (b"", "the file is empty"),
    (b" \n\t\n", "the file is empty"),
    (gzip.compress(b""), "the file is empty"),
    (b"\x1f\x8b\x08", "gzip data ends early: the file is truncated"),
    (b"\x1f\x8b\x08\0garbage that is no gzip", "gzip data"),
    (zstandard.compress(b""), "the file is empty"),
    (b"\x28\xb5\x2f\xfd\x04", "zstd data ends early: the file is truncated"),
    (b"\x28\xb5\x2f\xfdgarbage that is no zstd", "zstd data is damaged ("),
    (zstandard.compress(lines(1).encode()) + b"tail", "data of another kind follows the zstd"),
    (gzip.compress(lines(1).encode()) + b"tail", "data of another kind follows the gzip data"),
    (b"PAR1\x15\x04\x15", "not Parquet: "),
    (b"\n\x9f\x01\n\x10\0\0", "this looks like OTLP protobuf; the formats that are read:"),
    (b"just words", "this looks like text of an unknown kind"),
]


def test_a_bad_file_is_told_in_one_line_and_loses_no_other(
    store: Store, settings: IngestSettings, traces: Path, tmp_path: Path
) -> None:
    paths = [str(traces)]
    for number, (data, _) in enumerate(BAD_FILES):
        path = tmp_path / f"bad-{number}.json"
        path.write_bytes(data)
        paths.insert(number, str(path))
    report = ingest_paths(store, paths, settings)
    problems = report.problems()
    assert len(problems) == len(BAD_FILES)
    for problem, path_name, (_, reason) in zip(problems, paths, BAD_FILES, strict=False):
        assert problem.startswith(f"{path_name}: whole file: {reason}")
    assert len(spans_in(store)) == 10


def test_a_missing_file_is_told_and_makes_no_store(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    report = ingest_paths(store, [str(tmp_path / "none.json")], settings)
    assert told(report) == [("whole file", "cannot be read: No such file or directory")]
    assert not store.path.exists()


def test_a_folder_is_walked_in_order_and_files_that_are_no_data_are_skipped(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "incident"
    (folder / "b").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "x.json").write_text("{")
    (folder / ".hidden.json").write_text("{")
    (folder / "README.md").write_text(f"An example:\n{line(9)}\n")
    (folder / "expected.toml").write_text("x = 1\n")
    (folder / "LICENSE").write_text("words\n")
    (folder / "traces.jsonl").write_text(lines(3))
    (folder / "b" / "decisions.jsonl").write_text(decision(1))
    (folder / "b" / "other.json").write_text('{"a": 1}')
    report = ingest_paths(store, [str(folder)], settings)
    names = [str(Path(file.path).relative_to(folder)) for file in report.files]
    skipped = {Path(file.path).name: file.reason for file in report.skipped}
    assert names == ["traces.jsonl", "b/decisions.jsonl", "b/other.json"]
    assert sorted(skipped) == ["LICENSE", "README.md", "expected.toml"]
    assert skipped["README.md"] == ".md files are no data"
    assert [reason[:40] for _, reason in told(report)] == [
        "this looks like JSON of an unknown kind;"
    ]
    assert (report.total("spans"), report.total("decisions")) == (3, 1)


def test_the_store_is_no_input_of_its_own(
    store: Store, settings: IngestSettings, traces: Path
) -> None:
    """Opening and closing it while it is written would let other processes in."""
    for expected in (10, 0):
        report = ingest_paths(store, [str(traces), str(store.path)], settings)
        assert report.total("spans") == expected
        assert not report.has_bad_input
        assert [file.reason for file in report.skipped] == ["it is the store itself"]


def test_a_load_does_not_import_pandas(traces: Path) -> None:
    """It takes longer than most loads; pyarrow imports it with the first array it makes."""
    program = (
        "import sys; from pathlib import Path; from store.lease import Store; "
        "from ingest.pipeline import IngestSettings, ingest_paths; "
        "store = Store(Path(sys.argv[1]).with_name('s.duckdb')); "
        "settings = IngestSettings(redaction_key=b'a key for tests only'); "
        "assert ingest_paths(store, [sys.argv[1]], settings).total('spans') == 10; "
        "sys.exit('pandas.core' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(traces)], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_reading_raises_ends_the_load(
    monkeypatch: pytest.MonkeyPatch, store: Store, settings: IngestSettings, traces: Path
) -> None:
    """Reading happens on a thread of its own; nothing of it may be lost there."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug in a reader")

    monkeypatch.setattr("ingest.readers.otlp_json.OtlpJsonReader.read_columns", broken)
    with pytest.raises(RuntimeError, match="a bug in a reader"):
        ingest_paths(store, [str(traces)], settings)
    assert not [t for t in threading.enumerate() if t.name == "retrospan-ahead"]


def test_a_file_that_is_no_data_is_refused_when_it_is_named(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    path = tmp_path / "expected.toml"
    path.write_text("x = 1\n")
    assert ingest_paths(store, [str(path)], settings).has_bad_input


def test_standard_input_is_read_and_read_again_without_effect(
    store: Store, settings: IngestSettings
) -> None:
    for expected in (5, 0):
        stdin = io.BytesIO(gzip.compress(lines(5).encode()))
        report = ingest_paths(store, ["-"], settings, stdin=stdin)
        assert (report.files[0].path, report.total("spans")) == ("-", expected)


def test_a_named_format_overrides_the_sniffing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(lines(1))
    settings = IngestSettings(redaction_key=KEY, format="decisions")
    report = ingest_paths(store, [str(path)], settings)
    assert [file.format for file in report.files] == ["decisions"]
    assert "schema is 'None'" in told(report)[0][1]
    wrong = IngestSettings(redaction_key=KEY, format="jaeger")
    with pytest.raises(UsageError, match="unknown format 'jaeger'"):
        ingest_paths(store, [str(path)], wrong)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_bomb_stops_at_its_limit(
    store: Store, tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "t.jsonl.packed"
    path.write_bytes(compress(lines(3).encode() + b" " * 50_000_000))
    limits = Limits(decompressed_bytes=4_000_000)
    settings = IngestSettings(redaction_key=KEY, limits=limits)
    report = ingest_paths(store, [str(path)], settings)
    reason = "decompressed size passes the limit decompressed_bytes = 4000000"
    assert told(report) == [("whole file", reason)]
    assert report.total("spans") == 3


def test_rejected_records_are_listed_up_to_a_limit_and_all_counted(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(0) + "\n" + "oops\n" * 50)
    settings = IngestSettings(redaction_key=KEY, rejected_listed_max=10)
    (file,) = ingest_paths(store, [str(path)], settings).files
    assert (len(file.rejected), file.rejected_count) == (10, 50)


def test_a_cut_attribute_is_counted(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(line(0, attributes=[{"key": "a", "value": {"stringValue": "x" * 99}}]))
    limits = Limits(attribute_chars=10)
    settings = IngestSettings(redaction_key=KEY, limits=limits)
    report = ingest_paths(store, [str(path)], settings)
    assert (report.total("truncated"), report.has_bad_input) == (1, False)


def test_no_secret_reaches_a_byte_of_the_store(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    secret = "hunter2hunter2"
    attributes = [
        {"key": "password", "value": {"stringValue": secret}},
        {"key": "http.request.body.content", "value": {"stringValue": f'{{"token":"{secret}"}}'}},
    ]
    path.write_text(line(0, name=f"password={secret}", attributes=attributes) + "\n")
    with path.open("a") as more:
        more.write(f'{{"password": "{secret}", oops\n')
    ingest_paths(store, [str(path)], settings)
    (span,) = spans_in(store)
    assert "[redacted:" in span.name
    for file in store.path.parent.iterdir():
        if file != path:
            assert secret.encode() not in file.read_bytes()


def test_many_small_files_share_leases(
    monkeypatch: pytest.MonkeyPatch, store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.json").write_text(line(number))
    purposes: list[str] = []
    lease = Store.lease

    def counted(self: Store, purpose: str, *, create: bool = False) -> Any:
        purposes.append(purpose)
        return lease(self, purpose, create=create)

    monkeypatch.setattr(Store, "lease", counted)
    report = ingest_paths(store, [str(tmp_path)], settings)
    assert report.total("spans") == 30
    assert purposes == ["ingest"]
