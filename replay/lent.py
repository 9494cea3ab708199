"""Lent answers whose content decides what a flow does next.

A donor lends one body. Where the program asks for a value in it and other donors had another one,
the way that the flow then takes is the donor's, not the flow's.
"""

from collections.abc import Collection, Iterator

from replay.infer.program import Program, Support
from replay.infer.support import refs_read
from replay.infer.view import base_name
from replay.run import Run


def doubt_lent(run: Run, program: Program, bodies: Collection[str]) -> None:
    """Doubt each value that was lent and is asked for, where donors differ in it.

    `bodies` names operations of which a recorded answer was given a lent body.
    """
    lent = {call.op for call in run.calls if call.rung == "donor" and call.status == "ok"}
    for op, path in sorted(set(_asked(program))):
        if base_name(op) in lent or base_name(op) in bodies:
            run.doubt(op, [("lent_value_decides", path)])


def _asked(program: Program) -> Iterator[tuple[str, str]]:
    """Give the operations and paths of all answered values that decide something and differ."""
    for support in program.support:
        kind, *place = support.ref
        if not _differs(support):
            continue
        if kind == "latest":
            yield from ((op, place[0]) for op in place[1:])
        elif kind in ("answer", "least", "most"):
            yield place[0], place[1]
    for name, made in program.operations.items():
        yield from ((name, ref[1]) for ref in refs_read([made.repeat.rule]) if ref[0] == "answer")


def _differs(support: Support) -> bool:
    return len(support.values) > 1 or support.low != support.high
