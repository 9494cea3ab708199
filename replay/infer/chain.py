"""Loops in which each answer names the next call: pages by token, links that are followed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from replay.infer.binding import Binding, bind
from replay.infer.expression import Scope
from replay.infer.order import Order
from replay.infer.timing import CASES_MIN, Span3, spread
from replay.infer.view import Instance, Observation
from replay.leaves import Leaves, Scalar

# Under this name the steps of a round read the key of the call that began it.
ROUND_KEY = "$key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The operation is called again under the key at `path` of its answer, until none is there.

    `first` makes the first key. `members` run in each round before the next, in this order;
    `between` is the wait before a round. `seen` counts recorded calls, `most` those of one flow.
    """

    path: str
    first: Binding
    members: tuple[str, ...]
    between: Span3
    seen: int
    most: int

    def next_key(self, response: Leaves) -> str | None:
        """Give the key of the next round; None when there is none."""
        value = response.get(self.path)
        return str(value) if _named(value) else None


def _named(value: Scalar) -> bool:
    return value is not None and value != "" and value is not False


def learn_chains(
    observations: Sequence[Observation], order: Order, taken: Iterable[str], share: float
) -> tuple[dict[str, Chain], dict[str, Span3]]:
    """Find the loops, and the waits of the steps inside them.

    `taken` are operations whose keys are explained. Sets the element of every step of a round.
    """
    several = {
        op
        for op in order.sequence
        if any(len(o.nodes[op].instances) > 1 for o in observations if op in o.nodes)
    } - set(taken)
    chains: dict[str, Chain] = {}
    waits: dict[str, Span3] = {}
    for op in order.sequence:
        rows = [o for o in observations if op in o.nodes]
        path = _path(rows, op) if op in several else None
        if path is None:
            continue
        samples = [(Scope(o.view), o.nodes[op].instances[0].key) for o in rows]
        first = bind(samples, sorted(order.before[op]), share)
        if first is None:
            continue
        members = _members(rows, op, sorted(several - {op} - chains.keys()))
        between, theirs = _waits(rows, op, members)
        waits.update(theirs)
        counts = [len(o.nodes[op].instances) for o in rows]
        chains[op] = Chain(
            path=path, first=first, members=members, between=between, seen=sum(counts),
            most=max(counts),
        )  # fmt: skip
        several.difference_update(members)
    return chains, waits


def _path(rows: Sequence[Observation], op: str) -> str | None:
    """Find the field that held each next key, and nothing where the loop went no further."""
    steps: list[tuple[Instance, str | None]] = []
    for observation in rows:
        runs = observation.nodes[op].instances
        for one, two in pairwise(runs):
            if one.end > two.start:
                return None
            steps.append((one, two.key))
        # A flow that failed may have ended before the next round.
        if observation.good:
            steps.append((runs[-1], None))
    followed = [one for one, key in steps if key is not None]
    if len(followed) < CASES_MIN:
        return None
    for path in sorted(followed[0].response):
        if all(
            key == (str(value) if _named(value := one.response.get(path)) else None)
            for one, key in steps
        ):
            return path
    return None


def _members(rows: Sequence[Observation], op: str, others: Sequence[str]) -> tuple[str, ...]:
    """Name the operations that ran once in every round, in their order."""
    found: dict[str, int] = {}
    for other in others:
        inside = 0
        for observation in rows:
            rounds = _rounds(observation, op, other)
            if rounds is None:
                break
            for start, head, run in rounds:
                inside += run.start - start
                run.item = {ROUND_KEY: head.key, **head.response}
        else:
            found[other] = inside
    return tuple(sorted(found, key=lambda other: (found[other], other)))


def _rounds(
    observation: Observation, op: str, other: str
) -> list[tuple[int, Instance, Instance]] | None:
    """Pair the runs of one operation with the rounds they are in; None where that fails."""
    heads = observation.nodes[op].instances
    node = observation.nodes.get(other)
    runs = list(node.instances) if node is not None else []
    paired = []
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        mine = [r for r in runs if r.start >= head.end and (not after or r.end <= after.start)]
        if len(mine) == 1:
            paired.append((head.end, head, mine[0]))
        elif mine or after is not None or observation.good:
            return None
        runs = [run for run in runs if run not in mine]
    return None if runs else paired


def _waits(
    rows: Sequence[Observation], op: str, members: Sequence[str]
) -> tuple[Span3, dict[str, Span3]]:
    """Measure the wait before a next round, and that before each step of one."""
    between: list[int] = []
    inside: Mapping[str, list[int]] = {member: [] for member in members}
    for observation in rows:
        heads = observation.nodes[op].instances
        for number, head in enumerate(heads):
            end = head.end
            for member in members:
                node = observation.nodes.get(member)
                if node is None or number >= len(node.instances):
                    break
                inside[member].append(max(node.instances[number].start - end, 0))
                end = node.instances[number].end
            if number + 1 < len(heads):
                between.append(max(heads[number + 1].start - end, 0))
    return spread(between), {member: spread(waits) for member, waits in inside.items()}
