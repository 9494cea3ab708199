"""Hashes are remembered only while a file cannot have changed."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from ingest import hashes
from ingest.hashes import FileHashes
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def asked(kept: Path, path: Path) -> str:
    found = FileHashes(kept)
    with path.open("rb") as raw:
        digest = found.of(raw)
        assert raw.tell() == 0
    found.keep()
    return digest


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were read for their hash."""
    names: list[str] = []

    def counted(raw: object) -> str:
        names.append(Path(raw.name).name)  # type: ignore[attr-defined]
        return digest_of(raw.read())  # type: ignore[attr-defined]

    monkeypatch.setattr(hashes, "sha256_of", counted)
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been written long ago."""
    monkeypatch.setattr(hashes, "SETTLED_NS", -(10**12))


def test_a_file_that_stays_as_it_is_is_read_once(
    tmp_path: Path, reads: list[str], settled: None
) -> None:
    path, kept = tmp_path / "a", tmp_path / "kept"
    path.write_bytes(b"one")
    assert [asked(kept, path) for _ in range(3)] == [digest_of(b"one")] * 3
    assert reads == ["a"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a", "kept"]


def test_other_bytes_under_the_old_size_and_date_are_noticed(
    tmp_path: Path, reads: list[str], settled: None
) -> None:
    path, kept = tmp_path / "a", tmp_path / "kept"
    path.write_bytes(b"one")
    before = path.stat()
    asked(kept, path)
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert asked(kept, path) == digest_of(b"two")


def test_another_file_in_the_place_of_one_is_noticed(
    tmp_path: Path, reads: list[str], settled: None
) -> None:
    path, other, kept = tmp_path / "a", tmp_path / "b", tmp_path / "kept"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    asked(kept, path)
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)
    assert asked(kept, path) == digest_of(b"two")


def test_a_file_that_has_just_changed_is_hashed_each_time(tmp_path: Path, reads: list[str]) -> None:
    path, kept = tmp_path / "a", tmp_path / "kept"
    path.write_bytes(b"one")
    assert asked(kept, path) == asked(kept, path)
    assert reads == ["a", "a"]


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{}", b'{"schema":"retrospan.hashes/2","files":[]}']
)
def test_memory_that_cannot_be_read_is_none(
    tmp_path: Path, reads: list[str], settled: None, data: bytes
) -> None:
    path, kept = tmp_path / "a", tmp_path / "kept"
    path.write_bytes(b"one")
    kept.write_bytes(data)
    assert [asked(kept, path) for _ in range(2)] == [digest_of(b"one")] * 2
    assert reads == ["a"]


def test_memory_is_bounded(
    tmp_path: Path, reads: list[str], settled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "FILES_MAX", 2)
    kept = tmp_path / "kept"
    for name in "abc":
        (tmp_path / name).write_bytes(name.encode())
        asked(kept, tmp_path / name)
    reads.clear()
    for name in "cba":
        asked(kept, tmp_path / name)
    assert reads == ["a"]


def test_a_load_that_is_repeated_reads_nothing(
    store: Store, settings: IngestSettings, tmp_path: Path, reads: list[str], settled: None
) -> None:
    path = tmp_path / "a.jsonl"
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "startTimeUnixNano": "1"}
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    first = ingest_paths(store, [str(path)], settings)
    again = ingest_paths(store, [str(path)], settings)
    assert (first.total("spans"), again.total("duplicates")) == (1, 1)
    assert reads == ["a.jsonl"]
