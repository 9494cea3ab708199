"""pdb on the user's terminal, while virtual time stands still.

Nothing has to be stopped for that: time moves only when the code waits.
"""

from __future__ import annotations

import inspect
import pdb
import sys
from typing import Any, Callable

GREETING = "retrospan: virtual time stands while you look; c goes on, q ends the replay\n"


class Debugger(pdb.Pdb):
    """pdb, entered at the first line of a function, and at every `breakpoint()`."""

    def begin(self, function: Callable[..., Any]) -> None:
        """Stop where the function begins; of a coroutine, where it first runs."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        sys.stdout.write(GREETING)

        def first(frame: Any, event: str, _: Any) -> Any:
            if event != "call" or frame.f_code is not code:
                return None
            self.set_trace(frame)
            return self.trace_dispatch

        sys.breakpointhook = self.entered
        sys.settrace(first)

    def entered(self, *_: Any, **__: Any) -> None:
        """Stop at a `breakpoint()` of the code."""
        self.set_trace(sys._getframe().f_back)


def begin(function: Callable[..., Any]) -> None:
    """Debug the next call of a function."""
    Debugger(nosigint=True).begin(function)


def end() -> None:
    """Let go of the code."""
    sys.settrace(None)
    sys.breakpointhook = sys.__breakpointhook__
