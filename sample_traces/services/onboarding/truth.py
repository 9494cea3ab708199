"""What really happened to each applicant, from the books alone, never from telemetry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sample_traces.services.onboarding.operations import SYSTEMS
from sample_traces.services.onboarding.risk_model import THRESHOLD
from sample_traces.services.saga_truth import (
    Entry,
    SagaTruth,
    breaks_s2,
    breaks_s3,
    breaks_s7,
    breaks_s12,
)
from sample_traces.services.system import Recording


@dataclass(slots=True, kw_only=True)
class FlowTruth(SagaTruth):
    """One applicant's entries in everybody's books."""

    compensatable = frozenset(f"create-{system}" for system in SYSTEMS)
    retriable = frozenset({"welcome"})

    accounts: list[Entry] = field(default_factory=list)
    closures: list[Entry] = field(default_factory=list)
    arrivals: list[Entry] = field(default_factory=list)
    review: Entry | None = None
    decision: Entry | None = None

    def orphans(self) -> list[Entry]:
        """Accounts of an aborted onboarding that are still there."""
        if not self.aborted:
            return []
        closed = {closure["account_id"] for closure in self.closures}
        return [account for account in self.accounts if account["account_id"] not in closed]

    def excess_closures(self) -> list[Entry]:
        """Every closure of an account after its first."""
        seen: set[str] = set()
        excess = []
        for closure in sorted(self.closures, key=lambda entry: int(entry["time_ns"])):
            if closure["account_id"] in seen:
                excess.append(closure)
            seen.add(str(closure["account_id"]))
        return excess

    @property
    def executed(self) -> bool:
        """Whether the decision led to an account."""
        return self.decision is not None and "action" in self.decision

    @property
    def variant(self) -> str | None:
        """The variant of the model that decided."""
        variants = self.journal["variants"]
        return str(variants[0]) if variants else None


def flow_truths(recording: Recording) -> list[FlowTruth]:
    """All flows, by id."""
    leader = "onboarding-orchestrator"
    flows = {
        journal["flow_id"]: FlowTruth(flow_id=journal["flow_id"], journal=journal)
        for journal in recording.page(leader, "flows")
    }
    for entry in recording.page(leader, "decisions"):
        flows[entry["record"]["flow_id"]].decision = entry["record"]
    for entry in recording.page("review-desk", "reviews"):
        flows[entry["flow_id"]].review = entry
    for system in SYSTEMS:
        for page in ("accounts", "closures"):
            for entry in recording.page(system, page):
                getattr(flows[entry["flow_id"]], page).append({**entry, "service": system})
        for entry in recording.page(system, "arrivals"):
            flows[entry["subject"]].arrivals.append({**entry, "service": system})
    return [flows[flow_id] for flow_id in sorted(flows)]


def breaks_s1(flow: FlowTruth) -> bool:
    """An account whose making succeeded for the caller is still there after an abort.

    A closure that timed out for its caller and was made all the same has undone its account.
    """
    standing = {account["account_id"] for account in flow.orphans()}
    return any(step["ref"] in standing for step in flow.completed_steps())


def breaks_s4(flow: FlowTruth) -> bool:
    """One account was closed twice."""
    return bool(flow.excess_closures())


def breaks_s11(flow: FlowTruth) -> bool:
    """A system saw more than one key for one operation of the flow."""
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arrival in flow.arrivals:
        keys[(arrival["service"], arrival["operation"])].add(arrival["key"])
    return any(len(seen) > 1 for seen in keys.values())


def made_twice(flow: FlowTruth) -> bool:
    """Two accounts in one system."""
    made = [account["service"] for account in flow.accounts]
    return len(made) > len(set(made))


def acted_below_threshold(flow: FlowTruth) -> bool:
    """The gate let a decision act on its own below the confidence it asks for."""
    if flow.decision is None or not flow.executed or flow.review is not None:
        return False
    return bool(flow.decision["confidence"] < THRESHOLD)


def gate_skipped(flow: FlowTruth) -> bool:
    """Accounts were made and no gate was ever asked."""
    gate: str | None = flow.journal["gate"]
    return flow.executed and gate is None


def acted_before_gate(flow: FlowTruth) -> bool:
    """The first account was asked for while the gate was still thinking."""
    return not bool(flow.journal["awaited"])


def overridden(flow: FlowTruth) -> bool:
    """A person decided otherwise than the model advised."""
    if flow.review is None:
        return False
    advised = str(flow.review["recommendation"]) == "approve"
    return bool(flow.review["approved"]) is not advised


def straddled(flow: FlowTruth) -> bool:
    """The feature flag changed between two looks at it."""
    return len(set(flow.journal["variants"])) > 1


FINDERS = {
    "saga.S1": ("accounts of rejected or failed applicants that were not closed", breaks_s1),
    "saga.S2": ("closures of accounts that were never made", breaks_s2),
    "saga.S3": ("closed in the wrong order", breaks_s3),
    "saga.S4": ("closed more than once", breaks_s4),
    "saga.S7": ("closures that ended in failure", breaks_s7),
    "saga.S11": ("idempotency keys that changed between attempts", breaks_s11),
    "saga.S12": ("retriable steps that never succeeded", breaks_s12),
    "detector.duplicate_effect": ("two accounts in one system", made_twice),
    "detector.below_threshold_action": (
        "decisions that acted below their threshold",
        acted_below_threshold,
    ),
    "governance.gate_missing": ("decisions acted on without a gate", gate_skipped),
    "governance.gate_after_action": (
        "decisions acted on before the gate had answered",
        acted_before_gate,
    ),
}
