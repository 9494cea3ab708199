"""Programs made ready to run: what is looked up for every call is looked up once.

A plan reads exactly what the program says; it is never written, compared or digested.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from replay.infer.binding import Binding
from replay.infer.expression import Constant, Expression, FirstOf, Reference, Scope, evaluate
from replay.infer.program import Operation
from replay.infer.repeat import STATUS
from replay.infer.tree import Split, Tree
from replay.infer.view import Ref, base_name
from replay.leaves import Scalar

Reader: TypeAlias = Callable[[Scope], Scalar]
Again: TypeAlias = tuple[bool, list[tuple[str, Any]]]
# Under a path: what reads its value, and the values its rivals would give.
Bound: TypeAlias = tuple[str, Reader, tuple[Reader, ...]]
# One value of a request: its path, the place in the input that is copied ("" where none is), and
# what reads it elsewhere.
Asked: TypeAlias = tuple[str, str, Reader]


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation with its bindings as functions, and its name without the place.

    `key` and `request` read what is asked; their rivals would ask for something else.

    `always` says that the operation runs whenever it is reached, without a doubt; `attempts_once`
    that an ok answer is never asked for again, without a doubt. `again` keeps what the rule said of
    a status, attempt number and breaker state; None where it asks for what the answer holds.
    """

    operation: Operation
    name: str
    base: str
    always: bool
    attempts_once: bool
    again: dict[tuple[str, int, str | None], Again] | None
    key: Reader
    key_rivals: tuple[Reader, ...]
    request: tuple[Asked, ...]
    request_rivals: tuple[tuple[str, Reader], ...]
    copied: tuple[Bound, ...]
    computes: bool


def plan_of(operation: Operation) -> Plan:
    """Prepare one operation."""
    key, asked = operation.key, operation.request.bound
    return Plan(
        operation=operation,
        name=operation.name,
        base=base_name(operation.name),
        always=operation.guard is not None
        and operation.guard.reliable
        and _sure(operation.guard, True, {}),
        attempts_once="ok" in operation.repeat.statuses
        and _sure(operation.repeat.rule, False, {STATUS: "ok"}),
        again={} if asks_only("own", operation.repeat.rule) else None,
        key=_nowhere if key is None else reader_of(key.expression),
        key_rivals=() if key is None else tuple(map(reader_of, key.rivals)),
        request=tuple(_asked(path, made.expression) for path, made in asked.items()),
        request_rivals=tuple(
            (path, reader_of(one)) for path, made in asked.items() for one in made.rivals
        ),
        copied=tuple(bound_of(path, made) for path, made in operation.copied.items()),
        computes=bool(operation.copied or operation.decided),
    )


def _sure(tree: Tree, label: bool, known: Mapping[Ref, Scalar]) -> bool:
    """Say whether a tree gives this label by what is known, asks for no more and doubts nothing."""
    try:
        told, doubts = tree.read(known.__getitem__)
    except KeyError:
        return False
    return told is label and not doubts


def asks_only(kind: str, tree: Tree) -> bool:
    """Say whether a tree reads nothing but places of one kind."""
    pending = [tree.root]
    read = [ref for pair in tree.together for ref in (pair.one, pair.other)]
    while pending:
        node = pending.pop()
        if isinstance(node, Split):
            read += [node.test.ref, *(rival.test.ref for rival in node.rivals)]
            pending += (node.yes, node.no)
        else:
            read += [ref for ref, _, _ in node.ranges]
            read += [ref for ref, _ in node.words]
    return all(ref[0] == kind for ref in read)


def _nowhere(scope: Scope) -> Scalar:
    return None


def bound_of(path: str, binding: Binding) -> Bound:
    """Prepare one binding."""
    return path, reader_of(binding.expression), tuple(map(reader_of, binding.rivals))


def _asked(path: str, made: Expression) -> Asked:
    copied = made.ref[1] if isinstance(made, Reference) and made.ref[0] == "input" else ""
    return path, copied, reader_of(made)


def reader_of(expression: Expression) -> Reader:
    """Give a function that computes an expression."""
    if isinstance(expression, Constant):
        value = expression.value
        return lambda scope: value
    if isinstance(expression, Reference):
        return place_reader(expression.ref)
    if isinstance(expression, FirstOf):
        return _first_of(tuple(map(place_reader, expression.refs)))
    return lambda scope: evaluate(expression, scope)


def _first_of(places: tuple[Reader, ...]) -> Reader:
    def read(scope: Scope) -> Scalar:
        for place in places:
            value = place(scope)
            if value is not None:
                return value
        return None

    return read


def place_reader(ref: Ref) -> Reader:
    """Give a function that reads a place."""
    kind = ref[0]
    if kind == "input":
        path = ref[1]
        return lambda scope: scope.view.input.get(path)
    if kind == "item":
        leaf = ref[1]
        return lambda scope: None if scope.item is None else scope.item.get(leaf)
    if kind == "own":
        return lambda scope: scope.own_key
    if kind == "undo":
        return lambda scope: scope.value(ref)
    if kind == "answer":
        return _answered(ref[1], ref[2])
    return lambda scope: scope.view.value(ref)


def _answered(op: str, path: str) -> Reader:
    def read(scope: Scope) -> Scalar:
        nodes = scope.view.nodes
        if op not in nodes:
            return None
        instances = nodes[op].instances
        return instances[0].response.get(path) if len(instances) == 1 else None

    return read
