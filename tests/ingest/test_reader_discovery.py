"""Readers are found by their place; an input has one reader or none."""

from collections.abc import Iterator
from typing import BinaryIO

import pytest

from ingest.kinds import kind_of
from ingest.limits import Limits
from ingest.reader import Item, claimant, discover, named
from retrospan.cli import run
from store.errors import DataError, UsageError


class Greedy:
    """Claims everything."""

    name = "greedy"

    def sniff(self, head: bytes) -> bool:
        return True

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        return iter(())


def test_every_reader_is_found_by_its_place() -> None:
    assert {"decisions", "otlp_json"} <= set(discover())


def test_no_two_of_our_readers_claim_the_same_input() -> None:
    readers = discover()
    heads = {
        "otlp_json": b'{"resourceSpans":[]}',
        "decisions": b'{"schema":"retrospan.decision/1"}',
    }
    for name, head in heads.items():
        reader = claimant(head, readers)
        assert reader is not None
        assert reader.name == name


def test_two_readers_for_one_input_are_an_error_that_names_both() -> None:
    with pytest.raises(DataError, match="greedy, otlp_json; choose one with --format"):
        claimant(b'{"resourceSpans":[]}', {**discover(), "greedy": Greedy()})


def test_a_first_line_that_is_malformed_does_not_hide_the_format() -> None:
    reader = claimant(b'{oops\n{"resource_logs": [', discover())
    assert reader is not None
    assert reader.name == "otlp_json"


def test_an_unknown_format_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown format 'otpl'.*decisions.*otlp_json"):
        named("otpl", discover())


@pytest.mark.parametrize(
    ("head", "path", "kind"),
    [
        (b"ARROW1\0\0", "x.arrow", "an Arrow file"),
        (b"\n\x9f\x01\n\x10", "x.bin", "OTLP protobuf"),
        (b"\x28\xb5\x2f\xfd\x04", "x.json.zst", "zstd-compressed data"),
        (b'{"log":{"version":"1.2"}}', "x.json", "HAR"),
        (b'{"a": 1}', "x.json", "JSON of an unknown kind"),
        (b"a,b\n1,2\n", "x.csv", "CSV"),
        (b"hello", "x", "text of an unknown kind"),
    ],
)
def test_what_is_not_read_is_called_by_its_name(head: bytes, path: str, kind: str) -> None:
    assert claimant(head, discover()) is None
    assert kind_of(head, path) == kind


def test_the_formats_are_listed_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ingest", "--list-formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(discover())
    assert all(len(line.split()) > 3 for line in lines)
