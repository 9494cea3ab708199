"""A second call that is made because the first has not answered in time, and runs beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from replay.infer.order import Order
from replay.infer.timing import Span3, loose, spread
from replay.infer.view import Node, Observation

CASES_MIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """The operation starts when `on` has run for `wait` without an answer, and only then."""

    on: str
    wait: Span3
    seen: int


def learn_hedge(
    observations: Sequence[Observation], op: str, order: Order, think_ns: int, tolerance_ns: int
) -> Hedge | None:
    """Find the call an operation hedges: always the same time after its start, never without."""
    rows = [o for o in observations if op in o.nodes]
    if len(rows) < CASES_MIN or any(len(o.nodes[op].instances) > 1 for o in rows):
        return None
    for on in order.sequence:
        if on == op or on in order.before[op] or op in order.before[on]:
            continue
        if any(on not in o.nodes for o in rows):
            continue
        waits = [o.nodes[op].start - o.nodes[on].start for o in rows]
        if min(waits) < 4 * tolerance_ns or loose(waits, think_ns):
            continue
        wait = spread(waits)
        alone = [o.nodes[on] for o in observations if on in o.nodes and op not in o.nodes]
        if len(alone) < CASES_MIN or any(_lasted(node) > wait.high for node in alone):
            continue
        if any(_lasted(o.nodes[on]) < wait.low for o in rows):
            continue
        return Hedge(on=on, wait=wait, seen=len(rows))
    return None


def _lasted(node: Node) -> int:
    return node.end - node.start
