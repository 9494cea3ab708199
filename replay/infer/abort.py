"""Which answers end a flow: failing statuses, and good answers that say no."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replay.infer.grow import grow
from replay.infer.order import Order
from replay.infer.tree import Leaf, Split, Tree
from replay.infer.view import Node, Observation, Ref, Table, View

CANDIDATE_DEPTH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """The abort rule of a program.

    `fatal` and `tolerated` count failing statuses by operation; `refusals` holds, per operation,
    a tree that says whether its answer ends the flow though its status does not. `branch_only` is
    True when other branches still start calls after an abort; `scope_seen` counts the cases.
    `retried` lists statuses after which an operation was called again: a failing status never seen
    as the last one is taken for its likes. `frontier` names operations after which flows ended
    without an explanation.
    """

    fatal: Mapping[str, Mapping[str, int]]
    tolerated: Mapping[str, Mapping[str, int]]
    refusals: Mapping[str, Tree]
    retried: Mapping[str, tuple[str, ...]]
    branch_only: bool
    scope_seen: int
    unexplained: int
    frontier: tuple[str, ...]

    def ends(self, node: Node, view: View) -> tuple[bool, list[tuple[str, Any]]]:
        """Say whether this node's answers end the flow, with the doubts."""
        doubts: list[tuple[str, Any]] = []
        for instance in node.instances:
            if instance.status != "ok" and self._fatal(node.op, instance.status, doubts):
                return True, doubts
        tree = self.refusals.get(node.op)
        if tree is None:
            return False, doubts
        label, more = tree.read(view.value)
        if not tree.reliable and any(word in ("low_support", "impure_leaf") for word, _ in more):
            more.append(("unreliable_refusal", f"{tree.right or 0} of {tree.count} held-out"))
        return bool(label), doubts + more

    def _fatal(self, op: str, status: str, doubts: list[tuple[str, Any]]) -> bool:
        fatal = self.fatal.get(op, {})
        tolerated = self.tolerated.get(op, {})
        if status in tolerated:
            return False
        if status in fatal:
            if fatal[status] < 3:
                doubts.append(("low_support", [f"fatal {status}", op, fatal[status]]))
            return True
        doubts.append(("novel_failure", [op, status]))
        retried = self.retried.get(op, ())
        likes = [
            sum(count for word, count in counts.items() if (word in retried) == (status in retried))
            for counts in (fatal, tolerated)
        ]
        if any(likes):
            return likes[0] > likes[1]
        return not tolerated or bool(fatal)


def learn_abort(
    observations: Sequence[Observation], order: Order, table: Table, think_ns: int
) -> tuple[Abort, list[frozenset[str]]]:
    """Find the abort rule, and per observation the operations that ended it."""
    after = _descendants(order)
    fatal, tolerated = _statuses(observations, order, after)
    left = [
        row
        for row, observation in enumerate(observations)
        if not observation.good and not _failed(observation, fatal, order)
    ]
    refusals = _refusals(observations, order, table, after, left)
    ended = []
    for row, observation in enumerate(observations):
        ops = set(_failed(observation, fatal, order))
        for op, tree in refusals.items():
            if op in observation.nodes and tree.read(observation.view.value)[0]:
                ops.add(op)
        ended.append(frozenset(order.sequence) if row in left else frozenset(ops))
    late, seen = _scope(observations, order, ended, think_ns)
    frontier = {op for row in left for op in _frontier(observations[row], after)}
    rule = Abort(
        fatal=fatal,
        tolerated=tolerated,
        refusals=refusals,
        retried=_retried(observations),
        branch_only=late > 0.02 * max(seen, 1),
        scope_seen=seen,
        unexplained=len(left),
        frontier=tuple(sorted(frontier)),
    )
    return rule, ended


def _retried(observations: Sequence[Observation]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for observation in observations:
        for op, node in observation.nodes.items():
            for instance in node.instances:
                again = {status for status in instance.tries[:-1] if status != "ok"}
                if again:
                    found.setdefault(op, set()).update(again)
    return {op: tuple(sorted(statuses)) for op, statuses in sorted(found.items())}


def _descendants(order: Order) -> dict[str, frozenset[str]]:
    return {
        op: frozenset(other for other in order.sequence if op in order.before[other])
        for op in order.sequence
    }


def _statuses(
    observations: Sequence[Observation], order: Order, after: Mapping[str, frozenset[str]]
) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]]:
    """Count failing statuses; one is tolerated when a flow went on after it or succeeded."""
    fatal: dict[str, dict[str, int]] = {}
    tolerated: dict[str, dict[str, int]] = {}
    for observation in observations:
        nodes = observation.nodes
        for op in order.sequence:
            if op not in nodes or nodes[op].status == "ok":
                continue
            went_on = observation.good or any(
                other in nodes and nodes[other].start >= nodes[op].end for other in after[op]
            )
            for status in {i.status for i in nodes[op].instances if i.status != "ok"}:
                counts = (tolerated if went_on else fatal).setdefault(op, {})
                counts[status] = counts.get(status, 0) + 1
    for op, counts in tolerated.items():
        for status in counts:
            fatal.get(op, {}).pop(status, None)
    return {op: counts for op, counts in fatal.items() if counts}, tolerated


def _failed(
    observation: Observation, fatal: Mapping[str, Mapping[str, int]], order: Order
) -> list[str]:
    if observation.good:
        return []
    return [
        op
        for op, statuses in fatal.items()
        if op in observation.nodes
        and op in order.before
        and any(item.status in statuses for item in observation.nodes[op].instances)
    ]


def _frontier(observation: Observation, after: Mapping[str, frozenset[str]]) -> list[str]:
    nodes = observation.nodes
    return [op for op in nodes if op in after and not any(x in nodes for x in after[op])]


def _refusals(
    observations: Sequence[Observation],
    order: Order,
    table: Table,
    after: Mapping[str, frozenset[str]],
    left: list[int],
) -> dict[str, Tree]:
    """Explain aborts without a failing call, one operation's answer at a time, best first.

    `left` is emptied of the flows that get an explanation.
    """
    refusals: dict[str, Tree] = {}
    while left:
        best: tuple[tuple[int, int], str, Tree, list[int]] | None = None
        for op in order.sequence:
            if op in refusals:
                continue
            found = _candidate(observations, order, table, after, left, op)
            if found is not None and (best is None or found[0] > best[0]):
                best = (found[0], op, found[1], found[2])
        if best is None:
            break
        refusals[best[1]] = best[2]
        explained = set(best[3])
        left[:] = [row for row in left if row not in explained]
    return refusals


def _candidate(
    observations: Sequence[Observation],
    order: Order,
    table: Table,
    after: Mapping[str, frozenset[str]],
    left: Sequence[int],
    op: str,
) -> tuple[tuple[int, int], Tree, list[int]] | None:
    ended = [
        row
        for row in left
        if op in observations[row].nodes and op in _frontier(observations[row], after)
    ]
    if not ended:
        return None
    went_on = [
        row
        for row, observation in enumerate(observations)
        if op in observation.nodes
        and (observation.good or any(other in observation.nodes for other in after[op]))
    ]
    if not went_on:
        always = Tree(Leaf(True, len(ended), True), len(ended), 1, None, True)
        return (len(ended), 0), always, ended
    rows = ended + went_on
    labels = [True] * len(ended) + [False] * len(went_on)
    own = [ref for ref in table.columns if len(ref) > 1 and ref[1] == op and ref[0] != "input"]
    context = [ref for ref in table.refs(order.before[op]) if ref not in own]
    best: tuple[tuple[int, int], Tree, list[int]] | None = None
    for refs, depth, words_only in (
        (own, CANDIDATE_DEPTH, True),
        (own + context, CANDIDATE_DEPTH + 1, True),
        (own, CANDIDATE_DEPTH, False),
        (own + context, CANDIDATE_DEPTH + 1, False),
    ):
        columns = {ref: [table.columns[ref][row] for row in rows] for ref in refs}
        tree = grow(columns, labels, _own_first(op), depth=depth, words_only=words_only)
        explained = [row for row in ended if _pure_yes(tree, observations[row].view)]
        wrong = sum(_pure_yes(tree, observations[row].view) for row in went_on)
        score = (len(explained), len(went_on))
        # Some number or other tells any one flow from all the rest, and so do a few words
        # together: that is no reason yet.
        asked = max((_questions(tree, observations[row].view) for row in explained), default=0)
        chance = len(explained) < max(asked, 1 if words_only else 2)
        if explained and not wrong and not chance and (best is None or score > best[0]):
            best = (score, tree, explained)
        if len(explained) == len(ended) and not wrong:
            break
    return best


def _questions(tree: Tree, view: View) -> int:
    """Count what a tree asks of a flow."""
    node, count = tree.root, 0
    while isinstance(node, Split):
        node = node.yes if node.test.holds(view.value(node.test.ref)) else node.no
        count += 1
    return count


def _own_first(op: str) -> Callable[[Ref], int]:
    return lambda ref: 0 if ref[0] != "input" and ref[1] == op else 1


def _pure_yes(tree: Tree, view: View) -> bool:
    label, doubts = tree.read(view.value)
    return label is True and not any(word == "impure_leaf" for word, _ in doubts)


def _scope(
    observations: Sequence[Observation],
    order: Order,
    ended: Sequence[frozenset[str]],
    think_ns: int,
) -> tuple[int, int]:
    """Count aborts during which an unrelated operation started later, and aborts."""
    late = seen = 0
    for observation, ops in zip(observations, ended, strict=True):
        nodes = observation.nodes
        bad = [op for op in ops if op in nodes]
        if observation.good or not bad or len(ops) == len(order.sequence):
            continue
        seen += 1
        first = min(bad, key=lambda op: (nodes[op].end, op))
        limit = nodes[first].end + 10 * think_ns
        late += any(
            op != first and first not in order.before[op] and nodes[op].start > limit
            for op in nodes
            if op in order.before
        )
    return late, seen
