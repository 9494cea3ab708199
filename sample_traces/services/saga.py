"""The undoing of a flow: which compensations run, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sample_traces.services.calls import Caller, Flow, KeyRule, Operation, Saga
from sample_traces.services.web import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A compensation that will run if the flow aborts."""

    operation: Operation
    key: str
    body: Json
    saga: Saga
    completed_ns: int
    """When the step it undoes completed; the order of undoing follows from it."""
    key_renewed_after_timeout: bool = False

    def key_rule(self) -> KeyRule:
        """One idempotency key, or another one after each timeout."""
        base = f"{self.key}:{self.saga.step}"
        if self.key_renewed_after_timeout:
            return lambda _attempt, timeouts: f"{base}:{timeouts + 1}"
        return lambda _attempt, _timeouts: base


@dataclass(slots=True, kw_only=True)
class Compensator:
    """Collects the compensations of one flow and runs them."""

    caller: Caller
    flow: Flow
    stops_at_failure: bool
    undos: list[Undo] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)

    def plan(self) -> list[Undo]:
        """The compensations in the order they will run: the newest step's first."""
        return sorted(self.undos, key=lambda undo: undo.completed_ns, reverse=True)

    def run(self) -> bool:
        """Compensate one after the other; the answer is whether all of them succeeded."""
        sound = True
        for undo in self.plan():
            sound = self._run_one(undo) and sound
            if not sound and self.stops_at_failure:
                return False
        return sound

    def _run_one(self, undo: Undo) -> bool:
        result = self.caller.call(
            self.flow,
            undo.operation,
            undo.key,
            undo.body,
            key_rule=undo.key_rule(),
            saga=undo.saga,
        )
        self.journal.append(
            {
                "step": undo.saga.step,
                "key": undo.key,
                "callee": undo.operation.callee,
                "started_ns": result.started_ns,
                "ended_ns": result.ended_ns,
                "ok": result.ok,
                "attempts": result.attempts,
            }
        )
        return result.ok
