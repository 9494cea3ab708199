"""Small decision trees that know how far they can be believed.

A split keeps the empty gap around its threshold and the rival splits that explain the same rows
equally well; a leaf keeps its count. Reading a tree gives a label and the doubts on the way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from replay.infer.view import Ref
from replay.leaves import Scalar, is_number, same

Label: TypeAlias = bool | str | int
_NUMBERS = (int, float)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A label, and how many recordings stand behind it.

    `ranges` and `words` say what was seen in these recordings, where that is less than elsewhere:
    of the numbers that the tree asks about, of the words beside them.
    """

    label: Label
    count: int
    pure: bool
    ranges: tuple[tuple[Ref, float, float], ...] = ()
    words: tuple[tuple[Ref, tuple[Scalar, ...]], ...] = ()

    def unlike(self, value: Callable[[Ref], Scalar]) -> list[tuple[str, Any]]:
        """Doubt a case that differs from all recordings behind the label."""
        doubts: list[tuple[str, Any]] = []
        for ref, low, high in self.ranges:
            found = value(ref)
            if isinstance(found, _NUMBERS) and not low <= found <= high:
                doubts.append(("outside_leaf", [ref_name(ref), repr(found)]))
        for ref, missing in self.words:
            found = value(ref)
            if found is not None and found in missing:
                doubts.append(("never_together", [ref_name(ref), str(found)]))
        return doubts


@dataclass(frozen=True, slots=True)
class Test:
    """A question about one place: `above` a number, `equal` to a value, or `present`."""

    ref: Ref
    kind: str
    value: Scalar

    def holds(self, value: Scalar) -> bool:
        """Answer the question."""
        if self.kind == "present":
            return value is not None
        if self.kind == "above":
            return is_number(value) and value > self.value  # type: ignore[operator]
        return same(value, self.value)


@dataclass(frozen=True, slots=True)
class Rival:
    """A question that explained the same rows, and its two labels."""

    test: Test
    yes: Label
    no: Label


@dataclass(frozen=True, slots=True)
class Split:
    """A question with its answers.

    A threshold could lie anywhere between `low` and `high` without a recording against it (None:
    as far as numbers go).
    """

    test: Test
    low: float | None
    high: float | None
    yes: "Leaf | Split"
    no: "Leaf | Split"
    rivals: tuple[Rival, ...] = ()
    seen: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Together:
    """Two places that a tree asks for words, and which words were seen in both at once."""

    one: Ref
    other: Ref
    pairs: tuple[tuple[Scalar, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree with its cross-validated record: `right` of `count` held-out rows."""

    root: Leaf | Split
    count: int
    labels: int
    right: int | None
    reliable: bool
    together: tuple[Together, ...] = ()

    def read(self, value: Callable[[Ref], Scalar]) -> tuple[Label, list[tuple[str, Any]]]:
        """Follow the tree; doubts come as (word, detail)."""
        node = self.root
        doubts: list[tuple[str, Any]] = []
        while isinstance(node, Split):
            node = _step(node, value, doubts)
        if not node.pure:
            doubts.append(("impure_leaf", node.count))
        if node.count < 3 and self.labels > 1:
            doubts.append(("low_support", node.count))
        if node.ranges or node.words:
            doubts.extend(node.unlike(value))
        for place in self.together:
            said = value(place.one), value(place.other)
            if said not in place.pairs:
                named = f"{ref_name(place.one)} {said[0]}", f"{ref_name(place.other)} {said[1]}"
                doubts.append(("never_together", list(named)))
        return node.label, doubts


def _step(
    split: Split, value: Callable[[Ref], Scalar], doubts: list[tuple[str, Any]]
) -> "Leaf | Split":
    test = split.test
    kind, found = test.kind, value(test.ref)
    if kind == "equal":
        if found is not None and found not in split.seen:
            doubts.append(("novel_value", [ref_name(test.ref), str(found)]))
        yes = same(found, test.value)
    elif kind == "above":
        yes = is_number(found)
        if yes:
            low, high = split.low, split.high
            # Whether the recordings leave it open on which side of the threshold the value lies.
            if (
                (low is None or low < found)  # type: ignore[operator]
                and (high is None or found < high)  # type: ignore[operator]
                and label_of(split.yes, value) != label_of(split.no, value)
            ):
                doubts.append(("threshold_gap", [ref_name(test.ref), repr(low), repr(high)]))
            yes = found > test.value  # type: ignore[operator]
    else:
        yes = found is not None
    taken = split.yes if yes else split.no
    if isinstance(taken, Leaf):
        for rival in split.rivals:
            said = rival.yes if rival.test.holds(value(rival.test.ref)) else rival.no
            if said != taken.label:
                both = [ref_name(split.test.ref), ref_name(rival.test.ref)]
                doubts.append(("rival_guard", both))
    return taken


def label_of(node: Leaf | Split, value: Callable[[Ref], Scalar]) -> Label:
    """Follow a tree without asking how far it can be believed."""
    while isinstance(node, Split):
        node = node.yes if node.test.holds(value(node.test.ref)) else node.no
    return node.label


def ref_name(ref: Ref) -> str:
    """Write a place in words."""
    return ".".join(ref)


def all_pure(node: Leaf | Split) -> bool:
    """Say whether every leaf of a tree holds one label only."""
    if isinstance(node, Leaf):
        return node.pure
    return all_pure(node.yes) and all_pure(node.no)
