"""Programs made ready to run: what is looked up for every call is looked up once.

A plan reads exactly what the program says; it is never written, compared or digested.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from replay.infer.binding import Binding
from replay.infer.expression import Constant, Expression, Reference, Scope, evaluate
from replay.infer.program import Operation
from replay.infer.tree import Leaf, Split, Tree
from replay.infer.view import Ref, base_name
from replay.leaves import Scalar

Reader: TypeAlias = Callable[[Scope], Scalar]
Again: TypeAlias = tuple[bool, list[tuple[str, Any]]]
# Under a path: what reads its value, and the values its rivals would give.
Bound: TypeAlias = tuple[str, Reader, tuple[Reader, ...]]
# The same for a request, with the place in the input that is copied, "" where none is.
Asked: TypeAlias = tuple[str, str, Reader, tuple[Reader, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """One operation with its bindings as functions, and its name without the place.

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
    key: Bound | None
    request: tuple[Asked, ...]
    copied: tuple[Bound, ...]
    computes: bool


def plan_of(operation: Operation) -> Plan:
    """Prepare one operation."""
    return Plan(
        operation=operation,
        name=operation.name,
        base=base_name(operation.name),
        always=operation.guard is not None
        and operation.guard.reliable
        and _sure(operation.guard, True),
        attempts_once="ok" in operation.repeat.statuses and _sure(operation.repeat.rule, False),
        again=None if _asks_answers(operation.repeat.rule) else {},
        key=None if operation.key is None else bound_of("key", operation.key),
        request=tuple(_asked(path, made) for path, made in operation.request.bound.items()),
        copied=tuple(bound_of(path, made) for path, made in operation.copied.items()),
        computes=bool(operation.copied or operation.decided),
    )


def _sure(tree: Tree, label: bool) -> bool:
    """Say whether a tree gives this label whatever it reads, and doubts nothing."""
    return isinstance(tree.root, Leaf) and tree.root.label is label and not tree.read(_nothing)[1]


def _asks_answers(tree: Tree) -> bool:
    """Say whether a rule for repeating reads more than how an attempt ended."""
    pending = [tree.root]
    while pending:
        node = pending.pop()
        if isinstance(node, Split):
            if node.test.ref[0] != "own" or any(r.test.ref[0] != "own" for r in node.rivals):
                return True
            pending += (node.yes, node.no)
        elif node.ranges or node.words:
            return True
    return False


def _nothing(ref: Ref) -> Scalar:
    return None


def bound_of(path: str, binding: Binding) -> Bound:
    """Prepare one binding."""
    return path, reader_of(binding.expression), tuple(map(reader_of, binding.rivals))


def _asked(path: str, binding: Binding) -> Asked:
    made = binding.expression
    copied = made.ref[1] if isinstance(made, Reference) and made.ref[0] == "input" else ""
    _, read, rivals = bound_of(path, binding)
    return path, copied, read, rivals


def reader_of(expression: Expression) -> Reader:
    """Give a function that computes an expression."""
    if isinstance(expression, Constant):
        value = expression.value
        return lambda scope: value
    if isinstance(expression, Reference):
        return place_reader(expression.ref)
    return lambda scope: evaluate(expression, scope)


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
        return partial(_answered, ref[1], ref[2])
    return lambda scope: scope.view.value(ref)


def _answered(op: str, path: str, scope: Scope) -> Scalar:
    node = scope.view.nodes.get(op)
    if node is None or len(node.instances) != 1:
        return None
    return node.instances[0].response.get(path)
