"""The flow that runs here, as far as draws need to know it."""

from __future__ import annotations

import itertools
import time
from contextvars import ContextVar
from typing import Callable, List, Optional, Tuple

# Gives the number of the flow's next draw; None outside a flow. Tasks and threads that were given
# the context share it.
numbering: ContextVar[Optional[Callable[[], int]]] = ContextVar("retrospan_draws", default=None)
# Whether an activity runs here: what it draws is part of its answer.
inside: ContextVar[bool] = ContextVar("retrospan_inside", default=False)
# The waits that the flow asked for: when, and for how long; None where they are not recorded.
Waits = List[Tuple[int, int]]
waits: ContextVar[Optional[Waits]] = ContextVar("retrospan_waits", default=None)
WAITS_MAX = 1_000


def waited(duration_ns: int) -> None:
    """Take note of a wait; one too many says that they are not all there."""
    found = waits.get()
    if found is not None and len(found) <= WAITS_MAX and not inside.get():
        found.append((time.time_ns(), duration_ns))


def fresh() -> Callable[[], int]:
    """Numbers for the draws of a new flow."""
    return itertools.count().__next__
