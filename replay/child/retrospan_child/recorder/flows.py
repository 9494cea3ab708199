"""The flow that runs here, as far as its draws and its waits need to know it."""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator, List, Optional, Tuple

# Gives the number of the flow's next draw; None outside a flow. Tasks and threads that were given
# the context share it.
numbering: ContextVar[Optional[Callable[[], int]]] = ContextVar("retrospan_draws", default=None)
# Whether an activity runs here: what it draws is part of its answer.
inside: ContextVar[bool] = ContextVar("retrospan_inside", default=False)
# The waits that the flow asked for: when, and for how long; None where they are not recorded.
Waits = List[Tuple[int, int]]
waits: ContextVar[Optional[Waits]] = ContextVar("retrospan_waits", default=None)
WAITS_MAX = 1_000
WAITS, WAIT_AT_NS, WAIT_ASKED_NS = "retrospan.waits", "retrospan.wait.at_ns", "retrospan.wait.ns"


def waited(duration_ns: int) -> None:
    """Take note of a wait; one too many says that they are not all there."""
    found = waits.get()
    if found is not None and len(found) <= WAITS_MAX and not inside.get():
        found.append((time.time_ns(), duration_ns))


@contextmanager
def activity() -> Iterator[None]:
    """An activity runs here."""
    token = inside.set(True)
    try:
        yield
    finally:
        inside.reset(token)


class Flow:
    """A flow that begins here: its draws are numbered from 0, its waits are noted if `timed`."""

    def __init__(self, timed: bool) -> None:
        self._waits: Optional[Waits] = [] if timed else None
        values: Any = (
            (numbering, itertools.count().__next__),
            (inside, False),
            (waits, self._waits),
        )
        self._tokens = [(variable, variable.set(value)) for variable, value in values]

    def end(self) -> None:
        """What follows is no part of it. Raises ValueError in another context than it began in."""
        for variable, token in self._tokens:
            variable.reset(token)

    def tell(self, span: Any) -> None:
        """Tell of the waits on the flow's span, unless some are missing."""
        found = None if self._waits is None else [*self._waits]
        if found is None or len(found) > WAITS_MAX:
            return
        told: dict[str, Any] = {WAITS: len(found)}
        if found:
            told[WAIT_AT_NS] = [at_ns - span.start_time for at_ns, _ in found]
            told[WAIT_ASKED_NS] = [duration_ns for _, duration_ns in found]
        span.set_attributes(told)
