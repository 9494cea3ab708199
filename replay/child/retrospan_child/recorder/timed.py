"""Tells of the waits that code asks for: `sleep`, a wait that ran out, `call_later`.

What a process took between two calls beyond the waits it asked for was its own time: its work, or
a machine that stood still. A recording that holds the waits tells the two apart. In a replay the
same hooks say what the code under test asks for.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import Any, Callable

from ..world import own

Tell = Callable[[int], None]
_installed: list[type] = []


def install(tell: Tell, loop: type) -> None:
    """Call `tell` with the nanoseconds of each wait, and of timers set on a `loop` by hand; once a
    process."""
    if _installed:
        return
    _installed.append(loop)
    _bind(time, "sleep", _sleeping(tell, time.sleep))
    _bind(asyncio, "sleep", _sleeping(tell, asyncio.sleep))
    asyncio.tasks.sleep = asyncio.sleep
    kinds: Any = threading.Condition, loop
    kinds[0].wait = _waiting(tell, threading.Condition.wait)
    kinds[1].call_later = _setting(tell, kinds[1].call_later)


def _sleeping(tell: Tell, function: Callable[..., Any]) -> Callable[..., Any]:
    def sleep(seconds: float, *rest: Any, **named: Any) -> Any:
        if seconds > 0:
            tell(round(seconds * 1e9))
        return function(seconds, *rest, **named)

    return sleep


def _waiting(tell: Tell, function: Callable[..., bool]) -> Callable[..., bool]:
    def wait(self: Any, timeout: float | None = None) -> bool:
        woken = function(self, timeout)
        if timeout is not None and timeout > 0 and not woken:
            tell(round(timeout * 1e9))
        return woken

    return wait


def _setting(tell: Tell, function: Callable[..., Any]) -> Callable[..., Any]:
    def call_later(self: Any, delay: float, *rest: Any, **named: Any) -> Any:
        # The standard library sets timers for its own timeouts and sleeps.
        if delay > 0 and own(sys._getframe(1).f_code.co_filename):
            tell(round(delay * 1e9))
        return function(self, delay, *rest, **named)

    return call_later


def _bind(module: Any, name: str, function: Any) -> None:
    """Put a function in its place, and wherever it was imported to by its name."""
    before = getattr(module, name)
    for found in [*sys.modules.values()]:
        bound = getattr(found, "__dict__", {})
        for there in [it for it, value in bound.items() if value is before]:
            setattr(found, there, function)
    setattr(module, name, function)
