"""Which values of a request come from where, confirmed over several flows."""

from collections.abc import Iterator
from dataclasses import dataclass

from replay.infer.binding import Binding
from replay.infer.expression import Constant, Expression, FirstOf, Reference
from replay.infer.program import Program
from replay.infer.view import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where one value of an operation's requests comes from.

    `path` is `key` or `request.…`. `flows` is in how many samples the source held the very value,
    and none contradicted; `rivals` explained them equally well. `source` "" means that nothing
    recorded explains the value: it is noise to the matching.
    """

    operation: str
    path: str
    source: str
    flows: int
    rivals: tuple[str, ...]


def provenance_of(program: Program) -> list[Origin]:
    """List the origins of all request values of a program, by operation."""
    return [
        origin for name in sorted(program.operations) for origin in _of_operation(program, name)
    ]


def _of_operation(program: Program, name: str) -> Iterator[Origin]:
    operation = program.operations[name]
    if operation.key is not None:
        yield _origin(name, "key", operation.key)
    for path, binding in sorted(operation.request.bound.items()):
        yield _origin(name, f"request.{path}", binding)
    for path in operation.request.noise:
        yield Origin(operation=name, path=f"request.{path}", source="", flows=0, rivals=())


def _origin(operation: str, path: str, binding: Binding) -> Origin:
    return Origin(
        operation=operation,
        path=path,
        source=source_text(binding.expression),
        flows=binding.count,
        rivals=tuple(source_text(rival) for rival in binding.rivals),
    )


def source_text(expression: Expression) -> str:
    """Write an expression in words."""
    if isinstance(expression, Constant):
        return f"always {expression.value!r}"
    if isinstance(expression, Reference):
        return place_text(expression.ref)
    if isinstance(expression, FirstOf):
        return "the first recorded of " + ", ".join(place_text(ref) for ref in expression.refs)
    parts = expression.parts
    pieces = (repr(part) if isinstance(part, str) else place_text(part) for part in parts)
    return "the text " + " + ".join(pieces)


def place_text(ref: Ref) -> str:
    """Write a place in words."""
    kind, *rest = ref
    if kind == "answer":
        return f"the answer of {rest[0]}: {rest[1]}"
    if kind == "input":
        return f"the input: {rest[0]}"
    if kind == "item":
        return f"the element at hand: {rest[0]}" if rest[0] else "the element at hand"
    if kind == "undo":
        return f"what is undone: {' '.join(rest)}"
    if kind == "own":
        return "its own key"
    return f"{kind} of {' '.join(rest)}"
