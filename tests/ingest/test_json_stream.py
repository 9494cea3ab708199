"""One malformed document never loses another."""

import json
from typing import Any

import pytest

from ingest.limits import Limits
from store.model import Rejected, Span


def line(name: str) -> str:
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": name}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})


def pretty(name: str, indent: int = 2) -> str:
    return json.dumps(json.loads(line(name)), indent=indent)


def names(items: list[Any]) -> list[str]:
    return [item.name if isinstance(item, Span) else item.record for item in items]


BROKEN = {
    "words": "this is not json",
    "open brace": "{incomplete json",
    "open string": '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.na',
    "cut in an array": '{"resourceSpans":[{"scopeSpans":[',
    "closed too often": '{"resourceSpans":[]}}}',
    "a number": "17",
    "other JSON": '{"invalid": "not otlp json"}',
    "trailing words": '{"resourceSpans":[]} and more',
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_malformed_line_loses_no_other_line(read: Any, case: str, at: int) -> None:
    lines = [line("a"), line("b")]
    lines.insert(at, BROKEN[case])
    expected = ["a", "b"]
    expected.insert(at, f"line {at + 1}")
    items = read("\n".join(lines))
    assert names(items) == expected
    assert all(item.reason for item in items if isinstance(item, Rejected))


@pytest.mark.parametrize("indent", [0, 2])
def test_an_indented_document_that_is_cut_loses_no_other(read: Any, indent: int) -> None:
    whole = pretty("a", indent)
    cut = "\n".join(pretty("x", indent).split("\n")[:5])
    items = read(f"{whole}\n{cut}\n{pretty('b', indent)}\n{line('c')}\n")
    found = names(items)
    assert [name for name in found if not name.startswith("line")] == ["a", "b", "c"]
    assert f"line {whole.count(chr(10)) + 2}" in found


def test_an_indented_document_with_an_open_string_is_told_once(read: Any) -> None:
    broken = pretty("x").replace('"x"', '"x')
    items = read(f"{broken}\n{pretty('a')}")
    assert names(items) == ["line 1", "a"]


def test_a_line_past_its_limit_is_refused_by_the_limits_name(read: Any) -> None:
    long = line("x" * 5000)
    items = read("\n".join([line("a"), long, line("b")]), Limits(line_bytes=1000))
    assert names(items) == ["a", "line 2", "b"]
    assert items[1].reason == "line is longer than line_bytes = 1000"


def test_a_document_past_its_limit_is_refused_by_the_limits_name(read: Any) -> None:
    items = read("\n".join([pretty("x" * 900), pretty("b")]), Limits(document_bytes=800))
    assert names(items) == ["line 1", "b"]
    assert items[0].reason == "document is larger than document_bytes = 800"


@pytest.mark.parametrize("brackets", ["[", '{"a":', '{"resourceSpans":['])
def test_brackets_without_end_are_refused_and_not_followed(read: Any, brackets: str) -> None:
    items = read(brackets * 200_000)
    assert [type(item).__name__ for item in items] == ["Rejected"]


def test_many_open_documents_end_in_time(read: Any) -> None:
    items = read('{"a":\n' * 3000)
    assert items
    assert all(isinstance(item, Rejected) for item in items)
    assert len(items) <= 66


def test_what_a_refused_document_began_with_is_kept_short(read: Any) -> None:
    (rejected,) = read("no json " * 100)
    assert rejected.excerpt == ("no json " * 100)[:80].strip()
