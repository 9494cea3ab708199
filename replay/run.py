"""What one run of a program did."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

from msgspec import Struct

from replay.infer.outcome import Ending
from replay.infer.view import View
from replay.leaves import Leaves, Scalar, printable
from store.model import JsonValue

Doubts: TypeAlias = Sequence[tuple[str, Any]]


class Call(Struct, gc=False):
    """One attempt the program made.

    `stream` is the recorded key its answers come from; `place` orders calls that start at the
    same time; `node` is the operation's place in the program.
    """

    op: str
    key: str
    attempt: int
    first: bool
    start: int
    low: int
    high: int
    end: int
    status: str
    request: Leaves
    response: Leaves
    rung: str
    place: tuple[int, int]
    recovery: bool
    node: str
    stream: str


class Run(Struct):
    """Calls, outcome, end and doubts of one run, and the local results it computed anew."""

    view: View
    calls: list[Call] = []
    flags: dict[str, None] = {}
    computed: list[tuple[str, str, str, Any, Any]] = []
    undone: list[tuple[str, str]] = []
    aborted_by: tuple[str, ...] = ()
    ending: Ending | None = None
    outcome: str = ""
    end: int = 0
    end_low: int = 0
    end_high: int = 0
    output: dict[str, Scalar] = {}
    counts: Mapping[str, int] = {}
    notes: list[str] = []

    def doubt(self, where: str, doubts: Doubts) -> None:
        """Keep doubts as flags: the word, where it arose, and the detail."""
        for word, detail in doubts:
            parts = detail if isinstance(detail, list) else [detail]
            text = " ".join(str(part) for part in parts if part is not None)
            self.flags[f"{word} {where}: {text}" if text else f"{word} {where}"] = None

    def events(self) -> list[dict[str, JsonValue]]:
        """Give the canonical event log: integers and text only, one fixed order."""
        self.calls.sort(key=_IN_ORDER)
        log: list[dict[str, JsonValue]] = [
            {
                "event": "call",
                "op": call.op,
                "key": call.key,
                "attempt": call.attempt,
                "start_ns": call.start,
                "end_ns": call.end,
                "status": call.status,
                "rung": call.rung,
                "request": printable(call.request),
                "response": printable(call.response),
            }
            for call in self.calls
        ]
        if self.aborted_by:
            log.append({"event": "abort", "by": list(self.aborted_by)})
        log.append(
            {
                "event": "end",
                "outcome": self.outcome,
                "at_ns": self.end,
                "output": printable(self.output),
            }
        )
        return log


_IN_ORDER = attrgetter("start", "place", "attempt")
