"""The undoing of a payment: which compensations run, in which order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sample_traces.services.calls import Caller, Flow, KeyRule, Operation, Saga
from sample_traces.services.versions import Behaviour
from sample_traces.services.web import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A compensation that will run if the payment aborts."""

    operation: Operation
    key: str
    body: Json
    saga: Saga
    completed_ns: int
    """When the step it undoes completed; the order of undoing follows from it."""


@dataclass(slots=True, kw_only=True)
class Compensator:
    """Collects the compensations of one flow and runs them."""

    caller: Caller
    flow: Flow
    behaviour: Behaviour
    undos: list[Undo] = field(default_factory=list)
    refund: Undo | None = None
    journal: list[dict[str, Any]] = field(default_factory=list)

    def plan(self) -> list[Undo]:
        """The compensations in the order they will run."""
        newest_first = sorted(self.undos, key=lambda undo: undo.completed_ns, reverse=True)
        if self.refund is None:
            return newest_first
        if (
            self.behaviour.releases_before_refund_after_failover
            and self.refund.operation.callee == "gateway-us"
        ):
            return [*newest_first, self.refund]
        return [self.refund, *newest_first]

    def run(self) -> bool:
        """Compensate one after the other; the answer is whether all of them succeeded."""
        sound = True
        for undo in self.plan():
            sound = self._run_one(undo) and sound
            if not sound and self.behaviour.stops_at_failed_compensation:
                return False
        return sound

    def _run_one(self, undo: Undo) -> bool:
        base = f"{undo.key}:{undo.saga.step}"
        result = self.caller.call(
            self.flow,
            undo.operation,
            undo.key,
            undo.body,
            key_rule=self._key_rule(undo, base),
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

    def _key_rule(self, undo: Undo, base: str) -> KeyRule:
        renew = self.behaviour.refund_key_renewed_after_timeout
        if renew and undo.operation.path == "/refunds":
            return lambda _attempt, timeouts: f"{base}:{timeouts + 1}"
        return lambda _attempt, _timeouts: base
