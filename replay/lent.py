"""Lent answers whose content decides what a flow does next.

A donor lends one body. Where the program asks for a value in it and other donors had another one,
the way that the flow then takes is the donor's, not the flow's.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from replay.change import donors_of
from replay.infer.program import Program
from replay.infer.support import refs_read, trees_of
from replay.infer.view import base_name
from replay.leaves import Scalar
from replay.run import Run


class Deciding(NamedTuple):
    """A value that was lent and is asked for, and what the donors said there."""

    op: str
    path: str
    choices: tuple[Scalar, ...]


def deciding(
    run: Run, program: Program, bodies: Collection[str], stated: Collection[tuple[str, str]]
) -> list[Deciding]:
    """Give the values that a run was lent and asks for, where donors differ in them.

    `bodies` names operations of which a recorded answer was given a lent body, but for what was
    `stated` of it (operation, path).
    """
    lent = {call.op for call in run.calls if call.rung == "donor" and call.status == "ok"}
    donors = donors_of(program)
    found = []
    for op, path in sorted({(base_name(op), path) for op, path in _asked(program)}):
        donor = donors.get(op)
        mine = op in lent or (op in bodies and (op, path) not in stated)
        if mine and donor is not None and path in donor.choices:
            found.append(Deciding(op, path, donor.choices[path]))
    return found


def _asked(program: Program) -> Iterator[tuple[str, str]]:
    """Give the operations and paths of all answered values that some decision reads."""
    trees = [program.outcome, *program.abort.refusals.values()]
    trees += [rule.when for rule in program.recovery.rules]
    for name, made in program.operations.items():
        trees += trees_of(made)
        yield from ((name, ref[1]) for ref in refs_read([made.repeat.rule]) if ref[0] == "answer")
        if made.chain is not None:
            yield name, made.chain.path
    for kind, *place in refs_read(trees):
        if kind == "latest":
            yield from ((op, place[0]) for op in place[1:])
        elif kind in ("answer", "least", "most"):
            yield place[0], place[1]
