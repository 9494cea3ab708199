"""Idempotency keys: one key, one execution, one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sample_traces.services.web import Answer

JOIN_TIMEOUT_S = 10.0


@dataclass(slots=True, kw_only=True)
class Execution:
    """The one execution of a key."""

    cancelled: bool = False
    answer: Answer | None = None
    done: threading.Event = field(default_factory=threading.Event)


class Once:
    """Runs the work of a key once; repeats of the key get the first answer again.

    A failed execution (5xx) had no effect, so its key is free again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executions: dict[str, Execution] = {}

    def run(self, key: str, work: Callable[[Execution], Answer]) -> Answer:
        """Run `work`, or wait for the execution that has the key already."""
        with self._lock:
            execution = self._executions.get(key)
            owner = execution is None
            if execution is None:
                execution = self._executions[key] = Execution()
        if not owner:
            execution.done.wait(JOIN_TIMEOUT_S)
            first = execution.answer or Answer(status=409, body={"status": "cancelled"})
            return Answer(status=first.status, body=first.body)
        answer = work(execution)
        with self._lock:
            if answer.status >= 500 and not execution.cancelled:
                del self._executions[key]
            execution.answer = answer
            execution.done.set()
        return answer

    def commit(self, execution: Execution, effect: Callable[[], Answer]) -> Answer:
        """Make the effect, unless the key was cancelled meanwhile."""
        with self._lock:
            if execution.cancelled:
                return Answer(status=409, body={"status": "cancelled"})
            execution.answer = effect()
            return execution.answer

    def resolve(self, key: str) -> Answer | None:
        """The answer of a key that took effect or was refused; else None, and it never will."""
        with self._lock:
            execution = self._executions.setdefault(key, Execution())
            if execution.answer is not None and execution.answer.status < 500:
                return execution.answer
            execution.cancelled = True
            execution.done.set()
            return None
