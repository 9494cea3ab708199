"""Which compensation undoes what, and under which conditions it runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from replay.infer.grow import grow
from replay.infer.order import Order
from replay.infer.tree import Tree, all_pure
from replay.infer.view import Instance, Node, Observation, Ref, Table
from replay.leaves import Scalar

UNDONE_STATUS: Ref = ("undone", "status")
UNDONE_ATTEMPTS: Ref = ("undone", "attempts")
WHEN_DEPTH = 3
# What a compensation undoes was there whenever it ran, but for one in so many, for lost spans.
SOURCELESS_ONE_OF = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRule:
    """One compensation. `source` is the operation it undoes ("" = not tied to one).

    `when` says for which runs of the source it runs; `rivals` are sources that explain the
    recordings as well; `place` is where one without a source stands: first or last.
    """

    op: str
    source: str
    when: Tree
    seen: int
    declared: bool
    rivals: tuple[str, ...]
    place: str


def sources_of(
    aborted: Sequence[Observation], op: str, order: Order
) -> tuple[list[str], list[str], bool]:
    """Name the operations a compensation undoes, its rivals, and whether that was declared."""
    declared: dict[str, int] = {}
    for observation in aborted:
        node = observation.nodes.get(op)
        for instance in node.instances if node is not None else ():
            if instance.undoes is not None and instance.undoes[0] in order.before:
                source = instance.undoes[0]
                declared[source] = declared.get(source, 0) + 1
    if declared:
        return sorted(declared), [], True
    scored = []
    ran = sum(op in observation.nodes for observation in aborted)
    for source in order.sequence:
        for tried in (False, True):
            without = left = 0  # runs with nothing to undo, and things left as they were
            for observation in aborted:
                there = undoable(observation.nodes.get(source), tried)
                without += not there and op in observation.nodes
                left += there and op not in observation.nodes
            if without * SOURCELESS_ONE_OF <= ran:
                scored.append((without + left, tried, -_name_kinship(op, source), source))
    absent = sum(op not in observation.nodes for observation in aborted)
    scored.sort()
    if not scored or absent <= scored[0][0]:
        return [], [], False
    best = scored[0]
    rivals = [item[3] for item in scored[1:] if item[:2] == best[:2] and item[3] != best[3]]
    if scored[0][2] != 0:
        # A shared word in the names only breaks a tie.
        rivals = [r for r in rivals if _name_kinship(op, r) == -best[2]]
    misfit = best[0] > max(1, len(aborted) // 20)
    return ([] if misfit else [best[3]]), sorted(set(rivals)), False


def undoable(node: Node | None, tried: bool) -> bool:
    if node is None:
        return False
    return tried or any(instance.status == "ok" for instance in node.instances)


def _name_kinship(op: str, source: str) -> int:
    def words(name: str) -> set[str]:
        cleaned = "".join(c if c.isalnum() else " " for c in name.lower())
        return {word[:5] for word in cleaned.split()}

    return len(words(op) & words(source))


def pair(aborted: Sequence[Observation], op: str, source: str) -> None:
    """Tie every run of a compensation to the run it undoes."""
    for observation in aborted:
        node, undone = observation.nodes.get(op), observation.nodes.get(source)
        if node is None or undone is None:
            continue
        for instance in node.instances:
            if instance.undoes is not None:
                if instance.undoes[0] == source:
                    keyed = [i for i in undone.instances if i.key == instance.undoes[1]]
                    instance.undone = keyed[0] if keyed else None
                continue
            instance.undone = _undone_by(instance, undone)


def _undone_by(instance: Instance, undone: Node) -> Instance | None:
    if len(undone.instances) == 1:
        return undone.instances[0]
    for candidate in undone.instances:
        known = (candidate.key, *candidate.response.values(), *candidate.request.values())
        if instance.key in known:
            return candidate
    for candidate in undone.instances:
        if candidate.key and candidate.key in instance.key:
            return candidate
    return None


def undo_failed(observation: Observation, ops: Sequence[str]) -> bool:
    nodes = observation.nodes
    return any(op in nodes and nodes[op].status != "ok" for op in ops)


def learn_rule(
    observations: Sequence[Observation],
    rows: Sequence[int],
    op: str,
    source: str,
    rivals: Sequence[str],
    declared: bool,
    order: Order,
    table: Table,
    ops: Sequence[str],
) -> UndoRule:
    labels: list[bool] = []
    used: list[int] = []
    targets_seen: list[Instance] = []
    seen = 0
    for row in rows:
        observation = observations[row]
        node = observation.nodes.get(op)
        runs = node.instances if node is not None else []
        targets = targets_of(observation, source)
        for target in targets:
            ran = bool(runs) if target is None else any(i.undone is target for i in runs)
            if not ran and undo_failed(observation, ops):
                continue  # it may have been meant to run and was stopped
            seen += ran
            labels.append(ran)
            used.append(row)
            if target is not None:
                targets_seen.append(target)
    columns: dict[Ref, list[Scalar]] = {}
    if len(set(labels)) > 1:
        columns = {
            ref: [table.columns[ref][row] for row in used] for ref in table.refs(order.sequence)
        }
        if source:
            columns[UNDONE_STATUS] = [target.status for target in targets_seen]
            columns[UNDONE_ATTEMPTS] = [len(target.tries) for target in targets_seen]
    when = _when(columns, labels or [False])
    return UndoRule(
        op=op,
        source=source,
        when=when,
        seen=seen,
        declared=declared,
        rivals=tuple(rivals),
        place="" if source else _place([observations[row] for row in rows], op, ops),
    )


def _when(columns: Mapping[Ref, Sequence[Scalar]], labels: Sequence[bool]) -> Tree:
    """Ask how the undone step and the others ended; what they answered only if need be."""
    statuses = {ref: column for ref, column in columns.items() if _rank_undone(ref) < 2}
    tree = grow(statuses, labels, _rank_undone, depth=WHEN_DEPTH)
    if all_pure(tree.root):
        return tree
    return grow(columns, labels, _rank_undone, depth=WHEN_DEPTH)


def targets_of(observation: Observation, source: str) -> list[Instance | None]:
    if not source:
        return [None]
    node = observation.nodes.get(source)
    return list(node.instances) if node is not None else []


def _rank_undone(ref: Ref) -> int:
    if ref == UNDONE_STATUS:
        return 0
    return {"undone": 1, "status": 1, "breaker": 3}.get(ref[0], 2)


def _place(aborted: Sequence[Observation], op: str, ops: Sequence[str]) -> str:
    first = last = 0
    for observation in aborted:
        others = [observation.nodes[o].start for o in ops if o != op and o in observation.nodes]
        if op in observation.nodes and others:
            first += observation.nodes[op].start <= min(others)
            last += observation.nodes[op].start >= max(others)
    return "first" if first > last else "last"


def undone_reader(value: Callable[[Ref], Scalar], target: Instance) -> Callable[[Ref], Scalar]:
    """Read places of the flow, and of the step that is to be undone."""

    def read(ref: Ref) -> Scalar:
        if ref[0] != "undone":
            return value(ref)
        return target.status if ref == UNDONE_STATUS else len(target.tries)

    return read
