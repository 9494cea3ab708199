"""What really happened to each flow, from the books alone, never from telemetry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sample_traces.services.payment.fraud_scorer import THRESHOLD
from sample_traces.services.system import Books

Entry = dict[str, Any]

GATEWAYS = ("gateway-eu", "gateway-us")
COMPENSATABLE = frozenset({"reserve-stock", "charge-eu", "charge-us"})


@dataclass(slots=True, kw_only=True)
class FlowTruth:
    """One flow's entries in everybody's books."""

    flow_id: str
    journal: Entry
    charges: list[Entry] = field(default_factory=list)
    refunds: list[Entry] = field(default_factory=list)
    reservations: list[Entry] = field(default_factory=list)
    releases: list[Entry] = field(default_factory=list)
    arrivals: list[Entry] = field(default_factory=list)
    score: Entry | None = None
    decision: Entry | None = None

    @property
    def status(self) -> str:
        """How the orchestrator says it ended."""
        return str(self.journal["output"]["status"])

    @property
    def aborted(self) -> bool:
        """Whether the payment did not go through."""
        return self.status != "completed"

    def completed_steps(self) -> list[Entry]:
        """Compensatable steps whose caller saw success."""
        steps = self.journal["steps"]
        return [step for step in steps if step["ok"] and step["step"] in COMPENSATABLE]

    def compensation_of(self, step: Entry) -> Entry | None:
        """The compensation that ran for a step, if one did."""
        for compensation in self.journal["compensations"]:
            if compensation["key"] == step["ref"]:
                return dict(compensation)
        return None

    def unrefunded(self) -> list[Entry]:
        """Charges in force that the flow's end does not call for."""
        kept = self.journal["output"].get("charge_id")
        refunded = {refund["charge_id"] for refund in self.refunds}
        return [
            charge
            for charge in self.charges
            if charge["charge_id"] != kept and charge["charge_id"] not in refunded
        ]

    def unreleased(self) -> list[Entry]:
        """Reservations of an aborted flow that still hold stock."""
        if not self.aborted:
            return []
        released = {release["reservation_id"] for release in self.releases}
        return [entry for entry in self.reservations if entry["reservation_id"] not in released]

    def excess_refunds(self) -> list[Entry]:
        """Refunds without a charge, and every refund of a charge after its first."""
        seen: set[str] = set()
        excess: list[Entry] = []
        for refund in sorted(self.refunds, key=lambda entry: int(entry["time_ns"])):
            charge_id = refund["charge_id"]
            if charge_id is None or charge_id in seen:
                excess.append(refund)
            else:
                seen.add(str(charge_id))
        return excess

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


def flow_truths(books: Books) -> list[FlowTruth]:
    """All flows, by id."""
    flows: dict[str, FlowTruth] = {}
    for name, book in books.items():
        if name.startswith("orchestrator@"):
            for journal in book.get("flows", []):
                flow_id = journal["order_id"]
                flows[flow_id] = FlowTruth(flow_id=flow_id, journal=journal)
    for name, book in books.items():
        for entry in book.get("decisions", []):
            flows[entry["record"]["flow_id"]].decision = entry["record"]
        if name in GATEWAYS:
            for page in ("charges", "refunds", "arrivals"):
                for entry in book.get(page, []):
                    truth = flows[entry["order_id"]]
                    getattr(truth, page).append({**entry, "service": name})
    for page in ("reservations", "releases"):
        for entry in books["inventory"].get(page, []):
            getattr(flows[entry["order_id"]], page).append(entry)
    for entry in books["fraud-scorer"].get("scores", []):
        flows[entry["order_id"]].score = entry
    return [flows[flow_id] for flow_id in sorted(flows)]


def breaks_s1(flow: FlowTruth) -> bool:
    """A completed compensatable step of an aborted flow has no completed compensation."""
    if not flow.aborted:
        return False
    undone = [flow.compensation_of(step) for step in flow.completed_steps()]
    return any(compensation is None or not compensation["ok"] for compensation in undone)


def breaks_s2(flow: FlowTruth) -> bool:
    """A compensation ran for a step that never completed."""
    completed = {step["ref"] for step in flow.completed_steps()}
    return any(entry["key"] not in completed for entry in flow.journal["compensations"])


def breaks_s3(flow: FlowTruth) -> bool:
    """Of two steps in sequence, the earlier one was undone first."""
    undone = [(step, flow.compensation_of(step)) for step in flow.completed_steps()]
    return any(
        a["ended_ns"] <= b["started_ns"] and undo_a["started_ns"] < undo_b["started_ns"]
        for a, undo_a in undone
        for b, undo_b in undone
        if undo_a is not None and undo_b is not None
    )


def breaks_s4(flow: FlowTruth) -> bool:
    """Two compensations of one step took effect."""
    counts: dict[str, int] = defaultdict(int)
    for refund in flow.refunds:
        counts[str(refund["charge_id"])] += 1
    for release in flow.releases:
        counts[release["reservation_id"]] += 1
    return any(count > 1 for count in counts.values())


def breaks_s7(flow: FlowTruth) -> bool:
    """A compensation that started did not end in success."""
    return any(not entry["ok"] for entry in flow.journal["compensations"])


def breaks_s11(flow: FlowTruth) -> bool:
    """A gateway saw more than one key for one operation of the flow."""
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arrival in flow.arrivals:
        if arrival["operation"] in ("POST /charges", "POST /refunds"):
            keys[(arrival["service"], arrival["operation"])].add(arrival["key"])
    return any(len(seen) > 1 for seen in keys.values())


def breaks_s12(flow: FlowTruth) -> bool:
    """A retriable step after the pivot never succeeded."""
    return any(step["step"] == "notify" and not step["ok"] for step in flow.journal["steps"])


def charged_twice(flow: FlowTruth) -> bool:
    """More than one charge was made for the order."""
    return len(flow.charges) > 1


def acted_below_threshold(flow: FlowTruth) -> bool:
    """The gate let a decision act on its own below the confidence it asks for."""
    if flow.decision is None or flow.decision["policy"]["outcome"] != "allow":
        return False
    return bool(flow.decision["confidence"] < THRESHOLD)


FINDERS = {
    "saga.S1": breaks_s1,
    "saga.S2": breaks_s2,
    "saga.S3": breaks_s3,
    "saga.S4": breaks_s4,
    "saga.S7": breaks_s7,
    "saga.S11": breaks_s11,
    "saga.S12": breaks_s12,
    "detector.duplicate_effect": charged_twice,
    "detector.below_threshold_action": acted_below_threshold,
}
