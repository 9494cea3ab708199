"""The standard library's threads, locks and queues, made of virtual ones."""

from __future__ import annotations

import _thread
import functools
import itertools
import queue
import threading
from typing import Any

from .world import WORLD, Lock, Turn

_idents = itertools.count(1_000_000)
_of_turn: dict[Turn, int] = {}


def _get_ident() -> int:
    turn = WORLD.current
    if turn is WORLD.main:
        return _MAIN
    return _of_turn.setdefault(turn, next(_idents))


_MAIN = _thread.get_ident()


def _start(self: Any) -> None:
    if self._started.is_set():
        raise RuntimeError("threads can only be started once")
    self._ended = threading.Event()
    self._started.set()

    def work() -> None:
        ident = _get_ident()
        self._ident = ident
        threading._active[ident] = self  # type: ignore[attr-defined]
        try:
            self.run()
        except Exception:
            self._invoke_excepthook(self)
        finally:
            threading._active.pop(ident, None)  # type: ignore[attr-defined]
            self._ended.set()

    WORLD.spawn(work, self.name)


def _join(self: Any, timeout: float | None = None) -> None:
    if not hasattr(self, "_ended"):
        raise RuntimeError("cannot join thread before it is started")
    self._ended.wait(timeout)


def _is_alive(self: Any) -> bool:
    return self is threading.main_thread() or (hasattr(self, "_ended") and not self._ended.is_set())


def _start_new_thread(function: Any, args: Any, kwargs: Any = None) -> int:
    ident = next(_idents)
    WORLD.spawn(lambda: function(*args, **(kwargs or {})), f"thread-{ident}")
    return ident


def install() -> None:
    """Put virtual threads in place; modules imported from now on see nothing else."""
    lock: Any = Lock
    module: Any = threading
    for name in ("Lock", "_allocate_lock"):
        setattr(module, name, lock)
    _thread.allocate_lock = lock
    module._CRLock = None
    module.RLock = module._PyRLock
    module.get_ident = _get_ident
    _thread.get_ident = _get_ident
    functools.RLock = module._PyRLock  # type: ignore[attr-defined]
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined,misc]
    thread: Any = threading.Thread
    thread.start, thread.join, thread.is_alive = _start, _join, _is_alive
    _thread.start_new_thread = _start_new_thread
