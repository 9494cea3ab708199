"""Another timeout than its own for a request of an asyncio client.

A client's timeout is a timer on the loop: set by the task that sends, or by one that waits for it,
with the delay that was recorded. While such a request waits for its answer, those timers ring when
a scenario says. A request without such a timer is reported: the scenario did not reach it.
"""

from __future__ import annotations

import asyncio
from typing import Any, Callable
from weakref import WeakKeyDictionary

from .world import WORLD

APART_NS = 1_000_000
# Some clients round longer timeouts up to whole seconds.
ROUNDED_FROM_NS, SECOND_NS = 5_000_000_000, 1_000_000_000


class Limit:
    """The timeout of one request: timers of `tasks` that would ring `own_ns` after they were set
    ring at `at_ns`."""

    def __init__(self, tasks: list[Any], own_ns: int | None, at_ns: int) -> None:
        self.tasks, self.own_ns, self.at_ns = tasks, own_ns, at_ns
        self.reached = False

    def means(self, delay_ns: int, task: Any) -> bool:
        """Whether a timer is this request's timeout."""
        if self.own_ns is None or task not in self.tasks:
            return False
        longer_ns = delay_ns - self.own_ns
        rounded = self.own_ns >= ROUNDED_FROM_NS and 0 <= longer_ns < SECOND_NS
        return rounded or abs(longer_ns) <= APART_NS


class Limits:
    """The timers of one loop and who set them; `again` puts a timer on it once more."""

    def __init__(self, again: Callable[[int, Any], None]) -> None:
        self._again = again
        self._timers: list[tuple[Any, int, Any]] = []
        self._makers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._waiting: list[Limit] = []

    def made(self, task: Any) -> None:
        """A task was made by the current one."""
        self._makers[task] = _current()

    def timed(self, handle: Any, moment_ns: int) -> None:
        """A timer was set by the current task."""
        timer = handle, moment_ns - WORLD.now_ns, _current()
        self._timers = [it for it in self._timers if not it[0]._cancelled]
        self._timers.append(timer)
        for limit in self._waiting:
            self._apply(limit, *timer)

    def begin(self, own_ns: int | None, at_ns: int) -> Limit:
        """The current task has sent a request."""
        task, tasks = _current(), []
        while task is not None and task not in tasks:
            tasks.append(task)
            task = self._makers.get(task)
        limit = Limit(tasks, own_ns, at_ns)
        for timer in self._timers:
            self._apply(limit, *timer)
        self._waiting.append(limit)
        return limit

    def end(self, limit: Limit | None) -> None:
        """The answer has begun, or nobody waits for it any more."""
        if limit in self._waiting:
            self._waiting.remove(limit)
            if not limit.reached:
                WORLD.report("unapplied", "another timeout: the client set none as was recorded")

    def _apply(self, limit: Limit, handle: Any, delay_ns: int, task: Any) -> None:
        if handle._cancelled or not limit.means(delay_ns, task):
            return
        limit.reached = True
        ring, args = handle._callback, handle._args
        owner: Any = getattr(ring, "__self__", None)

        def moved() -> None:
            if limit.at_ns > WORLD.now_ns:
                self._again(limit.at_ns, handle)
                return
            handle._cancelled = True  # it may be on the loop twice
            if hasattr(type(owner), "deadline"):
                owner.deadline = WORLD.now_ns / 1e9  # anyio looks at the clock before it rings
            else:
                ring(*args)

        handle._callback, handle._args = moved, ()
        self._again(limit.at_ns, handle)


def _current() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
