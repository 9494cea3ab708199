"""What was loaded whole is told again without being decoded."""

import gzip
import io
import json
from pathlib import Path

import pytest

from ingest.pipeline import IngestSettings, ingest_paths
from ingest.readers.otlp_json import OtlpJsonReader
from ingest.report import IngestReport
from store import read as stored
from store.lease import Session, Store
from store.model import Batch, BatchCounts
from store.write import write_batch

T0 = 1_700_000_000_000_000_000
KEY = b"a key for tests only"


def line(number: int) -> str:
    span = {"traceId": f"{number + 1:032x}", "spanId": f"{number + 1:016x}", "name": "s"}
    times = {"startTimeUnixNano": str(T0), "endTimeUnixNano": str(T0 + 1)}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span | times]}]}]}) + "\n"


@pytest.fixture
def undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, reading any OTLP JSON fails the test."""

    def refuse(self: OtlpJsonReader, *_: object) -> None:
        raise AssertionError("a known input was read")

    monkeypatch.setattr(OtlpJsonReader, "read", refuse)
    monkeypatch.setattr(OtlpJsonReader, "read_columns", refuse)


def told(report: IngestReport) -> tuple[int, int, list[str]]:
    return report.total("spans"), report.total("duplicates"), report.problems()


def bad_and_good(folder: Path) -> list[str]:
    """A whole file, one with bad lines over several batches, one cut off, one of no format."""
    whole = gzip.compress("".join(map(line, range(900, 1900))).encode())
    contents = {
        "good.jsonl": b"".join(line(n).encode() for n in range(5)),
        "bad.jsonl": b"".join(
            line(n).encode() + b"oops password=hunter2hunter2\n" for n in range(20, 27)
        ),
        "cut.jsonl.gz": whole[: len(whole) // 2],
        "picture.png": b"\x89PNG\r\n",
        "empty.json": b"",
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [str(folder / name) for name in contents]


@pytest.mark.parametrize("per_batch", [3, 20_000])
def test_every_count_and_every_refusal_is_told_again(
    store: Store, tmp_path: Path, per_batch: int
) -> None:
    paths = bad_and_good(tmp_path)
    settings = IngestSettings(redaction_key=KEY, records_per_batch=per_batch)
    first = ingest_paths(store, paths, settings)
    again = ingest_paths(store, paths, settings)
    assert told(again) == (0, first.total("spans"), first.problems())
    assert first.total("rejected_count") == again.total("rejected_count") == 10
    assert again.has_bad_input
    assert [file.format for file in again.files] == [file.format for file in first.files]


def test_a_known_file_is_not_decoded(
    store: Store, settings: IngestSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    paths = bad_and_good(tmp_path)
    first = ingest_paths(store, paths, settings)
    request.getfixturevalue("undecodable")
    assert told(ingest_paths(store, paths, settings))[1:] == (
        first.total("spans"),
        first.problems(),
    )


def test_a_file_known_under_another_name_is_not_decoded(
    store: Store, settings: IngestSettings, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line(1))
    ingest_paths(store, [str(path)], settings)
    path = path.rename(tmp_path / "b.jsonl")
    request.getfixturevalue("undecodable")
    assert told(ingest_paths(store, [str(path)], settings)) == (0, 1, [])


def test_other_rules_and_a_grown_file_are_read(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line(1))
    ingest_paths(store, [str(path)], settings)
    unredacted = IngestSettings(redaction_key=KEY, redact=False)
    assert told(ingest_paths(store, [str(path)], unredacted)) == (0, 1, [])
    with path.open("a") as more:
        more.write(line(2))
    assert told(ingest_paths(store, [str(path)], settings)) == (1, 1, [])


def test_refusals_judged_anew_under_other_rules_are_still_told_under_the_first(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    paths = bad_and_good(tmp_path)
    first = ingest_paths(store, paths, settings)
    small = IngestSettings(redaction_key=KEY, records_per_batch=2)
    assert ingest_paths(store, paths, small).problems() == first.problems()
    again = ingest_paths(store, paths, settings)
    assert told(again) == (0, first.total("spans"), first.problems())
    with store.lease("test") as session:
        assert len(stored.read_rejects(session)) == first.total("rejected_count")


def test_a_load_that_was_interrupted_is_taken_up_again(
    monkeypatch: pytest.MonkeyPatch, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(map(line, range(10))))
    settings = IngestSettings(redaction_key=KEY, records_per_batch=4, records_per_lease=4)
    written: list[Batch] = []

    def interrupted(session: Session, batch: Batch) -> BatchCounts:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(batch)
        return write_batch(session, batch)

    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.write_batch", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ingest_paths(store, [str(path)], settings)
    assert told(ingest_paths(store, [str(path)], settings)) == (2, 8, [])
    assert told(ingest_paths(store, [str(path)], settings)) == (0, 10, [])


def test_standard_input_is_never_taken_for_known(
    store: Store, settings: IngestSettings, tmp_path: Path
) -> None:
    expected: tuple[int, int, list[str]]
    for expected in ((1, 0, []), (0, 1, [])):
        report = ingest_paths(store, ["-"], settings, stdin=io.BytesIO(line(1).encode()))
        assert told(report) == expected
