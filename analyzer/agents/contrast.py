"""Where a failed run first did what no run that succeeded at the same task did.

Only calls that act are compared: what a tool reads may be read in many orders. A call is the same
when its tool and its arguments are, as JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from analyzer.agents.run import Run, Turn
from store.decision_leaf import canonical

READING: Final = (
    "get", "search", "list", "find", "read", "look", "fetch", "query", "show", "describe", "check",
    "calculate", "think", "count", "view",
)  # fmt: skip
"""First words of the names of tools that change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """The first call of its own: the turn that made it, the tool; how many runs it is held to."""

    turn: Turn
    tool: str
    peers: int


def acts(tool: str) -> bool:
    """Whether a tool of this name may change something."""
    first = tool.replace("-", "_").replace(".", "_").split("_", 1)[0].lower()
    return first not in READING


def divergence(run: Run, succeeded: Sequence[Run]) -> Divergence | None:
    """The first acting call that none of the runs made; None where there is none, or no run."""
    if not succeeded:
        return None
    known = {call for peer in succeeded for turn in peer.spoken for call in acting_calls(turn)}
    for turn in run.spoken:
        for call in acting_calls(turn):
            if call not in known:
                return Divergence(turn=turn, tool=call[0], peers=len(succeeded))
    return None


def acting_calls(turn: Turn) -> list[tuple[str, bytes]]:
    """The calls of a turn that may change something, each with its arguments in one spelling."""
    return [(name, _spelling(told)) for name, told in turn.calls if acts(name)]


def _spelling(arguments: str) -> bytes:
    try:
        return canonical(msgspec.json.decode(arguments))
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return arguments.encode("utf-8", "surrogatepass")
