"""Steps that wait for the first of several calls, of which the others run on.

The moment at which the first of them ends is made a node of its own, with that call's answer.
Whatever reads the answer, waits for it or ends because of it then finds it there.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from replay.infer.order import Order
from replay.infer.timing import CASES_MIN, loose
from replay.infer.view import Instance, Node, Observation
from replay.infer.waits import Waits


def learn_firsts(
    observations: Sequence[Observation], order: Order, waits: Waits, tolerance_ns: int
) -> dict[str, tuple[str, ...]]:
    """Name the pairs whose first end starts what no other end explains."""
    found: dict[str, tuple[str, ...]] = {}
    for op in order.sequence:
        rows = [o for o in observations if op in o.nodes]
        if not waits.loose.get(op) or len(rows) < CASES_MIN:
            continue
        beside = [
            other
            for other in order.sequence
            if other != op and other not in order.before[op] and op not in order.before[other]
            if all(other in o.nodes and len(o.nodes[other].instances) == 1 for o in rows)
        ]
        fits = [
            (scatter, pair)
            for pair in combinations(beside, 2)
            if (scatter := _scatter(rows, op, pair, waits.think_ns, tolerance_ns)) is not None
        ]
        if fits:
            pair = min(fits)[1]
            found[f"first of {', '.join(pair)}"] = pair
    return found


def _scatter(
    rows: Sequence[Observation], op: str, pair: Sequence[str], think_ns: int, tolerance_ns: int
) -> int | None:
    """Give how much the wait for the first of a pair varies; None where it is not waited for."""
    after = []
    running = 0
    for observation in rows:
        start = observation.nodes[op].start
        ends = [observation.nodes[other].end for other in pair]
        after.append(start - min(ends))
        running += start < max(ends) - tolerance_ns
    if min(after) < -tolerance_ns or loose(after, think_ns) or running < CASES_MIN:
        return None
    return max(after) - min(after)


def add_firsts(observations: Sequence[Observation], firsts: Mapping[str, Sequence[str]]) -> None:
    """Give recorded flows the nodes of their first ends."""
    for observation in observations:
        for name, ops in firsts.items():
            node = first_node(name, [n for op in ops if (n := observation.nodes.get(op))])
            if node is not None:
                observation.nodes[name] = node


def first_node(name: str, nodes: Sequence[Node]) -> Node | None:
    """Make the node of the first end of some calls; None when there are none."""
    if not nodes:
        return None
    won = min(nodes, key=lambda node: (node.end, node.op)).instances[0]
    moment = Instance(
        op=name, key="", start=won.end, end=won.end, status=won.status, response=won.response,
        request={}, breaker=won.breaker, effect=won.effect,
        low=min(node.low for node in nodes), high=min(node.high for node in nodes),
    )  # fmt: skip
    return Node(name, [moment]).settle()
