"""The flow that runs here, as far as draws need to know it."""

from __future__ import annotations

import itertools
from contextvars import ContextVar
from typing import Callable, Optional

# Gives the number of the flow's next draw; None outside a flow. Tasks and threads that were given
# the context share it.
numbering: ContextVar[Optional[Callable[[], int]]] = ContextVar("retrospan_draws", default=None)
# Whether an activity runs here: what it draws is part of its answer.
inside: ContextVar[bool] = ContextVar("retrospan_inside", default=False)


def fresh() -> Callable[[], int]:
    """Numbers for the draws of a new flow."""
    return itertools.count().__next__
