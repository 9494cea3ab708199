"""Edges between services, as detectors of many flows speak of them.

In: rows of stored questions with `service`, `callee`, `operation`. Out: names, groups, shares as
whole per cent, examples.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from analyzer.detectors import Row

Edge = tuple[str, str, str]
"""Caller, callee, operation."""


def edge_of(row: Row) -> Edge:
    """The edge a row is about."""
    return (row["service"] or "", row["callee"] or "", row["operation"] or "")


def named(edge: Sequence[str]) -> str:
    """The edge in a sentence."""
    service, callee, operation = edge
    return f"{service or 'an unnamed service'} calling {callee} {operation}".strip()


def by_edge(rows: Iterable[Row]) -> list[tuple[Edge, list[Row]]]:
    """Rows per edge; the question orders them by edge."""
    return [(edge, list(group)) for edge, group in groupby(rows, key=edge_of)]


def total(rows: Iterable[Row], column: str) -> int:
    """The sum of a column of whole numbers."""
    return sum(int(row[column] or 0) for row in rows)


def percent(part: int, whole: int) -> int:
    """A share in whole per cent, rounded down; 0 of nothing."""
    return part * 100 // whole if whole else 0


def samples(rows: Iterable[Row]) -> list[str]:
    """The examples of rows, each once, in their order."""
    found: dict[str, Any] = {}
    for row in rows:
        found.update(dict.fromkeys(row["sample"] or ()))
    return list(found)


def milliseconds(duration_ns: int) -> str:
    """A duration as a person reads it."""
    if duration_ns >= 10_000_000_000:
        return f"{duration_ns // 1_000_000_000} s"
    if duration_ns >= 10_000_000:
        return f"{duration_ns // 1_000_000} ms"
    return f"{duration_ns // 1_000} µs"


def facts_of(edge: Edge) -> dict[str, Any]:
    """The edge as facts of a finding."""
    return dict(zip(("service", "callee", "operation"), edge, strict=True))
