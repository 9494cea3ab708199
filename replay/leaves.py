"""JSON values as flat maps from path to scalar, which is how programs read and bind them."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite
from typing import TypeAlias

from store.model import JsonValue

Scalar: TypeAlias = bool | int | float | str | None
Leaves: TypeAlias = Mapping[str, Scalar]

# A body with more leaves than this is cut; what lies beyond cannot be branched or bound on.
LEAVES_MAX = 400
DEPTH_MAX = 16
TEXT_MAX = 4096
# Larger numbers are identifiers, and do not compare exactly with decimals: they become text.
INTEGER_MAX = 2**53 - 1

_DECIMAL_TEXT = re.compile(r"-?(0|[1-9]\d{0,14})\.\d{1,15}")
_ELEMENT = re.compile(r"^(.*?)\[(\d+)\]\.?(.*)$")


def flatten(value: JsonValue) -> dict[str, Scalar]:
    """Give every scalar inside `value` under its path; a bare scalar has the path `$`.

    Numbers written as text with a decimal point become numbers, because that is how confidences
    and thresholds travel. An empty list or object has no leaves.
    """
    if type(value) is dict and len(value) <= LEAVES_MAX and "" not in value:
        names = sorted(value)
        if not any(type(value[name]) in (dict, list) for name in names):
            return {str(name): _scalar(value[name]) for name in names}  # type: ignore[arg-type]
    found: dict[str, Scalar] = {}
    pending: list[tuple[str, JsonValue, int]] = [("", value, 0)]
    while pending and len(found) < LEAVES_MAX:
        path, item, depth = pending.pop()
        if isinstance(item, dict):
            if depth < DEPTH_MAX:
                pending.extend(
                    (f"{path}.{key}" if path else str(key), item[key], depth + 1)
                    for key in sorted(item, reverse=True)
                )
        elif isinstance(item, list):
            if depth < DEPTH_MAX:
                pending.extend(
                    (f"{path}[{index}]", item[index], depth + 1)
                    for index in range(min(len(item), LEAVES_MAX) - 1, -1, -1)
                )
        elif path or item is not None:
            found[path or "$"] = _scalar(item)
    return found


def _scalar(item: bool | int | float | str | None) -> Scalar:
    if isinstance(item, str):
        if _DECIMAL_TEXT.fullmatch(item):
            return float(item)
        return item[:TEXT_MAX]
    if isinstance(item, float) and not isfinite(item):
        return str(item)
    if isinstance(item, int) and abs(item) > INTEGER_MAX:
        return str(item)
    return item


def is_number(value: object) -> bool:
    """Say whether a value can be compared by size; booleans cannot."""
    return type(value) is int or type(value) is float


def lists_in(leaves: Leaves) -> dict[str, list[dict[str, Scalar]]]:
    """Group leaves by the outermost list they lie in: list path → its elements' own leaves.

    The element of a list of scalars has the single leaf "".
    """
    lists: dict[str, list[dict[str, Scalar]]] = {}
    for path, value in leaves.items():
        if "[" not in path:
            continue
        place = _element(path)
        if place is None:
            continue
        name, index, leaf = place
        if name not in lists:
            lists[name] = []
        elements = lists[name]
        while len(elements) <= index:
            elements.append({})
        elements[index][leaf] = value
    return lists


@lru_cache(maxsize=10_000)
def _element(path: str) -> tuple[str, int, str] | None:
    """Give the list that a leaf lies in, the place of its element and its path there."""
    match = _ELEMENT.match(path)
    return None if match is None else (match[1], int(match[2]), match[3])


def printable(leaves: Leaves) -> dict[str, JsonValue]:
    """Give leaves for a canonical document: floats become their shortest decimal text.

    Where there are none, these are the leaves themselves, for reading only.
    """
    printed: dict[str, JsonValue] = leaves  # type: ignore[assignment]
    for path, value in leaves.items():
        if type(value) is float:
            if printed is leaves:
                printed = dict(leaves)
            printed[path] = repr(value)
    return printed


def same(left: Scalar, right: Scalar) -> bool:
    """Compare two leaves; True is not 1, and 1.0 is 1."""
    return left == right and (type(left) is bool) == (type(right) is bool)


def keys_sorted(values: Sequence[Scalar]) -> list[Scalar]:
    """Give values of mixed types in one fixed order."""
    return sorted(values, key=lambda value: (type(value).__name__, repr(value)))
