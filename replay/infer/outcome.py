"""How a flow ends, given what happened in it."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from replay.infer.grow import grow
from replay.infer.order import Order
from replay.infer.recovery import Recovery
from replay.infer.tree import Tree
from replay.infer.undo_rules import undone_reader
from replay.infer.view import Observation, Ref, Table, View
from replay.leaves import Scalar

OUTCOME_DEPTH = 5
_OWN: tuple[Ref, ...] = (
    ("own", "aborted"),
    ("own", "to_undo"),
    ("own", "undone"),
    ("own", "undo_failed"),
    ("own", "undo_left"),
)


class Ending(Struct, frozen=True, gc=False):
    """What the outcome depends on, beside statuses."""

    aborted: bool
    to_undo: bool
    undone: bool
    undo_failed: bool
    undo_left: bool

    def text(self) -> str:
        """Write the five answers as one word."""
        return "".join("ny"[getattr(self, ref[1])] for ref in _OWN)

    def reader(self, view: View) -> Callable[[Ref], Scalar]:
        """Read these answers, or places of the flow."""
        return lambda ref: getattr(self, ref[1]) if ref[0] == "own" else view.value(ref)


def ending_of(view: View, aborted: bool, recovery: Recovery) -> Ending:
    """Count what had to be undone, what was, and what failed."""
    wanted = done = failed = 0
    for rule in recovery.rules:
        if not rule.source:
            continue
        node = view.nodes.get(rule.op)
        runs = node.instances if node is not None else []
        source = view.nodes.get(rule.source)
        for target in source.instances if aborted and source is not None else ():
            mine = {run.status == "ok" for run in runs if run.undone is target}
            done += True in mine
            failed += False in mine
            wanted += bool(mine) or bool(rule.when.read(undone_reader(view.value, target))[0])
    return Ending(aborted, wanted > 0, done > 0, failed > 0, wanted > done + failed)


def learn_outcome(
    observations: Sequence[Observation],
    ended: Sequence[frozenset[str]],
    recovery: Recovery,
    order: Order,
    table: Table,
) -> tuple[Tree, tuple[str, ...]]:
    """Fit the outcome; the endings seen are listed."""
    endings = [
        ending_of(observation.view, bool(ops & observation.nodes.keys()), recovery)
        for observation, ops in zip(observations, ended, strict=True)
    ]
    labels = [observation.recording.outcome for observation in observations]
    columns: dict[Ref, Sequence[Scalar]] = {
        ref: [getattr(ending, ref[1]) for ending in endings] for ref in _OWN
    }
    if len(set(labels)) > 1:
        columns.update(
            (ref, column)
            for ref, column in table.columns.items()
            if ref[0] in ("status", "effect", "answer") and len(set(column)) <= 12
        )
    tree = grow(columns, labels, _rank, depth=OUTCOME_DEPTH)
    return tree, tuple(sorted({ending.text() for ending in endings}))


def _rank(ref: Ref) -> int:
    return {"own": 0, "status": 1, "answer": 2}.get(ref[0], 3)
