"""Fields of bodies and attributes that came, went or changed type between two windows.

A field counts as gone only where its absence is no accident: the difference of its shares has an
interval without 0 (Newcombe), and all such tests together keep the false discovery rate (Benjamini
and Hochberg). Windows with too few bodies say nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars

from analyzer.statistics.intervals import Interval
from analyzer.statistics.proportions import newcombe
from analyzer.statistics.tables import benjamini_hochberg, fisher_exact
from store.conclusions import Evidence

Q_MAX: Final = 0.05
DEPTH_MAX: Final = 30
ATTRIBUTE: Final = "attribute"
FIELDS_PER_SHAPE_MAX: Final = 2_000
TYPES: Final = {
    "VARCHAR": "text", "UBIGINT": "number", "BIGINT": "number", "HUGEINT": "number",
    "UHUGEINT": "number", "DOUBLE": "number", "BOOLEAN": "boolean", "NULL": "null",
    "ARRAY": "list", "OBJECT": "map", "JSON": "mixed",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Starts from `since_ns`, before `until_ns`."""

    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How often one thing was there in each window, of how many."""

    n_a: int
    total_a: int
    n_b: int
    total_b: int

    @property
    def difference(self) -> Interval | None:
        """The interval of the difference of shares, after less before."""
        return newcombe(self.n_b, self.total_b, self.n_a, self.total_a)

    @property
    def p_value(self) -> float:
        return fisher_exact(self.n_a, self.total_a - self.n_a, self.n_b, self.total_b - self.n_b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """One field that changed. `change` is appeared, vanished, type_changed or share_changed."""

    service: str
    operation: str
    part: str
    field: str
    change: str
    types_a: tuple[str, ...]
    types_b: tuple[str, ...]
    counted: Counted
    q_value: float
    evidence: Evidence


@dataclass(slots=True)
class _Field:
    counts: dict[str, list[int]]
    example: Mapping[str, str]


Subject = tuple[str, str, str]


def drifted(bodies: polars.DataFrame, attributes: polars.DataFrame, n_min: int) -> list[Drifted]:
    """All changes with enough evidence, by place."""
    totals: dict[Subject, list[int]] = {}
    fields: dict[tuple[Subject, str], _Field] = {}
    for row in bodies.iter_rows(named=True):
        status = f" {row['status']}" if row["status"] else ""
        subject = (row["service"], f"{row['operation']} ({row['kind']})", row["part"] + status)
        total = totals.setdefault(subject, [0, 0])
        total[0] += row["n_a"]
        total[1] += row["n_b"]
        for path, kind in sorted(_fields(row["shape"])):
            _add(fields, (subject, path), kind, row)
    for row in attributes.iter_rows(named=True):
        subject = (row["service"], f"{row['operation']} ({row['kind']})", ATTRIBUTE)
        totals[subject] = [row["total_a"], row["total_b"]]
        _add(fields, (subject, row["field"]), TYPES.get(row["type"], "mixed"), row)
    return _told(fields, totals, n_min)


def _add(
    fields: dict[tuple[Subject, str], _Field],
    key: tuple[Subject, str],
    kind: str,
    row: Mapping[str, Any],
) -> None:
    known = fields.setdefault(key, _Field(counts={}, example=row["example"]))
    counts = known.counts.setdefault(kind, [0, 0])
    counts[0] += row["n_a"]
    counts[1] += row["n_b"]


def _told(
    fields: Mapping[tuple[Subject, str], _Field],
    totals: Mapping[Subject, list[int]],
    n_min: int,
) -> list[Drifted]:
    tested: list[tuple[tuple[Subject, str], str, Counted]] = []
    for key in sorted(fields):
        total_a, total_b = totals[key[0]]
        if min(total_a, total_b) < n_min:
            continue
        field = fields[key]
        there = [sum(counts[side] for counts in field.counts.values()) for side in (0, 1)]
        counted = Counted(n_a=there[0], total_a=total_a, n_b=there[1], total_b=total_b)
        change = "appeared" if there[0] == 0 else "vanished" if there[1] == 0 else "share_changed"
        tested.append((key, change, counted))
        if change == "share_changed":
            tested += _typed(key, field, there)
    q_values = benjamini_hochberg([counted.p_value for _, _, counted in tested])
    told: dict[tuple[Subject, str, str], Drifted] = {}
    for (key, change, counted), q_value in zip(tested, q_values, strict=True):
        interval = counted.difference
        if q_value <= Q_MAX and interval is not None and 0 not in interval:
            told.setdefault((*key, change), _drifted(key, change, counted, q_value, fields[key]))
    kept = [told[key] for key in sorted(told)]
    return [one for one in kept if not _is_inside(one, told)]


def _typed(
    key: tuple[Subject, str], field: _Field, there: list[int]
) -> Iterator[tuple[tuple[Subject, str], str, Counted]]:
    """Types that only one window has."""
    for kind in sorted(field.counts):
        before, after = field.counts[kind]
        if (before == 0) != (after == 0):
            yield (
                key,
                "type_changed",
                Counted(n_a=before, total_a=there[0], n_b=after, total_b=there[1]),
            )


def _drifted(
    key: tuple[Subject, str], change: str, counted: Counted, q_value: float, field: _Field
) -> Drifted:
    (service, operation, part), path = key
    return Drifted(
        service=service,
        operation=operation,
        part=part,
        field=path,
        change=change,
        types_a=tuple(sorted(kind for kind, counts in field.counts.items() if counts[0])),
        types_b=tuple(sorted(kind for kind, counts in field.counts.items() if counts[1])),
        counted=counted,
        q_value=q_value,
        evidence=Evidence(
            kind="span", trace_id=field.example["trace_id"], span_id=field.example["span_id"]
        ),
    )


def _is_inside(one: Drifted, told: Mapping[tuple[Subject, str, str], Drifted]) -> bool:
    """Whether the field lies in one that came, went or changed type as a whole, which says it."""
    if one.part == ATTRIBUTE:
        return False  # a dot in the name of an attribute is no nesting
    subject = (one.service, one.operation, one.part)
    above = _above(one.field)
    while above:
        if any((subject, above, change) in told for change in (one.change, "type_changed")):
            return True
        above = _above(above)
    return False


def _above(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def _fields(shape: str) -> set[tuple[str, str]]:
    """Path and type of each field of a body's structure, as DuckDB's json_structure gives it."""
    found: set[tuple[str, str]] = set()
    stack: list[tuple[str, Any, int]] = [("", json.loads(shape), 0)]
    while stack and len(found) < FIELDS_PER_SHAPE_MAX:
        path, value, depth = stack.pop()
        if isinstance(value, dict):
            found.add((path or "(the body)", "map"))
            if depth < DEPTH_MAX:
                stack += [
                    (f"{path}.{name}" if path else name, entry, depth + 1)
                    for name, entry in sorted(value.items(), reverse=True)
                ]
        elif isinstance(value, list):
            found.add((path or "(the body)", "list"))
            if value and depth < DEPTH_MAX:
                stack.append((f"{path}[]", value[0], depth + 1))
        else:
            found.add((path or "(the body)", TYPES.get(value, "mixed")))
    return found
