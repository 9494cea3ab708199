"""The program of a flow kind: a plain value that can be written, read back and digested."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replay.digest import canonical_json, sha256_text
from replay.infer import (
    abort,
    binding,
    cancel,
    chain,
    delay,
    each,
    expression,
    hedge,
    jitter,
    order,
    pace,
    recovery,
    repeat,
    timing,
    tree,
    undo_order,
    undo_rules,
)
from replay.infer.abort import Abort
from replay.infer.binding import Binding, Request
from replay.infer.cancel import Cancel
from replay.infer.chain import Chain
from replay.infer.codec import decode, encode
from replay.infer.each import Each
from replay.infer.hedge import Hedge
from replay.infer.order import Order
from replay.infer.pace import Pace
from replay.infer.recovery import Recovery
from replay.infer.repeat import Repeat
from replay.infer.timing import Span3
from replay.infer.tree import Tree
from replay.infer.view import Ref
from replay.leaves import Scalar
from store.errors import DataError

FORMAT = "retrospan.program/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Donor:
    """Successful answers of an operation in the training flows.

    `latencies_ns` are sorted and hold the callees' own times for calls their callers gave up on,
    where those were recorded; `censored_ns` how long callers waited for those that were not.
    `response` is the answer of median latency; `answers` counts all answers, `successes` the good
    ones among them, `failure` is the status most of the others had, "" when there were none.
    `choices` holds the paths in which the good ones differ, with the few words they said there
    (None: nothing) or the least and most number.
    """

    latencies_ns: tuple[int, ...]
    censored_ns: tuple[int, ...]
    response: Mapping[str, Scalar]
    answers: int
    successes: int
    failure: str
    choices: Mapping[str, tuple[Scalar, ...]]

    @property
    def latency(self) -> Span3:
        """The latencies in three numbers."""
        values = self.latencies_ns
        if not values:
            return timing.ZERO
        return Span3(values[len(values) // 2], values[0], values[-1], len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the program.

    `gap` is the wait after the last ancestor, `gaps` the same per ancestor that ended last,
    `paces` what states it where it is no usual one; `loose` names the ancestors ("" for none)
    after which this wait is not explained. `copied` and `decided` say how a local step computes
    what it returns.
    """

    name: str
    local: bool
    key: Binding | None
    each: Each | None
    chain: Chain | None
    several: bool
    request: Request
    copied: Mapping[str, Binding]
    decided: Mapping[str, Tree]
    repeat: Repeat
    guard: Tree | None
    gap: Span3
    gaps: Mapping[str, Span3]
    paces: Mapping[str, Pace]
    loose: tuple[str, ...]
    hedge: Hedge | None
    runs: int
    donor: Donor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Values seen at a place that the program reads: a range, or a set."""

    ref: Ref
    low: float | None
    high: float | None
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a flow kind does. `flows` recordings made it; `set_aside` more were not explained.

    `firsts` names the moments at which the first of several operations ends. `outlasting` lists,
    per operation, how others ended while it was seen to go on. `end_gaps` are the
    waits from a last step to the flow's end ("" for any step), `unawaited` the operations that it
    does not wait for; with `lasts_for_callees` a flow ends when all its callees are done, their
    callers having given up or not. `declared` lists facts taken from declared attributes instead
    of inference. `pause_ns` is how long a flow may pause once, wherever that is.
    """

    name: str
    version: str
    flows: int
    set_aside: int
    order: Order
    places: tuple[str, ...]
    firsts: Mapping[str, tuple[str, ...]]
    operations: Mapping[str, Operation]
    abort: Abort
    recovery: Recovery
    cancels: Mapping[str, Cancel]
    outlasting: Mapping[str, Mapping[str, tuple[str, ...]]]
    pooled: Tree | None
    outcome: Tree
    outcomes_seen: tuple[str, ...]
    output: Request
    end_gaps: Mapping[str, Span3]
    unawaited: tuple[str, ...]
    lasts_for_callees: bool
    think_ns: int
    pause_ns: int
    support: tuple[Support, ...]
    declared: tuple[str, ...]

    def rounds(self) -> set[tuple[str, str]]:
        """Give the pairs of which the second runs within the rounds of the first."""
        return {
            (name, member)
            for name, made in self.operations.items()
            if made.chain is not None
            for member in made.chain.members
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON form."""
        return sha256_text(canonical_json(encode(self)))


_PARTS = (
    abort,
    binding,
    cancel,
    chain,
    delay,
    each,
    expression,
    hedge,
    jitter,
    order,
    pace,
    recovery,
    repeat,
    timing,
    tree,
    undo_order,
    undo_rules,
)
_CLASSES: dict[str, type] = {
    name: made
    for module in _PARTS
    for name, made in vars(module).items()
    if isinstance(made, type) and hasattr(made, "__dataclass_fields__")
}
_CLASSES.update({c.__name__: c for c in (Donor, Operation, Support, Program)})


def to_json(program: Program) -> str:
    """Write a program as one versioned document."""
    return canonical_json({"format": FORMAT, "program": encode(program)})


def from_json(text: str) -> Program:
    """Read a program back; a format version we do not know is refused."""
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise DataError(f"this is not a program: {error}") from None
    stated = document.get("format") if isinstance(document, dict) else None
    if stated != FORMAT:
        raise DataError(f"program format is {stated!r}; this version reads {FORMAT!r} only")
    program = decode(document.get("program"), _CLASSES)
    if not isinstance(program, Program):
        raise DataError("the program document holds no program")
    return program
