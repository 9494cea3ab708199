"""The recorded calls nearest to a request that repeats none of them, and why they do not fit."""

from collections.abc import Iterable
from dataclasses import dataclass

from replay.leaves import Leaves, Scalar, same
from replay.likeness import likeness

NEAR_MAX = 3
DIFFERENCES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An entry that does not fit, how alike it is, and in what it differs."""

    label: str
    likeness_percent: int
    differences: tuple[tuple[str, Scalar, Scalar], ...]
    taken: bool


def nearest_of(recorded: Iterable[tuple[str, Leaves, bool]], asked: Leaves) -> tuple[Near, ...]:
    """Give the nearest of some entries (label, request, whether it is taken), nearest first."""
    scored = sorted(
        ((likeness(request, asked), label, request, taken) for label, request, taken in recorded),
        key=lambda entry: -entry[0],
    )
    return tuple(
        Near(
            label=label,
            likeness_percent=score,
            differences=_differences(request, asked),
            taken=taken,
        )
        for score, label, request, taken in scored[:NEAR_MAX]
    )


def _differences(recorded: Leaves, asked: Leaves) -> tuple[tuple[str, Scalar, Scalar], ...]:
    paths = sorted(set(recorded) | set(asked))
    found = [
        (path, recorded.get(path), asked.get(path))
        for path in paths
        if path not in recorded or path not in asked or not same(recorded[path], asked[path])
    ]
    return tuple(found[:DIFFERENCES_MAX])
