"""Happens-before between operations, found by counter-example over many recordings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from replay.infer.view import Node, Observation

_Counts: TypeAlias = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Order:
    """`before` holds all ancestors of an operation, `direct` only those not implied by others.

    `sequence` is one fixed topological order. `apart` lists, per operation, the operations never
    seen in the same flow: nothing is known about their order.
    """

    sequence: tuple[str, ...]
    before: Mapping[str, frozenset[str]]
    direct: Mapping[str, tuple[str, ...]]
    apart: Mapping[str, frozenset[str]]


def happens_before(
    observations: Sequence[Observation],
    ops: Sequence[str],
    clock_tolerance_ns: int,
    share: float,
    inside: Collection[tuple[str, str]] = (),
) -> Order:
    """Keep `a before b` unless recordings contradict it in more than `share` of the cases.

    `inside` are pairs of which the second runs within the rounds of the first.
    """
    together, broken, strictly = _count(observations, frozenset(ops), clock_tolerance_ns)
    held = {pair for pair, count in together.items() if broken.get(pair, 0) <= share * count}
    # Two steps shorter than the clock tolerance hold both ways: then the exact times decide.
    edges = {
        (a, b)
        for a, b in held
        if (b, a) not in held or ((a, b) not in strictly and strictly.get((b, a), 0) > 0)
    }
    edges.update(inside)
    before = _closure(ops, edges)
    direct = {op: _reduced(op, before) for op in ops}
    sequence = _topological(ops, direct)
    apart = {
        op: frozenset(other for other in ops if other != op and (op, other) not in together)
        for op in ops
    }
    return Order(sequence, before, direct, apart)


def _count(
    observations: Iterable[Observation], ops: frozenset[str], tolerance: int
) -> tuple[_Counts, _Counts, _Counts]:
    together: _Counts = {}
    broken: _Counts = {}
    strictly: _Counts = {}
    for observation in observations:
        present = [node for op, node in observation.nodes.items() if op in ops]
        for first in present:
            for second in present:
                if first is second:
                    continue
                pair = (first.op, second.op)
                together[pair] = together.get(pair, 0) + 1
                if second.start < first.end - tolerance:
                    broken[pair] = broken.get(pair, 0) + 1
                if second.start < first.end:
                    strictly[pair] = strictly.get(pair, 0) + 1
    return together, broken, strictly


def _closure(ops: Sequence[str], edges: set[tuple[str, str]]) -> dict[str, frozenset[str]]:
    before = {op: {a for a in ops if (a, op) in edges} for op in ops}
    changed = True
    while changed:
        changed = False
        for op in ops:
            wider = set(before[op])
            for ancestor in before[op]:
                wider |= before[ancestor]
            wider.discard(op)
            if len(wider) > len(before[op]):
                before[op] = wider
                changed = True
    # Operations on a cycle contradict each other through third ones: no order is claimed there.
    return {op: frozenset(a for a in before[op] if op not in before[a]) for op in ops}


def _reduced(op: str, before: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    ancestors = before[op]
    return tuple(sorted(a for a in ancestors if not any(a in before[other] for other in ancestors)))


def _topological(ops: Sequence[str], direct: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    placed: list[str] = []
    waiting = sorted(ops)
    while waiting:
        left = set(waiting)
        ready = [op for op in waiting if not any(a in left for a in direct[op])] or waiting[:1]
        placed.extend(ready)
        waiting = [op for op in waiting if op not in set(ready)]
    return tuple(placed)


def last_before(ancestors: Iterable[str], nodes: Mapping[str, Node]) -> Node | None:
    """Give the ancestor that ended last: the one a following step waited for."""
    last: Node | None = None
    for op in ancestors:
        node = nodes.get(op)
        if node is not None and (last is None or (node.end, node.op) > (last.end, last.op)):
            last = node
    return last
