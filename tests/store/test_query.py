"""Questions in .sql files."""

from collections.abc import Callable
from pathlib import Path

import polars
import pytest

from store.errors import InvariantError, StoreError, UsageError
from store.lease import Session
from store.model import Batch, Span
from store.query import ask, discover, load
from store.write import write_batch

HEADER = """/*
title = "Slowest"
params = ["service", "row_limit"]
columns = ["span_id", "duration_ns"]
*/
"""
SLOWEST = """SELECT span_id, duration_ns
FROM span_facts
WHERE $service IS NULL OR service = $service
ORDER BY duration_ns DESC, span_id
LIMIT $row_limit
"""


@pytest.fixture
def question(tmp_path: Path) -> Callable[..., Path]:
    """Write a question file."""

    def write(sql: str, name: str = "slowest") -> Path:
        path = tmp_path / f"{name}.sql"
        path.write_text(sql, "utf-8")
        return path

    return write


def test_a_question_is_answered_with_a_frame(
    session: Session,
    span: Callable[..., Span],
    batch: Callable[..., Batch],
    question: Callable[..., Path],
) -> None:
    write_batch(session, batch(span(1), span(2, end_ns=1_700_000_000_090_000_000)))
    path = question(HEADER + SLOWEST)
    frame = ask(session, path, {"service": None, "row_limit": 9})
    assert frame.rows() == [("0000000000000002", 90_000_000), ("0000000000000001", 50_000_000)]
    assert load(path).title == "Slowest"
    assert load(path) is load(path)
    hostile = "' OR 1=1; DROP TABLE spans; --"
    assert ask(session, path, {"service": hostile, "row_limit": 9}).is_empty()
    assert ask(session, path, {"service": "payments", "row_limit": 1}).height == 1


def test_integer_sums_are_integers(session: Session, question: Callable[..., Path]) -> None:
    path = question("SELECT sum(x)::HUGEINT AS n, sum(1.5 * x) AS money FROM range(4) AS t(x)")
    frame = ask(session, path, {})
    assert frame["n"].to_list() == [6]
    assert frame["n"].dtype == polars.Int64


def test_missing_and_excess_parameters_are_named(
    session: Session, question: Callable[..., Path]
) -> None:
    path = question(SLOWEST)
    for params in ({}, {"service": "a"}, {"service": "a", "row_limit": 1, "typo": 2}):
        with pytest.raises(UsageError, match="row_limit"):
            ask(session, path, params)


def test_columns_that_differ_from_the_header_are_a_fault(
    session: Session, question: Callable[..., Path]
) -> None:
    path = question('/*\ncolumns = ["a"]\n*/ SELECT 1 AS b')
    with pytest.raises(InvariantError, match="columns"):
        ask(session, path, {})


def test_a_failing_question_names_its_file(session: Session, question: Callable[..., Path]) -> None:
    with pytest.raises(StoreError, match=r"slowest\.sql"):
        ask(session, question("SELECT * FROM no_such_table"), {})


def test_a_question_cannot_reach_files(session: Session, question: Callable[..., Path]) -> None:
    for sql in ("SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'"):
        with pytest.raises(StoreError):
            ask(session, question(sql, f"q{len(sql)}"), {})


def test_all_faulty_questions_are_told_at_once(question: Callable[..., Path]) -> None:
    good = question(HEADER + SLOWEST)
    assert list(discover(good.parent)) == ["slowest"]
    question("SELECT 1; SELECT 2", "two")
    question("DROP TABLE spans", "drop")
    question("SELEC 1", "typo")
    question('/*\nparams = ["a"]\n*/ SELECT $b', "differs")
    question("/*\nparams = \n*/ SELECT 1", "no_toml")
    question('/*\nauthor = "x"\n*/ SELECT 1', "unknown_key")
    question("SELECT ?", "unnamed")
    with pytest.raises(ExceptionGroup) as caught:
        discover(good.parent)
    told = "\n".join(map(str, caught.value.exceptions))
    assert len(caught.value.exceptions) == 7
    for name in ("two", "drop", "typo", "differs", "no_toml", "unknown_key", "unnamed"):
        assert f"{name}.sql" in told
