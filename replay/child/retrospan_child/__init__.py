"""Runs a team's own code inside its own interpreter, in a world that a recording answers.

In: messages of the engine (`channel.py`), one flow at a time. Out: what the code asked for, when,
from which line, and what it returned. Nothing here needs more than the standard library, and
Python 3.9. Start reading at `__main__.py`, then `world.py` (virtual time, one thread at a time),
`asking.py` (what the engine is asked), `network.py` (sockets that nobody but it answers), `loop.py`
(asyncio), `guards.py`. In production, `marks.py` and `recorder` tell what a replay will need.
"""

from __future__ import annotations

from .marks import NotRecordedError, activity, flow

__all__ = ["NotRecordedError", "activity", "breaker_state", "flow", "upstream"]
PROTOCOL = 3


def breaker_state(operation: str) -> str:
    """The state the recorded breaker of `SERVICE METHOD /path` was in at the next call to it.

    A breaker's state comes from the calls of other flows, so it is an input of this one. Gives
    `closed` where none was recorded, or outside a replay.
    """
    from .world import WORLD

    left = WORLD.breakers.get(operation)
    return left.pop(0) if left else "closed"


UPSTREAMS: dict[str, str] = {}


def upstream(host: str, callee: str) -> None:
    """Say at import which recorded service a host, or HOST:PORT, of the code's settings means."""
    UPSTREAMS[host.lower()] = callee
