"""Who calls whom as a drawing: callers left of callees, the same picture for the same data. Pure.

In: rows of `sql/service_calls.sql`. Out: nodes in layers and the edges between them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NODE_COUNT_MAX = 80  # more cannot be read; those with the most calls stay
SWEEPS = 4

Call = Mapping[str, object]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A service. `layer` counts from the left, `place` from the top of its layer. Counts are of
    tries that others made of it."""

    name: str
    layer: int
    place: int
    layer_size: int
    tries: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """`calls` are the rows between the nodes, in the order given; `left_out` services had too few
    calls to be drawn."""

    nodes: Sequence[Node]
    calls: Sequence[Call]
    left_out: int


def number(call: Call, name: str) -> int:
    """A count of a row; what is not there is 0."""
    value = call[name]
    return value if isinstance(value, int) else 0


def pair(call: Call) -> Pair:
    """Caller and callee of a row."""
    return str(call["caller"]), str(call["callee"])


def failed_tries(call: Call) -> int:
    """Tries that ended in an error or a timeout."""
    return number(call, "errors") + number(call, "timeouts")


def graph_of(calls: Iterable[Call]) -> Graph:
    """The drawing of all calls."""
    every = list(calls)
    weight: dict[str, int] = {}
    for call in every:
        for name in pair(call):
            weight[name] = weight.get(name, 0) + number(call, "attempts")
    heaviest = sorted(weight, key=lambda name: (-weight[name], name))
    kept = frozenset(heaviest[:NODE_COUNT_MAX])
    drawn = [call for call in every if kept.issuperset(pair(call))]
    layers = _layers(sorted(kept), sorted({pair(call) for call in drawn}))
    into: dict[str, list[Call]] = {name: [] for name in kept}
    for call in drawn:
        into[pair(call)[1]].append(call)
    nodes = [
        Node(
            name=name,
            layer=layer,
            place=place,
            layer_size=len(names),
            tries=sum(number(call, "attempts") for call in into[name]),
            failed=sum(failed_tries(call) for call in into[name]),
        )
        for layer, names in enumerate(layers)
        for place, name in enumerate(names)
    ]
    return Graph(nodes=nodes, calls=drawn, left_out=len(weight) - len(kept))


def _layers(names: Sequence[str], pairs: Sequence[Pair]) -> list[list[str]]:
    """Each service right of all that call it, as far as calls go one way; then less crossing."""
    after: dict[str, list[str]] = {name: [] for name in names}
    for caller, callee in pairs:
        if caller != callee:
            after[caller].append(callee)
    forward = _without_cycles(names, after)
    depth = dict.fromkeys(names, 0)
    for name in _in_order(names, forward):
        for callee in forward[name]:
            depth[callee] = max(depth[callee], depth[name] + 1)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in names:
        layers[depth[name]].append(name)
    beside: dict[str, list[str]] = {name: list(after[name]) for name in names}
    for caller, callee in pairs:
        beside[callee].append(caller)
    for _ in range(SWEEPS):
        _nearer(layers, beside)
    return layers


def _without_cycles(
    names: Sequence[str], after: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The calls without those that lead back; which ones these are depends on names only."""
    forward: dict[str, list[str]] = {name: [] for name in names}
    called = {callee for callees in after.values() for callee in callees}
    roots = [name for name in names if name not in called] + list(names)
    done: set[str] = set()
    for root in roots:
        if root in done:
            continue
        open_names, stack = {root}, [(root, iter(after[root]))]
        while stack:
            name, rest = stack[-1]
            callee = next(rest, None)
            if callee is None:
                stack.pop()
                open_names.discard(name)
                done.add(name)
            elif callee not in open_names:
                forward[name].append(callee)
                if callee not in done:
                    open_names.add(callee)
                    stack.append((callee, iter(after[callee])))
    return forward


def _in_order(names: Sequence[str], forward: Mapping[str, Sequence[str]]) -> list[str]:
    waiting = dict.fromkeys(names, 0)
    for callees in forward.values():
        for callee in callees:
            waiting[callee] += 1
    free = [name for name in names if not waiting[name]]
    ordered = []
    while free:
        name = free.pop(0)
        ordered.append(name)
        for callee in forward[name]:
            waiting[callee] -= 1
            if not waiting[callee]:
                free.append(callee)
    return ordered


def _nearer(layers: list[list[str]], beside: Mapping[str, Sequence[str]]) -> None:
    """Moves each service to the middle of those it talks to."""
    height = {
        name: (place + 0.5) / len(names) for names in layers for place, name in enumerate(names)
    }
    for names in layers:
        middle = {
            name: sum(height[other] for other in beside[name]) / len(beside[name])
            if beside[name]
            else height[name]
            for name in names
        }
        names.sort(key=lambda name: (round(middle[name], 9), name))
        for place, name in enumerate(names):
            height[name] = (place + 0.5) / len(names)
