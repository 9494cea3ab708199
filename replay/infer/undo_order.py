"""The order in which compensations run, chosen by how many recordings contradict it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from replay.infer.order import Order
from replay.infer.view import Instance, Observation

# An undone run, the operation that undoes it, and the place of the undone one in the program.
Undo: TypeAlias = tuple[str, Instance, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOrder:
    """The chosen order, orders that fit as well, and the static list of compensations.

    `wrong` of `pairs` recorded pairs contradict the choice.
    """

    name: str
    rivals: tuple[str, ...]
    listed: Mapping[str, int]
    wrong: int
    pairs: int

    def key(self, name: str, undo: Undo) -> tuple[int, ...]:
        """Give the sorting key of one compensation under the order called `name`."""
        return _KEYS[name](undo, self.listed)


_KEYS: dict[str, Callable[[Undo, Mapping[str, int]], tuple[int, ...]]] = {
    "reverse_completion": lambda undo, _: (-undo[1].end,),
    "reverse_program": lambda undo, _: (-undo[2], -undo[1].index),
    "reverse_start": lambda undo, _: (-undo[1].start,),
    "program": lambda undo, _: (undo[2], undo[1].index),
    "start": lambda undo, _: (undo[1].start,),
    "completion": lambda undo, _: (undo[1].end,),
    "listed": lambda undo, listed: (listed.get(_what(undo), 0), undo[1].index),
    "listed_reverse": lambda undo, listed: (listed.get(_what(undo), 0), -undo[1].index),
    "listed_completion": lambda undo, listed: (listed.get(_what(undo), 0), undo[1].end),
    "listed_reverse_completion": lambda undo, listed: (listed.get(_what(undo), 0), -undo[1].end),
}
TIMED = tuple(name for name in _KEYS if name.endswith(("completion", "start")))


def learn_undo_order(aborted: Sequence[Observation], ops: Sequence[str], order: Order) -> UndoOrder:
    """Compare every known order with the recorded pairs of compensations."""
    place = {op: index for index, op in enumerate(order.sequence)}
    pairs: list[tuple[Undo, Undo]] = []
    for observation in aborted:
        runs = sorted(
            (
                (run.start, op, run)
                for op in ops
                if op in observation.nodes
                for run in observation.nodes[op].instances
                if run.undone is not None
            ),
            key=lambda item: (item[0], item[1], item[2].key),
        )
        undos = [(op, run.undone, place.get(run.undone.op, 0)) for _, op, run in runs if run.undone]
        pairs.extend((undos[i], undos[j]) for j in range(len(undos)) for i in range(j))
    listed = _listed(pairs)
    # A tie counts half: an order that does not decide is worse than one that decides rightly.
    wrong = {
        name: sum(_against(key(first, listed), key(second, listed)) for first, second in pairs)
        for name, key in _KEYS.items()
    }
    best = min(_KEYS, key=lambda name: (wrong[name], list(_KEYS).index(name)))
    limit = wrong[best] + max(2, 6 * len(pairs) // 100)
    rivals = tuple(name for name in _KEYS if name != best and wrong[name] <= limit)
    return UndoOrder(
        name=best, rivals=rivals, listed=listed, wrong=wrong[best] // 2, pairs=len(pairs)
    )


def _against(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    return 2 if first > second else int(first == second)


def _what(undo: Undo) -> str:
    """Name a compensation with what it undoes: one may undo a step made at several places."""
    return f"{undo[0]} of {undo[1].op}"


def _listed(pairs: Sequence[tuple[Undo, Undo]]) -> dict[str, int]:
    """Order the compensations by how many others each ran before."""
    wins: dict[tuple[str, str], int] = {}
    for first, second in pairs:
        one, two = _what(first), _what(second)
        if one != two:
            wins[one, two] = wins.get((one, two), 0) + 1
    whats = sorted({what for pair in wins for what in pair})
    # Copeland's rule: how many others it usually precedes; rare pairs count as much as common ones.
    score = {
        what: sum(
            (wins.get((what, other), 0) > wins.get((other, what), 0))
            - (wins.get((what, other), 0) < wins.get((other, what), 0))
            for other in whats
        )
        for what in whats
    }
    ranked = sorted(score, key=lambda what: (-score[what], what))
    return {what: index for index, what in enumerate(ranked)}
