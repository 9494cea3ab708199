"""Where the values of a request come from: a constant, the input, an earlier answer, or noise."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from replay.infer.expression import (
    Constant,
    Expression,
    FirstOf,
    Reference,
    Scope,
    Text,
    evaluate,
    refs_of,
)
from replay.infer.view import Ref
from replay.leaves import Leaves, Scalar, same

RIVALS_MAX = 3
SAMPLES_MAX = 400
PARTS_MAX = 8
_SHORTEST_PART = 2


@dataclass(frozen=True, slots=True)
class Binding:
    """How a value is made; `rivals` made it equally well in all `count` recordings."""

    expression: Expression
    rivals: tuple[Expression, ...]
    count: int


def readable(scope: Scope, ancestors: Iterable[str], own_key: bool) -> dict[Ref, Scalar]:
    """List every place with its value, for the search of candidates."""
    places: dict[Ref, Scalar] = {}
    if scope.item is not None:
        places.update({("item", leaf): value for leaf, value in scope.item.items()})
    if scope.undone is not None:
        places["undo", "key"] = scope.undone.key
        for part, leaves in (
            ("response", scope.undone.response),
            ("request", scope.undone.request),
        ):
            places.update({("undo", part, path): value for path, value in leaves.items()})
    for path, value in scope.view.input.items():
        places["input", path] = value
    for op in ancestors:
        node = scope.view.nodes.get(op)
        if node is not None and len(node.instances) == 1:
            for path, value in node.instances[0].response.items():
                places["answer", op, path] = value
    if own_key:
        places["own", "key"] = scope.own_key
    return {place: value for place, value in places.items() if value is not None}


Sample: TypeAlias = tuple[Scope, Scalar]


def bind(
    samples: Sequence[Sample],
    ancestors: Sequence[str],
    share: float,
    *,
    name: str = "",
    own_key: bool = False,
) -> Binding | None:
    """Find how a value is made; None when no candidate explains all but `share` of the samples."""
    samples = [sample for sample in samples[:SAMPLES_MAX] if sample[1] is not None]
    if not samples:
        return None
    allowed = int(share * len(samples))
    constant = _constant(samples, allowed)
    if len(samples) < 2 and samples[0][1] != "":
        # One case proves no constant; a place that holds the value is at least a reason.
        constant = None
    candidates: dict[Expression, int] = {}
    for scope, value in samples[: 1 + allowed]:
        for place, found in readable(scope, ancestors, own_key).items():
            if same(found, value):
                candidates.setdefault(Reference(place), 0)
    kept = [c for c in candidates if _misses(c, samples, allowed) <= allowed]
    if not kept and constant is None:
        kept = _texts(samples, ancestors, own_key, allowed)
    if not kept and constant is None:
        kept = _first_of(samples, ancestors, own_key, name)
    kept.sort(key=_preference(name))
    if constant is not None:
        # A value that never changed is a constant unless its namesake explains it too.
        kept = [c for c in kept if _last_name(c) == name]
        kept.append(constant)
    if not kept:
        return None
    return Binding(kept[0], tuple(kept[1 : 1 + RIVALS_MAX]), len(samples))


def _made_up(
    binding: Binding, path: str, samples: Sequence[tuple[Scope, Leaves]], share: float
) -> bool:
    """Whether the rule gives a value where requests were recorded that had none."""
    if isinstance(binding.expression, Constant):
        return False
    given = sum(
        leaves.get(path) is None and evaluate(binding.expression, scope) is not None
        for scope, leaves in samples[:SAMPLES_MAX]
        if leaves
    )
    return given > max(1, int(share * len(samples)))


def _constant(samples: Sequence[Sample], allowed: int) -> Constant | None:
    first = samples[0][1]
    misses = sum(not same(value, first) for _, value in samples)
    return Constant(first) if misses <= allowed else None


def _misses(expression: Expression, samples: Sequence[Sample], allowed: int) -> int:
    misses = 0
    for scope, value in samples:
        misses += not same(evaluate(expression, scope), value)
        if misses > allowed:
            break
    return misses


_ORDER = {"item": 0, "undo": 1, "input": 2, "answer": 3, "own": 4}


def _preference(name: str) -> Callable[[Expression], tuple[bool, int, str]]:
    def key(expression: Expression) -> tuple[bool, int, str]:
        refs = refs_of(expression)
        rank = min((_ORDER.get(ref[0], 5) for ref in refs), default=6)
        return (_last_name(expression) != name, rank, repr(expression))

    return key


def _last_name(expression: Expression) -> str:
    refs = refs_of(expression)
    return refs[0][-1].rpartition(".")[2] if len(refs) == 1 else ""


def _texts(
    samples: Sequence[Sample], ancestors: Sequence[str], own_key: bool, allowed: int
) -> list[Expression]:
    """Try texts built from literal pieces and known values, as `order-17/charge` is."""
    scope, value = samples[0]
    if not isinstance(value, str):
        return []
    places = {
        place: str(found)
        for place, found in readable(scope, ancestors, own_key).items()
        if not isinstance(found, bool) and _SHORTEST_PART <= len(str(found)) <= len(value)
    }
    by_text: dict[str, list[Ref]] = {}
    for place, text in places.items():
        if text in value:
            by_text.setdefault(text, []).append(place)
    parts = _cut(value, sorted(by_text, key=lambda text: (-len(text), text)))
    if not any(part in by_text for part in parts) or len(parts) > PARTS_MAX:
        return []
    options: list[tuple[str | Ref, ...]] = [()]
    for part in parts:
        choices: Sequence[str | Ref] = [part]
        if part in by_text:
            choices = sorted(by_text[part], key=lambda ref: (_ORDER.get(ref[0], 5), ref))[:4]
        options = [(*option, choice) for option in options for choice in choices][:64]
    made = [Text(option) for option in options]
    return [text for text in made if _misses(text, samples, allowed) <= allowed]


def _first_of(
    samples: Sequence[Sample], ancestors: Sequence[str], own_key: bool, name: str
) -> list[Expression]:
    """Cover all samples with places that are right wherever they hold anything."""
    chosen: list[Ref] = []
    left = list(samples)
    while left and len(chosen) < PARTS_MAX:
        scope, value = left[0]
        right = [
            place
            for place, found in readable(scope, ancestors, own_key).items()
            if same(found, value) and _never_wrong(place, left)
        ]
        if not right:
            return []
        covers = {place: sum(s.value(place) is not None for s, _ in left) for place in right}
        best = min(right, key=lambda p: (-covers[p], p[-1] != name, _ORDER.get(p[0], 5), p))
        chosen.append(best)
        left = [sample for sample in left if sample[0].value(best) is None]
    # As many places as samples explain nothing.
    if left or len(chosen) < 2 or len(samples) < 4 * len(chosen):
        return []
    return [FirstOf(tuple(chosen))]


def _never_wrong(place: Ref, samples: Sequence[Sample]) -> bool:
    values = ((scope.value(place), value) for scope, value in samples)
    return all(found is None or same(found, value) for found, value in values)


def _cut(value: str, known: Sequence[str]) -> list[str]:
    """Cut a text at known values, longest first."""
    parts = [value]
    for text in known:
        cut: list[str] = []
        for part in parts:
            if part in known or text not in part:
                cut.append(part)
                continue
            head, *tail = part.split(text)
            cut.append(head)
            for piece in tail:
                cut.extend((text, piece))
        parts = [part for part in cut if part]
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The bound leaves of an operation's request; `noise` are the leaves nothing explains."""

    bound: Mapping[str, Binding]
    noise: tuple[str, ...]


def bind_leaves(
    samples: Sequence[tuple[Scope, Leaves]], ancestors: Sequence[str], share: float
) -> Request:
    """Bind every leaf of a request, or of an output."""
    by_path: dict[str, list[Sample]] = {}
    for scope, leaves in samples:
        for path, value in leaves.items():
            by_path.setdefault(path, []).append((scope, value))
    bound: dict[str, Binding] = {}
    noise = []
    for path in sorted(by_path):
        last = path.rpartition(".")[2]
        found = bind(by_path[path], ancestors, share, name=last, own_key=True)
        if found is None or _made_up(found, path, samples, share):
            noise.append(path)
        else:
            bound[path] = found
    return Request(bound=bound, noise=tuple(noise))
