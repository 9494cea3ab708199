"""A command of workflow code, as a history recorded it or as the code issued it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENDS = {
    "complete": "succeeded",
    "fail": "failed",
    "canceled": "cancelled",
    "continue_as_new": "continued",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`kind` such as activity or timer; `task` the event that started the workflow task whose code
    issued it, 0 where that is not known; `place` the event, `line` the code's own lines.

    `at_ns` is the workflow's time, 0 for a recorded one.
    """

    kind: str
    name: str
    fields: Mapping[str, Any]
    task: int
    place: str = ""
    line: str = ""
    seq: int = 0
    at_ns: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What makes two commands the same one; timers are known by their order only."""
        return (self.kind, "" if "timer" in self.kind else self.name)

    @property
    def label(self) -> str:
        """The command for a person."""
        return self.kind.replace("_", " ") + (f" {self.name}" if self.name else "")


def command_of(told: Mapping[str, Any]) -> Command:
    """A command out of the child's message."""
    return Command(
        kind=str(told["kind"]),
        name=str(told["name"]),
        fields=dict(told["fields"]),
        task=int(told["task"]),
        place=str(told.get("place", "")),
        line=str(told.get("line", "")),
        seq=int(told.get("seq", 0)),
        at_ns=int(told.get("at_ns", 0)),
    )
