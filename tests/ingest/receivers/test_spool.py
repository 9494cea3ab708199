"""The spool after every kind of end: what was acknowledged is loaded once, nothing else matters."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.limits import Limits
from ingest.otlp.documents import Walker
from ingest.reader import Item
from ingest.receivers import frames, segments
from ingest.receivers.errors import OverloadedError
from ingest.receivers.loader import Loader
from ingest.receivers.settings import ReceiverLimits
from ingest.receivers.spool import Spool
from ingest.records import Records
from store.errors import DataError, StoreBusyError
from store.lease import Store
from store.model import AttributeValue, Decision, LogRecord, Rejected, Span, SpanEvent, SpanLink
from store.query import ask
from store.read import read_spans
from tests.ingest.receivers.world import START, spans_document

SLOW = replace(ReceiverLimits(), load_seconds=60.0)


def frame_of(numbers: range) -> bytes:
    frame = Records()
    for item in Walker(Limits()).walk(spans_document(numbers), "request"):
        frame.add(item)
    return frames.encoded(frame)


def opened(folder: Path, limits: ReceiverLimits = SLOW) -> Spool:
    return Spool(folder / "spool", limits, "receiver/1", "rules")


def left_open(folder: Path, *contents: range) -> Path:
    """An open segment as a killed process leaves it."""
    spool = opened(folder)
    for numbers in contents:
        spool.append(frame_of(numbers)).result(10)
    (path,) = (folder / "spool").glob("*.open")
    data = path.read_bytes()
    spool.close()
    spool.release()
    for sealed in (folder / "spool").glob("*.sealed"):
        sealed.unlink()
    path.write_bytes(data)
    return path


def loaded(folder: Path, told: Callable[[str], None] = pytest.fail) -> list[object]:
    """What a restart brings into the store: the attribute `n` of every span."""
    store = Store(folder / "test.duckdb")
    spool = opened(folder)
    loader = Loader(store, spool, lambda: None, told)
    spool.close()
    loader.stop()
    spool.release()
    with store.lease("looking", create=True) as session:
        return [span.attributes["n"] for span in read_spans(session)]


def test_every_record_comes_back_from_the_spool_with_equal_values() -> None:
    resource: dict[str, AttributeValue] = {
        "service.name": "shop",
        "n": 1,
        "b": b"\0\xff",
        "list": [1, 1.5, None, {"a": []}],
    }
    event = SpanEvent(name="e", time_ns=START, attributes={"x": float("inf")})
    link = SpanLink(trace_id="1" * 32, span_id="2" * 16, attributes={"y": "ü"})
    span = Span(
        trace_id="3" * 32,
        span_id="4" * 16,
        parent_span_id=None,
        name="pay",
        kind="client",
        service="shop",
        start_ns=START,
        end_ns=None,
        attributes={"z": -(2**63)},
        resource=resource,
        events=(event,),
        links=(link,),
    )
    log = LogRecord(
        time_ns=START,
        observed_ns=START,
        trace_id=None,
        span_id=None,
        severity_number=9,
        severity_text="INFO",
        event_name="",
        body={"k": [b"1", 2]},
        service="shop",
        resource=resource,
    )
    decision = Decision(decision_id="d", time_ns=START, chosen="yes", record={"a": {"b": [1]}})
    rejected = Rejected(record="request", reason="why", excerpt="{")
    sent = Records(
        spans=[span, span], logs=[log], decisions=[decision], rejected=[rejected], metrics=7
    )
    back = frames.decoded(frames.encoded(sent))
    assert back == sent
    assert back.spans[0].resource is back.logs[0].resource


def test_a_record_that_no_store_could_hold_is_rejected_alone() -> None:
    good = list(Walker(Limits()).walk(spans_document(range(1)), "request"))
    assert isinstance(good[0], Span)
    odd: Item = replace(good[0], start_ns=2**70)
    frame = Records()
    for item in (*good, odd):
        frame.add(item)
    back = frames.decoded(frames.encoded(frame))
    assert (len(back.spans), len(back.rejected), len(frame.rejected)) == (1, 1, 1)


@pytest.mark.parametrize("cut", [1, 5, 9, 60])
def test_a_tail_torn_by_a_crash_is_left_out_in_silence(tmp_path: Path, cut: int) -> None:
    path = left_open(tmp_path, range(3), range(3, 5))
    os.truncate(path, path.stat().st_size - cut)
    assert loaded(tmp_path) == [0, 1, 2]
    assert list((tmp_path / "spool").glob("0*")) == []


def test_zeros_that_a_power_cut_left_are_no_records(tmp_path: Path) -> None:
    path = left_open(tmp_path, range(3))
    path.write_bytes(path.read_bytes() + bytes(4096))
    assert loaded(tmp_path) == [0, 1, 2]


@pytest.mark.parametrize("size", [0, 4, 20, 40])
def test_a_segment_that_ends_in_its_heading_is_removed_in_silence(
    tmp_path: Path, size: int
) -> None:
    path = left_open(tmp_path, range(3))
    os.truncate(path, size)
    assert loaded(tmp_path) == []
    assert not path.exists()


def test_damage_in_a_sealed_segment_is_told_and_the_file_kept(tmp_path: Path) -> None:
    path = left_open(tmp_path, range(3), range(3, 5), range(5, 6))
    data = bytearray(path.read_bytes())
    data[data.index(b"step 4")] ^= 1
    path.unlink()
    path.with_suffix(".sealed").write_bytes(data)
    told: list[str] = []
    assert loaded(tmp_path, told.append) == [0, 1, 2, 5]
    assert "1 of its requests are lost; kept" in " ".join(told)
    assert path.with_suffix(".damaged").read_bytes() == data


def test_a_segment_of_another_version_waits_and_is_told(tmp_path: Path) -> None:
    path = left_open(tmp_path, range(3))
    path.write_bytes(b"retrospan spool 9\n" + b"?" * 100)
    told: list[str] = []
    assert loaded(tmp_path, told.append) == []
    assert "another version of retrospan" in told[0]
    assert path.exists()
    with pytest.raises(DataError, match="another version"):
        segments.read(path)


def test_a_crash_between_commit_and_removal_loads_nothing_twice(tmp_path: Path) -> None:
    path = left_open(tmp_path, range(5))
    data = path.read_bytes()
    assert len(loaded(tmp_path)) == 5
    path.write_bytes(data)
    assert len(loaded(tmp_path)) == 5
    question = tmp_path / "batches.sql"
    question.write_text("SELECT count(*) AS batches, sum(spans) AS spans FROM batches")
    with Store(tmp_path / "test.duckdb").lease("looking") as session:
        assert ask(session, question, {}).rows() == [(1, 5)]


def test_a_spool_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    try:
        with pytest.raises(StoreBusyError, match="one receiver per store"):
            opened(tmp_path)
    finally:
        spool.close()
        spool.release()


def test_a_full_disk_is_overload_and_loses_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 5:
            return real(descriptor, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    real = os.write
    spool = opened(tmp_path)
    spool.append(frame_of(range(3))).result(10)
    monkeypatch.setattr(os, "write", full)
    refused = spool.append(frame_of(range(3, 6)))
    with pytest.raises(OverloadedError, match="No space left"):
        refused.result(10)
    monkeypatch.setattr(os, "write", real)
    spool.append(frame_of(range(6, 8))).result(10)
    spool.close()
    spool.release()
    assert loaded(tmp_path) == [0, 1, 2, 6, 7]


def test_a_failed_flush_acknowledges_nothing_and_ends_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    real = os.fdatasync
    spool = opened(tmp_path)
    spool.append(frame_of(range(3))).result(10)
    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OverloadedError, match="Input/output error"):
        spool.append(frame_of(range(3, 6))).result(10)
    monkeypatch.setattr(os, "fdatasync", real)
    spool.append(frame_of(range(6, 8))).result(10)
    assert len(list(spool.folder.glob("0*"))) == 2
    spool.close()
    spool.release()
    assert loaded(tmp_path) == [0, 1, 2, 6, 7]


def test_a_store_in_use_leaves_the_spool_as_it_is(tmp_path: Path) -> None:
    left_open(tmp_path, range(3))

    class Busy(Store):
        def lease(self, purpose: str, *, create: bool = False) -> None:  # type: ignore[override]
            raise StoreBusyError("in use by process 1")

    told: list[str] = []
    spool = opened(tmp_path)
    loader = Loader(Busy(tmp_path / "test.duckdb"), spool, lambda: None, told.append)
    time.sleep(0.1)
    spool.close()
    loader.stop()
    spool.release()
    assert "waits in the spool: in use by process 1" in told[0]
    assert "1 segments stay" in told[-1]
    assert loaded(tmp_path) == [0, 1, 2]


def test_a_segment_that_cannot_be_loaded_does_not_hold_back_the_others(tmp_path: Path) -> None:
    path = left_open(tmp_path, range(3))
    path.with_name("000000000000-bad.sealed").write_bytes(b"something else entirely")
    told: list[str] = []
    assert loaded(tmp_path, told.append) == [0, 1, 2]
    assert "no segment of a spool" in told[0]
    assert path.with_name("000000000000-bad.sealed").exists()
