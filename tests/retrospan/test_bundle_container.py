"""What is no honest zip is refused by name, and nothing of it stays behind."""

import io
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrospan.bundle.container import pack, unpack
from retrospan.bundle.layout import Limits, is_name
from retrospan.bundle.manifest import read_manifest
from retrospan.bundle.records import read_records, write_records
from store.errors import DataError
from store.model import Decision, LogRecord, Span, SpanEvent, SpanLink

FEW = Limits(
    file_bytes_max=1 << 20,
    entries_max=5,
    entry_bytes_max=1 << 19,
    total_bytes_max=1 << 20,
    ratio_max=50,
    ratio_from_bytes=1 << 12,
)
SOME = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def zipped(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def linked() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def refused(source: Path, folder: Path) -> str:
    """The reason; nothing may be left in the folder, nor beside it."""
    beside = {path for path in source.parent.rglob("*") if not path.is_relative_to(folder)}
    with pytest.raises(DataError) as caught:
        unpack(source, folder, FEW)
    assert not folder.exists() or [path for path in folder.rglob("*") if path.is_file()] == []
    after = {path for path in source.parent.rglob("*") if not path.is_relative_to(folder)}
    assert after == beside
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "../out.txt",
        "a/../../out.txt",
        "/etc/passwd",
        "C:\\out.txt",
        "a\\..\\..\\out.txt",
        "a/b/c.txt",
        "..",
        "folder/",
        "",
        "nul.txt",
        "data/CON",
        "a\x00b",
        "a\nb",
        "\u202egnp.exe",
        "retrospan.duckdb",
        "data/retrospan.duckdb",
        "x." + "y" * 300,
        ".hidden",
        "trailing.",
    ],
)
def test_no_name_leads_out_of_the_folder_or_to_a_device(name: str, tmp_path: Path) -> None:
    assert not is_name(name)
    info = zipfile.ZipInfo("placeholder")
    info.filename = name
    source = zipped(tmp_path / "b.zip", ("a.txt", b"fine"), (info, b"bad"))
    reason = refused(source, tmp_path / "t")
    assert "no name for an entry" in reason or "no whole zip" in reason


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(linked(), b"/etc/passwd")], "no plain file"),
        ([("a.txt", b"1"), ("A.txt", b"2")], "there twice"),
        ([("a", b"1"), ("a/b", b"2")], "a file and a folder"),
        ([(f"{n}.txt", b"") for n in range(6)], "at most 5"),
        ([("a.txt", b"\0" * (1 << 18))], "grows more than 50 times"),
        ([("a.txt", random.Random(1).randbytes((1 << 19) + 1))], "at most 524288 are read"),
    ],
)
def test_links_twins_crowds_and_bombs_are_refused(
    entries: list[tuple[str | zipfile.ZipInfo, bytes]], reason: str, tmp_path: Path
) -> None:
    assert reason in refused(zipped(tmp_path / "b.zip", *entries), tmp_path / "t")


def test_an_entry_that_is_there_twice_by_one_name_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        source = zipped(tmp_path / "b.zip", ("a.txt", b"1"), ("a.txt", b"2"))
    assert "there twice" in refused(source, tmp_path / "t")


@pytest.mark.parametrize(
    "lie",
    [
        lambda info: setattr(info, "flag_bits", 1),
        lambda info: setattr(info, "compress_type", 99),
        lambda info: setattr(info, "file_size", 3),
        lambda info: setattr(info, "file_size", 1 << 60),
        lambda info: setattr(info, "header_offset", 1),
        lambda info: setattr(info, "CRC", 7),
    ],
)
def test_headers_that_lie_are_not_believed(
    lie: Callable[[zipfile.ZipInfo], None], tmp_path: Path
) -> None:
    made = io.BytesIO()
    archive = zipfile.ZipFile(made, "w")
    archive.writestr("a.txt", b"four" * 500)
    lie(archive.filelist[0])
    archive.close()
    source = tmp_path / "b.zip"
    source.write_bytes(made.getvalue())
    assert str(source) in refused(source, tmp_path / "t")


@given(
    changes=st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8
    ),
    cut=st.integers(0, 400),
)
@SOME
def test_damage_anywhere_gives_what_was_packed_or_one_clear_refusal(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    content = random.Random(5).randbytes(200)
    source = zipped(folder / "b.zip", ("manifest.json", b"{}" * 60), ("data/x.bin", content))
    data = bytearray(source.read_bytes())
    for place, byte in changes:
        data[place % len(data)] = byte
    source.write_bytes(data[: len(data) - cut])
    try:
        found = unpack(source, folder / "t", FEW)
    except DataError as error:
        assert str(source) in str(error)
        assert not [path for path in (folder / "t").rglob("*") if path.is_file()]
        return
    for name in found:
        assert (folder / "t" / name).is_file() and is_name(name)
    with pytest.raises(DataError):
        read_manifest(folder / "t", found)


@given(name=st.text(max_size=60))
@SOME
def test_whatever_is_a_name_stays_in_its_folder(name: str) -> None:
    if is_name(name):
        root = Path("/folder/of/it")
        path = (root / name).resolve()
        assert path.is_relative_to(root) and len(path.parts) <= len(root.parts) + 2


def test_packing_is_the_same_whenever_and_wherever_it_is_done(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 5000 + random.Random(2).randbytes(2_000_000))
    (tmp_path / "two").write_text("2")
    entries = {"b.bin": tmp_path / "one", "a.txt": tmp_path / "two"}
    first = pack(tmp_path / "1.zip", entries)
    assert pack(tmp_path / "2.zip", dict(reversed(entries.items()))) == first
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert stat.S_IMODE((tmp_path / "1.zip").stat().st_mode) == 0o600
    assert sorted(unpack(tmp_path / "1.zip", tmp_path / "t", Limits())) == ["a.txt", "b.bin"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.binary(max_size=5)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
MAPS = st.dictionaries(st.sampled_from(["a", "$tag", "k.é"]), VALUES, max_size=3)
NS = st.integers(0, 2**62)
SPANS = st.builds(
    Span,
    trace_id=st.just("0" * 31 + "1"),
    span_id=st.sampled_from(["0" * 15 + "1", "f" * 16]),
    parent_span_id=st.sampled_from([None, "a" * 16]),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    kind=st.sampled_from(["internal", "server", "client"]),
    service=st.just("s"),
    start_ns=NS,
    end_ns=st.none() | NS,
    attributes=MAPS,
    events=st.lists(
        st.builds(SpanEvent, name=st.just("e"), time_ns=NS, attributes=MAPS), max_size=2
    ).map(tuple),
    links=st.lists(
        st.builds(SpanLink, trace_id=st.just("b" * 32), span_id=st.just("c" * 16), attributes=MAPS),
        max_size=2,
    ).map(tuple),
)


def as_text(record: object) -> str:
    """All of a record, in which NaN equals NaN and 1 is not 1.0."""
    if isinstance(record, Span | SpanEvent | SpanLink):
        return as_text([getattr(record, name) for name in record.__slots__])
    if isinstance(record, dict):
        return as_text([[key, as_text(value)] for key, value in sorted(record.items())])
    if isinstance(record, list | tuple):
        return f"[{','.join(map(as_text, record))}]"
    return repr(record)


@given(spans=st.lists(SPANS, max_size=4))
@settings(max_examples=60, deadline=None)
def test_spans_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, spans: list[Span]
) -> None:
    path = tmp_path_factory.mktemp("p") / "spans.parquet"
    write_records(path, Span, spans)
    found = [span for part in read_records(path, Span, 100) for span in part]
    assert list(map(as_text, found)) == list(map(as_text, spans))


def test_rows_of_the_wrong_shape_are_refused_by_file(tmp_path: Path) -> None:
    good = Span(
        trace_id="0" * 32, span_id="1" * 16, parent_span_id=None, name="n", kind="server",
        service="s", start_ns=1, end_ns=2,
    )  # fmt: skip
    faults: list[dict[str, Any]] = [
        {"trace_id": "x"},
        {"span_id": "1" * 15},
        {"kind": "sideways"},
        {"status": "maybe"},
        {"start_ns": -1},
        {"events": (SpanEvent(name="e", time_ns=-5),)},
        {"links": (SpanLink(trace_id="z", span_id="1" * 16),)},
    ]
    path = tmp_path / "spans.parquet"
    for fault in faults:
        values = {name: getattr(good, name) for name in good.__slots__}
        write_records(path, Span, [Span(**{**values, **fault})])
        with pytest.raises(DataError, match=r"spans\.parquet: a row is no Span"):
            list(read_records(path, Span, 10))
    write_records(path, Span, [good] * 3)
    with pytest.raises(DataError, match="at most 2 rows"):
        list(read_records(path, Span, 2))
    with pytest.raises(DataError, match="not those of LogRecord"):
        list(read_records(path, LogRecord, 10))


def test_decisions_come_back_as_they_were(tmp_path: Path) -> None:
    decisions = [
        Decision(decision_id="d", time_ns=5, chosen="", seq=3, record={"input": {"a": [1, None]}}),
        Decision(decision_id="e", time_ns=6, chosen="x", confidence="0.5"),
    ]
    path = tmp_path / "decisions.parquet"
    write_records(path, Decision, decisions)
    assert [one for part in read_records(path, Decision, 10) for one in part] == decisions


def test_what_could_not_be_opened_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 3_000_000)
    with pytest.raises(DataError, match="grows more than 200 times"):
        pack(tmp_path / "1.zip", {"b.bin": tmp_path / "one"})
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
