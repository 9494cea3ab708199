"""Virtual time, and threads that take turns on it: never two at once, always in the same order."""

from __future__ import annotations

import _thread
import heapq
import os
import random
import sys
from collections import deque
from typing import Any, Callable, Deque

from .handed import Handed

STEPS_MAX = 1_000_000
THREADS_MAX = 1_000
WAITS_MAX = 10_000
_start_thread = _thread.start_new_thread
_real_lock = _thread.allocate_lock


class Stopped(BaseException):
    """The replay of a flow cannot go on; user code must not catch it by `except Exception`."""


class Turn:
    """One thread. It runs while it holds its baton; `waits_for` says what it waits for."""

    __slots__ = ("baton", "name", "parked", "token", "waits_for", "woken")

    def __init__(self, name: str) -> None:
        self.name = name
        self.baton = _real_lock()
        self.baton.acquire()
        self.parked = False
        self.woken = False
        self.token = 0
        self.waits_for = ""


class World:
    """The clock of one flow in nanoseconds from its start, and whose turn it is."""

    def __init__(self) -> None:
        self.active = False
        self.ask: Callable[[dict[str, Any]], dict[str, Any]] = lambda message: {}
        self.begin(0)

    def begin(
        self,
        epoch_ns: int,
        *,
        steps_max: int = STEPS_MAX,
        order_seed: int | None = None,
    ) -> None:
        """Start the time of another flow; threads of the last one never get a turn again."""
        self.epoch_ns = epoch_ns
        self.now_ns = 0
        self.steps = 0
        self.steps_max = steps_max
        self.main = Turn("main")
        self.current = self.main
        self.ready: Deque[Turn] = deque()
        self.timers: list[tuple[int, int, int, Turn]] = []
        self.sequence = 0
        self.threads = 0
        self.failure = ""
        self.breakers: dict[str, list[str]] = {}
        self.order = None if order_seed is None else random.Random(order_seed)
        self.requests = 0
        self.refusing = self.limited = False
        self.notes: list[dict[str, Any]] = []
        self.waits: list[int] = []
        self.handed = Handed({})
        self.reported: dict[str, str] = {}

    def park(self, until_ns: int | None, waits_for: str = "") -> bool:
        """Wait for a wake-up or a moment; the answer is whether it was a wake-up."""
        self.steps += 1
        if self.steps > self.steps_max:
            self._fail(f"the flow took more than {self.steps_max} steps")
        me = self.current
        me.token += 1
        me.woken = False
        me.parked = True
        me.waits_for = waits_for
        if until_ns is not None:
            self.sequence += 1
            heapq.heappush(self.timers, (max(until_ns, self.now_ns), self.sequence, me.token, me))
        self._pass_on(me)
        if self.failure and me is self.main:
            raise Stopped(self.failure)
        return me.woken

    def wake(self, turn: Turn) -> None:
        """Let a waiting thread go on at this moment."""
        if turn.parked and not turn.woken:
            turn.woken = True
            self.ready.append(turn)

    def waited(self, duration_ns: int) -> None:
        """Take note of a wait that the code asks for; the engine hears of it."""
        if self.active and len(self.waits) < WAITS_MAX:
            self.waits.append(duration_ns)

    def waits_taken(self) -> list[int]:
        """The waits since the engine was last told."""
        waits, self.waits = self.waits, []
        return waits

    def sleep(self, duration_ns: int) -> None:
        """Let time pass."""
        self.park(self.now_ns + max(0, duration_ns), "sleep")

    def spawn(self, work: Callable[[], None], name: str) -> None:
        """Start a thread; it gets its first turn when the others wait."""
        self.threads += 1
        if self.threads > THREADS_MAX:
            self._fail(f"the flow started more than {THREADS_MAX} threads")
        turn = Turn(name)
        turn.parked = True

        def run() -> None:
            turn.baton.acquire()
            try:
                work()
            except Stopped as stopped:
                self._fail(str(stopped), here=False)
            finally:
                if self.current is turn:
                    self._pass_on(turn, ended=True)

        _start_thread(run, ())
        self.wake(turn)

    def _pass_on(self, me: Turn, ended: bool = False) -> None:
        after = self._next()
        if after is me and not ended:
            return
        self.current = after
        after.baton.release()
        if not ended:
            me.baton.acquire()

    def _next(self) -> Turn:
        if self.failure:
            return self.main
        if self.ready:
            if self.order is not None and len(self.ready) > 1:
                self.ready.rotate(-self.order.randrange(len(self.ready)))
            turn = self.ready.popleft()
            turn.parked = False
            return turn
        while self.timers:
            moment, _, token, turn = heapq.heappop(self.timers)
            if turn.parked and not turn.woken and turn.token == token:
                self.now_ns = max(self.now_ns, moment)
                turn.parked = False
                return turn
        waits = self.main.waits_for or "something"
        self.failure = f"deadlock: the flow waits for {waits}, which nothing recorded will bring"
        return self.main

    def _fail(self, why: str, here: bool = True) -> None:
        self.failure = self.failure or why
        if here:
            raise Stopped(self.failure)

    def report(self, what: str, detail: str) -> None:
        """Note once something that a replay must tell of."""
        if len(self.reported) < 100:
            self.reported.setdefault(f"{what} {detail}", where())


class Lock:
    """A lock of virtual threads."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: Deque[Turn] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not self._held:
            self._held = True
            return True
        if not blocking:
            return False
        until = None if timeout < 0 else WORLD.now_ns + int(timeout * 1e9)
        me = WORLD.current
        self._waiting.append(me)
        if WORLD.park(until, "a lock"):
            return True
        self._waiting.remove(me)
        return False

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        while self._waiting:
            turn = self._waiting.popleft()
            if turn.parked and not turn.woken:
                WORLD.wake(turn)  # it holds the lock from now on
                return
        self._held = False

    def locked(self) -> bool:
        return self._held

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()


_OWN = os.path.dirname(__file__) + os.sep
_LIBRARY = (
    os.path.dirname(os.__file__) + os.sep,
    *(path for path in sys.path if path.endswith(("site-packages", "dist-packages"))),
)
FRAMES_MAX = 6
_named: dict[str, str] = {}  # the team's own files by their path; "" for others


def where() -> str:
    """The lines of the team's own code that led here, innermost first."""
    lines: list[str] = []
    frame: Any = sys._getframe(1)
    known = _named.get
    while frame is not None:
        path = frame.f_code.co_filename
        name = known(path)
        if name is None:
            name = _named[path] = relative(path) if own(path) else ""
        if name:
            lines.append(f"{name}:{frame.f_lineno}")
            if len(lines) == FRAMES_MAX:
                break
        frame = frame.f_back
    return " < ".join(lines)


def own(path: str) -> bool:
    """Whether a file is the team's, not a library's or ours."""
    return not path.startswith((_OWN, *_LIBRARY, "<frozen"))


def relative(path: str) -> str:
    """A path without the machine it is on."""
    roots = sorted((root for root in sys.path if root and path.startswith(root + "/")), key=len)
    return path[len(roots[-1]) + 1 :] if roots else path


WORLD = World()
