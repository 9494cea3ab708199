"""Questions: one `.sql` file, one SELECT, one frame.

A file may begin with a comment that is TOML, between `/*` and `*/`: `title`, `params`, `columns`.
What it declares must be what the statement binds and returns. Values are always bound, never put
into the text, so hostile strings stay values.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import polars

from store.errors import InvariantError, StoreError, UsageError
from store.lease import Session

QUESTIONS_CACHED_MAX = 512
_HEADER_KEYS = {"title": str, "params": list, "columns": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parsed `.sql` file. `columns` is None where the header does not declare them."""

    name: str
    path: Path
    title: str
    params: frozenset[str]
    columns: tuple[str, ...] | None
    sql: str


def ask(session: Session, sql_path: Path, params: Mapping[str, object]) -> polars.DataFrame:
    """The answer to the question in `sql_path`. Integer sums come as Int64, not as Decimal."""
    question = load(sql_path)
    if params.keys() != question.params:
        raise UsageError(
            f"question {question.name} takes the parameters {sorted(question.params)}, "
            f"given were {sorted(params)}"
        )
    try:
        relation = session.cursor.sql(question.sql, params=dict(params))
        frame = _with_integers(relation.pl())
    except duckdb.Error as error:
        raise StoreError(f"question {question.path}: {error}") from error
    if question.columns is not None and question.columns != tuple(frame.columns):
        raise InvariantError(
            f"question {question.path} declares the columns {list(question.columns)}, "
            f"but returns {frame.columns}"
        )
    return frame


def _with_integers(frame: polars.DataFrame) -> polars.DataFrame:
    """DuckDB sums integers to 128 bits, which arrive as Decimal: Int64 where they fit."""
    for column in frame.iter_columns():
        if column.dtype == polars.Decimal(38, 0):
            integers = column.cast(polars.Int64, strict=False)
            if integers.null_count() == column.null_count():
                frame = frame.with_columns(integers)
    return frame


def load(sql_path: Path) -> Question:
    """A question, parsed once per process."""
    return _load(Path(sql_path))


def discover(folder: Path) -> dict[str, Question]:
    """All questions of a folder by name (the file's stem); all faults at once."""
    questions: dict[str, Question] = {}
    faults: list[Exception] = []
    for path in sorted(Path(folder).glob("*.sql")):
        try:
            questions[path.stem] = load(path)
        except InvariantError as fault:
            faults.append(fault)
    if faults:
        raise ExceptionGroup(f"{len(faults)} questions in {folder} cannot be asked", faults)
    return questions


@lru_cache(QUESTIONS_CACHED_MAX)
def _load(path: Path) -> Question:
    try:
        sql = path.read_text("utf-8")
        statements = duckdb.extract_statements(sql)
    except (OSError, UnicodeDecodeError, duckdb.Error) as error:
        raise InvariantError(f"question {path}: {error}") from error
    header = _header(path, sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise InvariantError(f"question {path} must be exactly one SELECT")
    bound = frozenset(statements[0].named_parameters)
    if any(name.isdecimal() for name in bound):
        raise InvariantError(f"question {path} has a parameter without a name")
    declared = header.get("params")
    if declared is not None and frozenset(declared) != bound:
        raise InvariantError(
            f"question {path} declares the parameters {sorted(declared)}, binds {sorted(bound)}"
        )
    columns = header.get("columns")
    return Question(
        name=path.stem,
        path=path,
        title=header.get("title", path.stem),
        params=bound,
        columns=None if columns is None else tuple(columns),
        sql=sql,
    )


def _header(path: Path, sql: str) -> dict[str, Any]:
    text, end, _ = sql.removeprefix("/*").partition("*/")
    if not sql.startswith("/*") or not end:
        return {}
    try:
        header = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvariantError(f"question {path}: its header is no TOML: {error}") from error
    for key, value in header.items():
        if key not in _HEADER_KEYS or not isinstance(value, _HEADER_KEYS[key]):
            raise InvariantError(
                f"question {path}: header has {key!r}; it may have title (text), params and "
                "columns (lists)"
            )
    return header
