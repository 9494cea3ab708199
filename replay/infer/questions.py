"""The best question about one place: a threshold among numbers, or one of several words.

In: a column, the rows to part, and their labels as codes. Out: the question with the impurity it
leaves (the lower the better).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from replay.leaves import Scalar, is_number, keys_sorted

# Impurity, question, value, and the gap around a threshold.
Found: TypeAlias = tuple[float, str, Scalar, float | None, float | None]
_OK = "ok"


def impurity_of(counts: Sequence[int], total: int) -> float:
    """Gini impurity times the number of rows."""
    if not total:
        return 0.0
    return total - sum(count * count for count in counts) / total


def threshold(
    column: Sequence[Scalar],
    rows: Sequence[int],
    codes: Sequence[int],
    counts: Sequence[int],
    presence: bool,
) -> Found | None:
    """Part rows by size; with `presence` also by whether there is a number at all."""
    numbers: list[Any] = sorted((column[row], codes[row]) for row in rows if is_number(column[row]))
    right = [0] * len(counts)
    for _, code in numbers:
        right[code] += 1
    left = [whole - part for whole, part in zip(counts, right, strict=True)]
    below, above = len(rows) - len(numbers), len(numbers)
    best: Found | None = None
    if below and above and presence:
        impurity = impurity_of(left, below) + impurity_of(right, above)
        best = (impurity, "present", None, None, None)
    for (value, code), (after, _) in pairwise(numbers):
        left[code] += 1
        right[code] -= 1
        below += 1
        above -= 1
        if value == after:
            continue
        impurity = impurity_of(left, below) + impurity_of(right, above)
        if best is None or impurity < best[0] - 1e-12:
            middle = (value + after) / 2
            if not value <= middle < after:  # neighbours without a number between them
                middle = value
            best = (impurity, "above", middle, value, after)
    return best


def word(
    column: Sequence[Scalar],
    rows: Sequence[int],
    codes: Sequence[int],
    counts: Sequence[int],
    presence: bool,
) -> Found | None:
    """Part rows by one word; with `presence` also by whether there is any."""
    groups: dict[Scalar, list[int]] = {}
    for row in rows:
        value = column[row]
        group = groups.get(value)
        if group is None:
            group = groups[value] = [0] * len(counts)
        group[codes[row]] += 1
    if len(groups) < 2:
        return None
    best: Found | None = None
    # What went well is asked for by its name, what did not is whatever else there may be.
    for value in sorted(keys_sorted(list(groups)), key=lambda value: value != _OK):
        if value is None and not presence:
            continue
        inside = groups[value]
        size = sum(inside)
        rest = [whole - part for whole, part in zip(counts, inside, strict=True)]
        impurity = impurity_of(inside, size) + impurity_of(rest, len(rows) - size)
        if best is None or impurity < best[0] - 1e-12:
            best = (impurity, "equal", value, None, None)
    return best
