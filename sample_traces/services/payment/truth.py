"""What really happened to each flow, from the books alone, never from telemetry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sample_traces.services.payment.fraud_scorer import THRESHOLD
from sample_traces.services.saga_truth import (
    Entry,
    SagaTruth,
    breaks_s1,
    breaks_s2,
    breaks_s3,
    breaks_s7,
    breaks_s12,
)
from sample_traces.services.system import Books

GATEWAYS = ("gateway-eu", "gateway-us")
COMPENSATABLE = frozenset({"reserve-stock", "charge-eu", "charge-us"})


@dataclass(slots=True, kw_only=True)
class FlowTruth(SagaTruth):
    """One flow's entries in everybody's books."""

    compensatable = COMPENSATABLE
    retriable = frozenset({"notify"})

    charges: list[Entry] = field(default_factory=list)
    refunds: list[Entry] = field(default_factory=list)
    reservations: list[Entry] = field(default_factory=list)
    releases: list[Entry] = field(default_factory=list)
    arrivals: list[Entry] = field(default_factory=list)
    score: Entry | None = None
    decision: Entry | None = None

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
                    truth = flows[entry.get("order_id") or entry["subject"]]
                    getattr(truth, page).append({**entry, "service": name})
    for page in ("reservations", "releases"):
        for entry in books["inventory"].get(page, []):
            getattr(flows[entry["order_id"]], page).append(entry)
    for entry in books["fraud-scorer"].get("scores", []):
        flows[entry["order_id"]].score = entry
    return [flows[flow_id] for flow_id in sorted(flows)]


def breaks_s4(flow: FlowTruth) -> bool:
    """Two compensations of one step took effect."""
    counts: dict[str, int] = defaultdict(int)
    for refund in flow.refunds:
        counts[str(refund["charge_id"])] += 1
    for release in flow.releases:
        counts[release["reservation_id"]] += 1
    return any(count > 1 for count in counts.values())


def breaks_s11(flow: FlowTruth) -> bool:
    """A gateway saw more than one key for one operation of the flow."""
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for arrival in flow.arrivals:
        if arrival["operation"] in ("POST /charges", "POST /refunds"):
            keys[(arrival["service"], arrival["operation"])].add(arrival["key"])
    return any(len(seen) > 1 for seen in keys.values())


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
