"""What a saga's journal says happened, apart from telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

Entry = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class SagaTruth:
    """One flow as its leader's journal has it.

    The journal holds `output`, `steps` {step, callee, started_ns, ended_ns, ok, ref} and
    `compensations` {step, key, callee, started_ns, ended_ns, ok}; the key of a compensation is the
    reference of the step it undoes.
    """

    compensatable: ClassVar[frozenset[str]] = frozenset()
    retriable: ClassVar[frozenset[str]] = frozenset()

    flow_id: str
    journal: Entry

    @property
    def status(self) -> str:
        """How the leader says it ended."""
        return str(self.journal["output"]["status"])

    @property
    def aborted(self) -> bool:
        """Whether the flow did not go through."""
        return self.status != "completed"

    def completed_steps(self) -> list[Entry]:
        """Compensatable steps whose caller saw success."""
        steps = self.journal["steps"]
        return [step for step in steps if step["ok"] and step["step"] in self.compensatable]

    def compensation_of(self, step: Entry) -> Entry | None:
        """The compensation that ran for a step, if one did."""
        for compensation in self.journal["compensations"]:
            if compensation["key"] == step["ref"]:
                return dict(compensation)
        return None

    def outcome(self) -> str:
        """The outcome in DESIGN's words, as its callers could see it."""
        if not self.aborted:
            return "succeeded"
        if not all(entry["ok"] for entry in self.journal["compensations"]):
            return "compensation_failed"
        steps = self.completed_steps()
        if any(self.compensation_of(step) is None for step in steps):
            return "partially_compensated"
        return "compensated" if steps or self.journal["compensations"] else "failed"


def breaks_s1(flow: SagaTruth) -> bool:
    """A completed compensatable step of an aborted flow has no completed compensation."""
    if not flow.aborted:
        return False
    undone = [flow.compensation_of(step) for step in flow.completed_steps()]
    return any(compensation is None or not compensation["ok"] for compensation in undone)


def breaks_s2(flow: SagaTruth) -> bool:
    """A compensation ran for a step that never completed."""
    completed = {step["ref"] for step in flow.completed_steps()}
    return any(entry["key"] not in completed for entry in flow.journal["compensations"])


def breaks_s3(flow: SagaTruth) -> bool:
    """Of two steps in sequence, the earlier one was undone first."""
    undone = [(step, flow.compensation_of(step)) for step in flow.completed_steps()]
    return any(
        a["ended_ns"] <= b["started_ns"] and undo_a["started_ns"] < undo_b["started_ns"]
        for a, undo_a in undone
        for b, undo_b in undone
        if undo_a is not None and undo_b is not None
    )


def breaks_s7(flow: SagaTruth) -> bool:
    """A compensation that started did not end in success."""
    return any(not entry["ok"] for entry in flow.journal["compensations"])


def breaks_s12(flow: SagaTruth) -> bool:
    """A retriable step after the pivot never succeeded."""
    steps = flow.journal["steps"]
    return any(step["step"] in flow.retriable and not step["ok"] for step in steps)
