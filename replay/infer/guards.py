"""Under which conditions an operation runs, and what a local step returns."""

from collections.abc import Callable, Mapping, Sequence

from replay.infer.binding import Binding, bind
from replay.infer.expression import Scope
from replay.infer.grow import grow
from replay.infer.order import Order, last_before
from replay.infer.tree import Tree
from replay.infer.view import Observation, Ref, Table
from replay.infer.waits import Waits
from replay.leaves import Scalar, is_number

STATUS_LEAF = "~status"
LABELS_MAX = 8


def learn_guards(
    observations: Sequence[Observation],
    order: Order,
    table: Table,
    ended: Sequence[frozenset[str]],
    branch_only: bool,
    waits: Waits,
) -> dict[str, Tree]:
    """Fit, for every operation, a tree over what is known when all its ancestors are resolved."""
    guards = {}
    for op in order.sequence:
        wait = waits.overall[op].high
        rows = [
            row
            for row, observation in enumerate(observations)
            if not ended[row] & order.before[op]
            and (
                branch_only
                or op in observation.nodes
                or _decided_before(observation, order.before[op], ended[row], wait)
            )
        ]
        if not rows:
            continue
        labels = [op in observations[row].nodes for row in rows]
        guards[op] = grow(_columns(table, order, op, rows, labels), labels, _rank(op, order))
    return guards


def _decided_before(
    observation: Observation, ancestors: frozenset[str], ended: frozenset[str], wait_ns: int
) -> bool:
    """Whether an operation would have started before the flow was ended, had it been to run."""
    if not ended:
        return True
    nodes = observation.nodes
    last = last_before(ancestors, nodes)
    ready = 0 if last is None else last.end
    return ended <= nodes.keys() and all(nodes[op].end > ready + wait_ns for op in ended)


def _columns(
    table: Table, order: Order, op: str, rows: Sequence[int], labels: Sequence[object]
) -> Mapping[Ref, Sequence[Scalar]]:
    if len(set(labels)) < 2:
        return {}
    refs = table.refs(order.before[op])
    return {ref: [table.columns[ref][row] for row in rows] for ref in refs if ref[0] != "effect"}


def _rank(op: str, order: Order) -> Callable[[Ref], int]:
    """Prefer what the nearest operations answered: a program reads what it has just got."""
    near = set(order.direct[op])

    def rank(ref: Ref) -> int:
        if ref[0] in ("input", "count"):
            return 2
        if ref[0] == "latest":
            return 2 if near.intersection(ref[2:]) else 3
        if ref[0] in ("status", "breaker", "tried"):
            return 1 if ref[1] in near else 3
        return 0 if ref[1] in near else 2

    return rank


def learn_results(
    observations: Sequence[Observation], op: str, order: Order, table: Table, share: float
) -> tuple[dict[str, Binding], dict[str, Tree]]:
    """Find how a local step computes what it returns: values copied, and values decided."""
    ancestors = sorted(order.before[op])
    rows = [
        row
        for row, observation in enumerate(observations)
        if op in observation.nodes and len(observation.nodes[op].instances) == 1
    ]
    answers = [observations[row].nodes[op].instances[0] for row in rows]
    copied: dict[str, Binding] = {}
    decided: dict[str, Tree] = {}
    if len(rows) < 2:
        return copied, decided
    columns: dict[Ref, list[Scalar]] | None = None
    for path in sorted({STATUS_LEAF, *(path for answer in answers for path in answer.response)}):
        values = [
            answer.status if path == STATUS_LEAF else answer.response.get(path)
            for answer in answers
        ]
        samples = [
            (Scope(observations[row].view), value)
            for row, value in zip(rows, values, strict=True)
            if value is not None
        ]
        found = bind(samples, ancestors, share, name=path.rpartition(".")[2])
        if found is not None and len(samples) == len(rows):
            copied[path] = found
            continue
        labels = [_label(value) for value in values]
        if len(set(labels)) > LABELS_MAX or all(is_number(value) for value in values):
            continue
        if columns is None:
            refs = [*table.refs(ancestors), *(ref for ref in table.columns if ref == ("draw", op))]
            columns = {ref: [table.columns[ref][row] for row in rows] for ref in refs}
        tree = grow(columns, labels, _rank(op, order))
        if tree.reliable:
            decided[path] = tree
    return copied, decided


def _label(value: Scalar) -> bool | str | int:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else value
