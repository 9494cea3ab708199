"""What the recordings behind each leaf of a tree have in common beside their label.

A leaf says what a program does in cases like those behind it. A number far outside theirs, or a
word that only others had, makes a case that no recording is like; and so do two words that the tree
asks for in different branches, and that no recording has both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from replay.infer.tree import Leaf, Split, Together
from replay.infer.view import Ref
from replay.leaves import Scalar, is_number, keys_sorted

WORDS_MAX = 6
COUNT_MIN = 10
MARGIN = 0.05
PAIRS_MAX = 64


def supported(
    root: Leaf | Split, columns: Mapping[Ref, Sequence[Scalar]], rows: Sequence[int]
) -> Leaf | Split:
    """Write into the leaves what their rows have and what only others have."""
    asked = _asked(root)
    numbers = sorted(ref for ref, kind in asked.items() if kind == "above" and ref[0] != "draw")
    if not numbers:
        return root
    ops = {ref[1] for ref in numbers if ref[0] == "answer"}
    words = {}
    for ref in sorted(columns):
        if ref[0] == "answer" and ref[1] in ops and ref not in asked and "[" not in ref[2]:
            seen = {columns[ref][row] for row in rows} - {None}
            if 1 < len(seen) <= WORDS_MAX and not any(map(is_number, seen)):
                words[ref] = seen
    return _write(root, columns, rows, numbers, words)


def seen_together(
    root: Leaf | Split, columns: Mapping[Ref, Sequence[Scalar]]
) -> tuple[Together, ...]:
    """Give, of each two places whose words a tree asks for, the words that came together."""
    found = []
    for one, other in combinations(
        sorted(r for r, kind in _asked(root).items() if kind == "equal"), 2
    ):
        pairs = set(zip(columns[one], columns[other], strict=True))
        if len(pairs) <= PAIRS_MAX:
            found.append(Together(one, other, tuple(sorted(pairs, key=repr))))
    return tuple(found)


def _asked(node: Leaf | Split) -> dict[Ref, str]:
    if isinstance(node, Leaf):
        return {}
    return {**_asked(node.yes), **_asked(node.no), node.test.ref: node.test.kind}


def _write(
    node: Leaf | Split,
    columns: Mapping[Ref, Sequence[Scalar]],
    rows: Sequence[int],
    numbers: Sequence[Ref],
    words: Mapping[Ref, set[Scalar]],
) -> Leaf | Split:
    if isinstance(node, Split):
        column = columns[node.test.ref]
        yes = [row for row in rows if node.test.holds(column[row])]
        no = [row for row in rows if not node.test.holds(column[row])]
        return replace(
            node,
            yes=_write(node.yes, columns, yes, numbers, words),
            no=_write(node.no, columns, no, numbers, words),
        )
    if len(rows) < COUNT_MIN:
        return node
    ranges = []
    for ref in numbers:
        seen = [value for row in rows if is_number(value := columns[ref][row])]
        if seen:
            low, high = float(min(seen)), float(max(seen))  # type: ignore[arg-type, type-var]
            margin = MARGIN * (high - low)
            ranges.append((ref, low - margin, high + margin))
    missing = []
    for ref, known in words.items():
        lacking = known - {columns[ref][row] for row in rows}
        if lacking:
            missing.append((ref, tuple(keys_sorted(list(lacking)))))
    return replace(node, ranges=tuple(ranges), words=tuple(missing))
