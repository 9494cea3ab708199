"""Flows out of what was received, beside the loading of more."""

import threading
import time
from collections.abc import Callable

# What still comes in makes flows be derived again: a silence is waited for, but not for ever.
SILENCE_SECONDS = 1.0
WAIT_SECONDS_MAX = 20.0
# Deriving takes at most one part in this many of the time, however large the store.
REST_SHARE = 4
RETRY_SECONDS = 5.0


class Deriving:
    """A thread that calls `derive` when it was asked, once it is quiet; then it rests."""

    def __init__(self, derive: Callable[[], None], tell: Callable[[str], None]) -> None:
        self._derive, self._tell = derive, tell
        self._turn = threading.Condition()
        self._is_asked = False
        self._asked_at = 0.0  # the last time
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="retrospan-deriving")
        self._thread.start()

    def ask(self) -> None:
        """There are new records."""
        with self._turn:
            self._is_asked, self._asked_at = True, time.monotonic()
            self._turn.notify_all()

    def stop(self) -> None:
        """Derive once more what was asked for, then end."""
        with self._turn:
            self._is_stopping = True
            self._turn.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._is_asked or self._is_stopping)
                if not self._is_asked:
                    return
                self._await_silence(time.monotonic() + WAIT_SECONDS_MAX)
                self._is_asked = False
                is_last = self._is_stopping
            rest = self._once()
            if is_last:
                return
            with self._turn:
                self._turn.wait_for(lambda: self._is_stopping, rest)

    def _await_silence(self, latest: float) -> None:
        while not self._is_stopping:
            left = min(self._asked_at + SILENCE_SECONDS, latest) - time.monotonic()
            if left <= 0:
                return
            self._turn.wait(left)

    def _once(self) -> float:
        """Seconds to rest afterwards."""
        began = time.monotonic()
        failed = 0.0
        try:
            self._derive()
        except Exception as error:
            failed = RETRY_SECONDS
            self.ask()
            self._tell(f"deriving failed, tried again later: {error}")
        return (time.monotonic() - began) * REST_SHARE + failed
