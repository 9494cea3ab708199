"""How alike two requests are, and which of many recorded ones are most alike to one asked.

The likeness of two requests is the share of their leaves that they have in common. Looking
through many goes over an index from leaf to the requests that have it, so it costs what the
request asked shares with the recorded ones, not what there is of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from replay.leaves import Leaves, Scalar, same

_Leaf: TypeAlias = tuple[str, bool, Scalar]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The requests with the same paths; `common` are the leaves that all of them have."""

    paths: frozenset[str]
    numbers: tuple[int, ...]
    common: frozenset[_Leaf]


class Alike:
    """An index over requests, which are known by their numbers in the sequence given."""

    def __init__(self, requests: Sequence[Leaves]) -> None:
        by_paths: dict[frozenset[str], list[int]] = {}
        for number, request in enumerate(requests):
            by_paths.setdefault(frozenset(request), []).append(number)
        self.shapes: list[_Shape] = []
        self.shape_of: dict[int, int] = {}
        self.by_leaf: dict[_Leaf, list[int]] = {}
        for paths, numbers in by_paths.items():
            leaves = {number: _leaves(requests[number]) for number in numbers}
            common = frozenset.intersection(*map(frozenset, leaves.values()))
            for number in numbers:
                self.shape_of[number] = len(self.shapes)
                for leaf in leaves[number]:
                    if leaf not in common:
                        self.by_leaf.setdefault(leaf, []).append(number)
            self.shapes.append(_Shape(paths, tuple(numbers), common))

    def nearest(
        self, asked: Leaves, margin: int, free: Callable[[int], bool]
    ) -> list[tuple[int, int]]:
        """Give the free requests most alike as (likeness in percent, number), the best first.

        Those that come closer than `margin` percent to the best one come with it.
        """
        leaves = _leaves(asked)
        shared: dict[int, int] = {}
        for leaf in leaves:
            for number in self.by_leaf.get(leaf, ()):
                shared[number] = shared.get(number, 0) + 1
        least = [len(shape.common.intersection(leaves)) for shape in self.shapes]
        every = [len(shape.paths | asked.keys()) for shape in self.shapes]
        scored: list[tuple[int, int]] = []
        for number, more in shared.items():
            if free(number):
                at = self.shape_of[number]
                scored.append((100 * (least[at] + more) // every[at], number))
        best = max(scored)[0] if scored else -1
        for at, shape in enumerate(self.shapes):
            score = 100 * least[at] // every[at] if every[at] else 0
            if score > best - margin:
                rest = [n for n in shape.numbers if n not in shared and free(n)]
                scored.extend((score, number) for number in rest)
                best = max(best, score) if rest else best
        kept = [(score, number) for score, number in scored if best - score < margin]
        return sorted(kept, key=lambda item: (-item[0], item[1]))


def likeness(recorded: Leaves, asked: Leaves) -> int:
    """Give the share of leaves that two requests have in common, in percent."""
    every = len(recorded.keys() | asked.keys())
    equal = sum(path in asked and same(value, asked[path]) for path, value in recorded.items())
    return 100 * equal // every if every else 0


def _leaves(request: Leaves) -> list[_Leaf]:
    return [(path, isinstance(value, bool), value) for path, value in request.items()]
