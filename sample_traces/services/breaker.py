"""A circuit breaker on the share of failures among the latest calls."""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW_CALLS = 24
FAILURE_SHARE_MIN = 0.65
OPEN_S = 1.5
PROBES_TO_CLOSE = 1


class Breaker:
    """Closed, open, or half-open with one probe at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: deque[bool] = deque(maxlen=WINDOW_CALLS)
        self._state = "closed"
        self._opened_at = 0.0
        self._probing = False
        self._probes_ok = 0

    def admit(self) -> tuple[bool, str]:
        """Whether a call may go out now, and the state it was decided in."""
        with self._lock:
            if self._state == "open" and time.monotonic() - self._opened_at >= OPEN_S:
                self._state, self._probing, self._probes_ok = "half_open", False, 0
            if self._state == "half_open":
                if self._probing:
                    return False, "open"
                self._probing = True
                return True, "half_open"
            return self._state == "closed", self._state

    def record(self, ok: bool, admitted_in: str) -> str | None:
        """Note how an admitted call ended; the answer is the new state if it changed."""
        with self._lock:
            if admitted_in == "half_open" and self._state == "half_open":
                return self._record_probe(ok)
            if self._state != "closed":
                return None
            self._latest.append(ok)
            failures = self._latest.count(False)
            if len(self._latest) < WINDOW_CALLS or failures < FAILURE_SHARE_MIN * WINDOW_CALLS:
                return None
            return self._open()

    def _record_probe(self, ok: bool) -> str | None:
        self._probing = False
        if not ok:
            return self._open()
        self._probes_ok += 1
        if self._probes_ok < PROBES_TO_CLOSE:
            return None
        self._latest.clear()
        self._state = "closed"
        return self._state

    def _open(self) -> str:
        self._latest.clear()
        self._state, self._opened_at = "open", time.monotonic()
        return self._state
