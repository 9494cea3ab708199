"""How a value is made: of constants, of places in the flow, of pieces of text."""

from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from replay.infer.view import Instance, Ref, View
from replay.leaves import Leaves, Scalar


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Reference:
    """The value at a place."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Text:
    """Literal pieces (str) and values of places (tuples), joined."""

    parts: tuple[str | Ref, ...]


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first place that holds anything: a value that comes from one of several branches."""

    refs: tuple[Ref, ...]


Expression: TypeAlias = Constant | Reference | Text | FirstOf


class Scope(Struct, gc=False):
    """What an expression may read: the flow so far, the element at hand, what is undone."""

    view: View
    own_key: str = ""
    item: Leaves | None = None
    undone: Instance | None = None

    def value(self, ref: Ref) -> Scalar:
        """Read a place; None when nothing is there."""
        kind = ref[0]
        if kind == "item":
            return None if self.item is None else self.item.get(ref[1])
        if kind == "own":
            return self.own_key
        if kind == "undo":
            return _undone(self.undone, ref)
        return self.view.value(ref)


def _undone(instance: Instance | None, ref: Ref) -> Scalar:
    if instance is None:
        return None
    if ref[1] == "key":
        return instance.key
    return (instance.response if ref[1] == "response" else instance.request).get(ref[2])


def evaluate(expression: Expression, scope: Scope) -> Scalar:
    """Compute a value; None when a place it needs is empty."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, Reference):
        return scope.value(expression.ref)
    if isinstance(expression, FirstOf):
        found = (scope.value(ref) for ref in expression.refs)
        return next((value for value in found if value is not None), None)
    pieces = []
    for part in expression.parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        value = scope.value(part)
        if value is None:
            return None
        pieces.append(str(value))
    return "".join(pieces)


def refs_of(expression: Expression) -> tuple[Ref, ...]:
    """Name the places an expression reads."""
    if isinstance(expression, Reference):
        return (expression.ref,)
    if isinstance(expression, FirstOf):
        return expression.refs
    if isinstance(expression, Text):
        return tuple(part for part in expression.parts if not isinstance(part, str))
    return ()
