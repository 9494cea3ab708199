"""Waits that an earlier value states, or that only some flows make.

Come again in so many seconds; cool down, if it is hot.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replay.infer.grow import grow
from replay.infer.order import Order, last_before
from replay.infer.timing import CASES_MIN, JITTER_FLOOR_NS, UNITS_NS, ZERO, Span3, loose, spread
from replay.infer.tree import Tree, ref_name
from replay.infer.view import Observation, Ref, Table
from replay.infer.waits import START, Waits
from replay.leaves import Scalar, is_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The wait is the number at a place times `unit_ns`, and `rest` on top of it.

    Without a place it is `rest` alone. `when` says which flows wait so; others wait `otherwise`.
    """

    ref: Ref
    unit_ns: int
    rest: Span3
    when: Tree | None = None
    otherwise: Span3 = ZERO

    def wait(self, read: Callable[[Ref], Scalar]) -> tuple[Span3, list[tuple[str, Any]]]:
        """Give the wait in a flow, with the doubts."""
        doubts: list[tuple[str, Any]] = []
        if self.when is not None:
            waits, doubts = self.when.read(read)
            if not waits:
                return self.otherwise, doubts
        rest = self.rest
        if not self.ref:
            return rest, doubts
        value = read(self.ref)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            return rest, [*doubts, ("unstated_wait", ref_name(self.ref))]
        stated = int(value * self.unit_ns)
        return Span3(stated + rest.usual, stated + rest.low, stated + rest.high), doubts


def learn_paces(
    observations: Sequence[Observation],
    op: str,
    order: Order,
    table: Table,
    waits: Waits,
    tolerance_ns: int,
) -> dict[str, Pace]:
    """Find what states the waits that are not explained, by the ancestor they follow."""
    found = {}
    for last in waits.loose.get(op, ()):
        cases = []
        for row, observation in enumerate(observations):
            node = observation.nodes.get(op)
            if node is None or len(node.instances) > 1:
                continue
            before = last_before(order.before[op], observation.nodes)
            if (START if before is None else before.op) == last:
                cases.append((row, node.start - (0 if before is None else before.end)))
        columns = {
            ref: [table.columns[ref][row] for row, _ in cases]
            for ref in table.refs(order.before[op])
        }
        pace = _pace([wait for _, wait in cases], columns, waits.think_ns, tolerance_ns)
        if pace is not None:
            found[last] = pace
    return found


def _pace(
    waits: Sequence[int],
    columns: Mapping[Ref, Sequence[Scalar]],
    think_ns: int,
    tolerance_ns: int,
) -> Pace | None:
    """Explain the waits of all flows, or else the long ones and which flows make them."""
    if len(waits) < CASES_MIN:
        return None
    pace = _stated(waits, columns, think_ns, tolerance_ns)
    if pace is not None:
        return pace
    long = [wait > max(15 * think_ns, 4 * JITTER_FLOOR_NS) for wait in waits]
    rows = [row for row, waited in enumerate(long) if waited]
    if min(len(rows), len(waits) - len(rows)) < CASES_MIN:
        return None
    some = [waits[row] for row in rows]
    if loose(some, think_ns):
        theirs = {ref: [column[row] for row in rows] for ref, column in columns.items()}
        pace = _stated(some, theirs, think_ns, tolerance_ns)
    else:
        pace = Pace(ref=(), unit_ns=0, rest=spread(some))
    when = grow(columns, long)
    if pace is None or not when.reliable:
        return None
    short = [wait for wait, waited in zip(waits, long, strict=True) if not waited]
    return replace(pace, when=when, otherwise=spread(short))


def _stated(
    waits: Sequence[int],
    columns: Mapping[Ref, Sequence[Scalar]],
    think_ns: int,
    tolerance_ns: int,
) -> Pace | None:
    """Take the place and unit that leave least of the waits unsaid."""
    best: tuple[int, Pace] | None = None
    for ref, values in _numbers(columns):
        for unit in UNITS_NS:
            rests = [wait - int(value * unit) for wait, value in zip(waits, values, strict=True)]
            if min(rests) < -tolerance_ns or loose(rests, think_ns):
                continue
            scatter = max(rests) - min(rests)
            if best is None or scatter < best[0]:
                rest = spread([max(rest, 0) for rest in rests])
                best = (scatter, Pace(ref=ref, unit_ns=unit, rest=rest))
    return None if best is None else best[1]


def _numbers(
    columns: Mapping[Ref, Sequence[Scalar]],
) -> Iterable[tuple[Ref, Sequence[int | float]]]:
    """Give the places that hold several numbers, and nothing else."""
    for ref in sorted(columns):
        values = [value for value in columns[ref] if isinstance(value, int | float)]
        whole = len(values) == len(columns[ref]) and all(map(is_number, values))
        if ref[0] in ("input", "answer", "latest") and whole and len(set(values)) > 2:
            yield ref, values
