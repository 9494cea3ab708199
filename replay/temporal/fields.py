"""Field by field: in what two commands differ, and what cannot be told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from replay.temporal.commands import Command

DIFFERENCES_MAX = 20
# The same value encoded twice gives the same bytes.
_REPEATABLE = ("binary/plain", "json/protobuf", "binary/protobuf", "json/plain that is not JSON")
_DEFAULT_RETRY = {
    "initial_interval_ns": 10**9,
    "backoff_coefficient": 2.0,
    "maximum_interval_ns": 100 * 10**9,
    "maximum_attempts": 0,
    "non_retryable_error_types": [],
}
_MISSING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that differs; `unknown` says why it cannot be told instead."""

    path: str
    recorded: Any = None
    replayed: Any = None
    unknown: str = ""


def differences(recorded: Command, issued: Command) -> list[Difference]:
    """Every field of two commands of one key that differs, or that cannot be compared."""
    found: list[Difference] = []
    for name in sorted(set(recorded.fields) | set(issued.fields)):
        left, right = recorded.fields.get(name, _MISSING), issued.fields.get(name, _MISSING)
        if name == "retry":
            found += _retry(left, right)
        elif name == "deprecated" or (name == "activity_id" and _numbered(left, right)):
            continue  # says nothing of what the code does; numbers follow from the order
        else:
            found += _values(left, right, name)
    return found[:DIFFERENCES_MAX]


def _numbered(left: Any, right: Any) -> bool:
    return all(isinstance(one, str) and one.isdigit() for one in (left, right))


def _retry(left: Any, right: Any) -> Iterator[Difference]:
    if isinstance(left, dict) and right is None:
        if left != _DEFAULT_RETRY:
            yield Difference(
                path="retry",
                unknown="the code leaves retries to the server, whose default may be the recorded",
            )
        return
    yield from _values(left, right, "retry")


def _values(left: Any, right: Any, path: str) -> Iterator[Difference]:
    """Leaves that differ; True is not 1, and 1.0 is 1."""
    if _opaque(left) or _opaque(right):
        yield from _closed(left, right, path)
    elif isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(set(left) | set(right)):
            yield from _values(
                left.get(name, _MISSING), right.get(name, _MISSING), f"{path}.{name}"
            )
    elif isinstance(left, list) and isinstance(right, list):
        for index in range(max(len(left), len(right))):
            yield from _values(_at(left, index), _at(right, index), f"{path}[{index}]")
    elif isinstance(left, bool) is not isinstance(right, bool) or left != right:
        yield Difference(path=path, recorded=_shown(left), replayed=_shown(right))


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _MISSING


def _opaque(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"opaque", "size_bytes", "sha256"}


def _closed(left: Any, right: Any, path: str) -> Iterator[Difference]:
    if left == right:
        return
    encodings = {one["opaque"] for one in (left, right) if _opaque(one)}
    if _opaque(left) and _opaque(right) and len(encodings) == 1 and encodings <= {*_REPEATABLE}:
        yield Difference(path=path, recorded=left, replayed=right)
    elif left is _MISSING or right is _MISSING:
        yield Difference(path=path, recorded=_shown(left), replayed=_shown(right))
    else:
        told = ", ".join(sorted(encodings))
        yield Difference(
            path=path,
            unknown=f"{told} cannot be read; a Replayer with its codec can: --temporal MODULE:NAME",
        )


def _shown(value: Any) -> Any:
    return None if value is _MISSING else value
