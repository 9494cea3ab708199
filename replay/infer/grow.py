"""Fits decision trees to what was recorded."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

from replay.infer.leaf_support import seen_together, supported
from replay.infer.questions import impurity_of, threshold, word
from replay.infer.tree import Label, Leaf, Rival, Split, Test, Tree, all_pure
from replay.infer.view import Ref
from replay.leaves import Scalar, is_number, keys_sorted

Columns: TypeAlias = Mapping[Ref, Sequence[Scalar]]

DEPTH_MAX = 4
FOLDS = 5
RIVALS_MAX = 4
SEEN_MAX = 64
STAGES = 3
# A tree with fewer leaves is taken as it is; of others so many first questions are tried.
SIMPLE_LEAVES = 4
FIRST_MAX = 6
# Fewer rows that differ are exceptions, where a tree that explains them foretells no better.
CASES_MIN = 3
_EXACT = 1e-9
DIGITS_MAX = 12


def grow(
    columns: Columns,
    labels: Sequence[Label],
    rank: Callable[[Ref], int] = lambda ref: 0,
    *,
    depth: int = DEPTH_MAX,
    validate: bool = True,
    words_only: bool = False,
) -> Tree:
    """Fit a tree; among equally good questions the lower rank wins, then the name.

    With `words_only` it asks no thresholds.
    """
    count = len(labels)
    distinct = len(set(labels))
    if distinct == 1:
        return Tree(Leaf(labels[0], count, True), count, 1, None, True)
    stages = 1 if words_only else STAGES
    grower = _Grower(columns, labels, rank, stages)
    root = grower.build(list(range(count)), depth)
    if not validate or count < 6:
        root = grower.finished(root)
        return Tree(root, count, distinct, None, not validate, seen_together(root, columns))
    right = grower.held_out(depth)
    if right < count and _set_apart(root) < CASES_MIN:
        # Single rows set apart by a number are rather exceptions than a rule.
        careful = _Grower(columns, labels, rank, stages, CASES_MIN)
        plain = careful.build(list(range(count)), depth)
        better = careful.held_out(depth)
        if better >= right:
            grower, root, right = careful, plain, better
    wrong = 1 - right / count
    minority = 1 - Counter(labels).most_common(1)[0][1] / count
    reliable = wrong <= max(0.015, 3 / count) and wrong <= 0.5 * minority + 1.5 / count
    root = grower.finished(root)
    return Tree(root, count, distinct, right, reliable, seen_together(root, columns))


def roundest(low: float, high: float) -> float:
    """Give the number between two that is written most shortly, as thresholds mostly are."""
    middle = (Decimal(repr(low)) + Decimal(repr(high))) / 2
    step = Decimal(10) ** (max(middle.copy_abs(), Decimal(1)).adjusted() + 1)
    for _ in range(DIGITS_MAX):
        for part in (step, step / 2):
            near = (middle / part).to_integral_value() * part
            if Decimal(repr(low)) < near < Decimal(repr(high)):
                return float(near)
        step /= 10
    return low


def _label(node: Leaf | Split, columns: Columns, row: int) -> Label:
    while isinstance(node, Split):
        node = node.yes if node.test.holds(columns[node.test.ref][row]) else node.no
    return node.label


def _errors(root: Leaf | Split, grower: "_Grower", rows: Sequence[int]) -> int:
    return sum(_label(root, grower.columns, row) != grower.labels[row] for row in rows)


def _leaves(root: Leaf | Split) -> int:
    return 1 if isinstance(root, Leaf) else _leaves(root.yes) + _leaves(root.no)


def _set_apart(root: Leaf | Split) -> int:
    """Give the fewest rows that a threshold sets apart; what was drawn was drawn to decide."""
    if isinstance(root, Leaf):
        return CASES_MIN
    least = min(_set_apart(root.yes), _set_apart(root.no))
    if root.test.kind == "above" and root.test.ref[0] != "draw":
        ends = [node.count for node in (root.yes, root.no) if isinstance(node, Leaf)]
        least = min([least, *ends])
    return least


_Candidate: TypeAlias = tuple[float, int, Ref, str, Scalar, float | None, float | None]


class _Grower:
    def __init__(
        self,
        columns: Columns,
        labels: Sequence[Label],
        rank: Callable[[Ref], int],
        stages: int,
        least: int = 1,
    ) -> None:
        self.stages = stages
        self.least = least
        self.columns = columns
        self.labels = labels
        self.names = sorted(set(labels), key=str)
        self.codes = [self.names.index(label) for label in labels]
        self.rank = {ref: rank(ref) for ref in columns}
        self.refs = sorted(columns, key=lambda ref: (self.rank[ref], ref))
        self.numeric = {ref: any(map(is_number, columns[ref])) for ref in columns}
        self.stage = 0
        self.first: Ref | None = None

    def build(self, rows: list[int], depth: int) -> Leaf | Split:
        """Ask about words first, then about sizes, then about absence or places in a list.

        Some number separates any few rows by chance; whether a field is there mostly echoes a
        status, and its place in a list an order.
        """
        best: tuple[int, int, Leaf | Split] | None = None
        first: Ref | None = None
        for stage in range(self.stages):
            self.stage = stage
            self.first = None
            root = self._simplest(rows, depth, self._build(rows, depth, True))
            wrong = _errors(root, self, rows)
            if best is None or wrong < best[0]:
                best, first = (wrong, stage, root), self.first
            if all_pure(root):
                break
        assert best is not None
        self.stage, self.first = best[1], first
        return best[2]

    def _simplest(self, rows: list[int], depth: int, greedy: Leaf | Split) -> Leaf | Split:
        """Ask something else first where fewer questions then explain as much.

        The question that separates most at once is not always one that the program asks.
        """
        best = (_errors(greedy, self, rows), _leaves(greedy))
        if best[1] < SIMPLE_LEAVES:
            return greedy
        root = greedy
        counts = self._counts(rows)
        found = [c for ref in self.refs if (c := self._best(ref, rows, counts)) is not None]
        found.sort(key=lambda c: (round(c[0], 9), c[1], c[2]))
        near = [c for c in found[1:] if c[1] <= found[0][1]]
        for candidate in near[:FIRST_MAX]:
            self.first = candidate[2]
            other = self._build(rows, depth, True, first=candidate[2])
            score = (_errors(other, self, rows), _leaves(other))
            if score < best:
                best, root = score, other
        self.first = root.test.ref if isinstance(root, Split) and root is not greedy else None
        return root

    def held_out(self, depth: int) -> int:
        """Count the rows foretold by trees grown on others, as the last whole tree was grown."""
        count = len(self.labels)
        right = 0
        for fold in range(FOLDS):
            rows = [row for row in range(count) if row % FOLDS != fold]
            part = self._build(rows, depth, False, first=self.first)
            for row in range(fold, count, FOLDS):
                right += _label(part, self.columns, row) == self.labels[row]
        return right

    def finished(self, root: Leaf | Split) -> Leaf | Split:
        """Write down how far the tree can be believed."""
        rows = range(len(self.labels))
        return supported(self.opened(root, rows), self.columns, rows)

    def opened(self, node: Leaf | Split, rows: Sequence[int]) -> Leaf | Split:
        """Write down how far each threshold could be moved before a recording speaks against it.

        One for which both answers mean the same is no reason to keep a threshold where it is.
        """
        if isinstance(node, Leaf):
            return node
        column = self.columns[node.test.ref]
        yes = [row for row in rows if node.test.holds(column[row])]
        no = [row for row in rows if not node.test.holds(column[row])]
        low, high, test = node.low, node.high, node.test
        if test.kind == "above":
            below: list[Any] = [column[row] for row in self._held(node.yes, no, column)]
            above: list[Any] = [column[row] for row in self._held(node.no, yes, column)]
            low, high = max(below, default=None), min(above, default=None)
            if low is not None and high is not None:
                test = replace(test, value=roundest(low, high))
        return Split(
            test, low, high, self.opened(node.yes, yes), self.opened(node.no, no),
            node.rivals, node.seen,
        )  # fmt: skip

    def _held(
        self, other: Leaf | Split, rows: Sequence[int], column: Sequence[Scalar]
    ) -> list[int]:
        """Give the rows with a number that the other answer would say the wrong thing of."""
        return [
            row
            for row in rows
            if is_number(column[row]) and _label(other, self.columns, row) != self.labels[row]
        ]

    def _counts(self, rows: Sequence[int]) -> list[int]:
        counts = [0] * len(self.names)
        for row in rows:
            counts[self.codes[row]] += 1
        return counts

    def _build(
        self,
        rows: list[int],
        depth: int,
        rivals: bool,
        asked: frozenset[Ref] = frozenset(),
        first: Ref | None = None,
    ) -> Leaf | Split:
        counts = self._counts(rows)
        most = counts.index(max(counts))
        pure = counts[most] == len(rows)
        leaf = Leaf(self.names[most], len(rows), pure)
        if len(rows) - counts[most] < self.least or depth == 0:
            return leaf
        found = [c for ref in self.refs if (c := self._best(ref, rows, counts)) is not None]
        if not found:
            return leaf
        # Among the nearest, one asked about already explains the same rows with fewer reasons.
        found.sort(key=lambda c: (c[2] != first, round(c[0], 9), c[1], c[2] not in asked, c[2]))
        impurity, _, ref, kind, value, low, high = found[0]
        if impurity_of(counts, len(rows)) - impurity < _EXACT:
            return leaf
        test = Test(ref, kind, value)
        column = self.columns[ref]
        yes = [row for row in rows if test.holds(column[row])]
        taken = set(yes)
        no = [row for row in rows if row not in taken]
        if not yes or not no:  # True and 1 are equal as keys, and not as values
            return leaf
        seen = [v for v in column if v is not None] if kind == "equal" else []
        return Split(
            test,
            low,
            high,
            self._build(yes, depth - 1, rivals, asked | {ref}),
            self._build(no, depth - 1, rivals, asked | {ref}),
            self._rivals(found, rows) if rivals and impurity < _EXACT else (),
            tuple(keys_sorted(list(set(seen)))[:SEEN_MAX]),
        )

    def _rivals(self, found: Sequence[_Candidate], rows: Sequence[int]) -> tuple[Rival, ...]:
        kept: list[Rival] = []
        for impurity, rank, ref, kind, value, _, _ in found[1:]:
            if impurity >= _EXACT or rank > found[0][1] or len(kept) == RIVALS_MAX:
                continue
            test = Test(ref, kind, value)
            column = self.columns[ref]
            yes = [self.labels[row] for row in rows if test.holds(column[row])]
            no = [self.labels[row] for row in rows if not test.holds(column[row])]
            if yes and no:
                kept.append(Rival(test, yes[0], no[0]))
        return tuple(kept)

    def _best(self, ref: Ref, rows: Sequence[int], counts: list[int]) -> _Candidate | None:
        if self.stage < STAGES - 1 and "[" in ref[-1]:
            return None
        if self.stage == 0 and (self.numeric[ref] or ref[0] == "breaker"):
            return None
        ask = threshold if self.numeric[ref] else word
        found = ask(self.columns[ref], rows, self.codes, counts, self.stage == STAGES - 1)
        return None if found is None else (found[0], self.rank[ref], ref, *found[1:])
