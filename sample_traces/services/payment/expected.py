"""`expected.toml`: the truth about a recording, from its plan and the services' books."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from sample_traces.services.payment.truth import (
    FINDERS,
    FlowTruth,
    charged_twice,
    flow_truths,
)
from sample_traces.services.saga_truth import Entry
from sample_traces.services.system import Recording
from sample_traces.services.toml import (
    Value,
    counts,
    finding,
    head,
    incident,
    lists,
    outcome_flows,
    phases,
    table,
)

TITLES = {
    "saga.S1": "completed steps of aborted payments that were not undone",
    "saga.S2": "refunds of charges that never succeeded",
    "saga.S3": "undone in the wrong order",
    "saga.S4": "undone more than once",
    "saga.S7": "compensations that ended in failure",
    "saga.S11": "idempotency keys that changed between attempts",
    "saga.S12": "retriable steps that never succeeded",
    "detector.duplicate_effect": "orders charged more than once",
    "detector.below_threshold_action": "decisions that acted below their threshold",
}


def cents(amounts: Iterable[str]) -> int:
    """The sum of decimal amounts in cents."""
    return int(sum((Decimal(amount) for amount in amounts), Decimal(0)) * 100)


def expected(recording: Recording) -> str:
    """The whole document."""
    flows = flow_truths(recording.books)
    parts = [
        head(recording, len(flows)),
        *_timeline(recording, flows),
        table("[statuses]", counts(flow.status for flow in flows)),
        table("[outcomes]", counts(flow.outcome() for flow in flows)),
        table("[gates]", counts(_gate(flow) for flow in flows if flow.decision)),
        table("[money]", _money(flows)),
        *(
            finding(TITLES[finder], finder, [flow.flow_id for flow in flows if breaks(flow)])
            for finder, breaks in FINDERS.items()
        ),
        *_outcome_lists(flows),
        *_residuals(flows),
    ]
    return "\n".join(parts)


def _gate(flow: FlowTruth) -> str:
    assert flow.decision is not None
    return str(flow.decision["policy"]["outcome"])


def _timeline(recording: Recording, flows: list[FlowTruth]) -> list[str]:
    parts: list[str] = []
    plan = recording.plan
    if plan.incident is not None:
        first, mitigated, _ = plan.incident
        parts.append(
            table(
                "[incident]",
                {
                    **incident(recording),
                    "first_order": plan.flow_id(first),
                    "culprit_version": plan.release("orchestrator", mitigated - 1).version,
                    "fixed_version": plan.release("orchestrator", mitigated).version,
                },
            )
        )
    parts += phases(recording)
    for version in sorted({flow.journal["version"] for flow in flows}):
        own = [flow.journal for flow in flows if flow.journal["version"] == version]
        fields: dict[str, Value] = {
            "version": version,
            "policy": own[0]["policy"],
            "start_ns": min(journal["started_ns"] for journal in own),
            "end_ns": max(journal["ended_ns"] for journal in own),
            "flows": len(own),
        }
        parts.append(table("[[versions]]", fields))
    return parts


def _money(flows: list[FlowTruth]) -> dict[str, Value]:
    extra = [charge for flow in flows for charge in flow.charges[1:]]
    kept = [charge for flow in flows for charge in flow.unrefunded()]
    excess = [refund for flow in flows for refund in flow.excess_refunds()]
    return {
        "currency": "EUR",
        "charged_more_than_once_cents": cents(charge["amount"] for charge in extra),
        "charges_to_give_back": len(kept),
        "charges_to_give_back_cents": cents(charge["amount"] for charge in kept),
        "excess_refunds": len(excess),
        "excess_refunds_cents": cents(refund["amount"] for refund in excess),
        "reservations_never_released": sum(len(flow.unreleased()) for flow in flows),
    }


def _outcome_lists(flows: list[FlowTruth]) -> list[str]:
    parts = []
    for outcome in ("compensated", "failed", "partially_compensated", "compensation_failed"):
        found = [flow.flow_id for flow in flows if flow.outcome() == outcome]
        if found:
            parts.append(outcome_flows(outcome, found))
    undone = [flow.flow_id for flow in flows if charged_twice(flow) and not flow.unrefunded()]
    residual = [
        flow.flow_id
        for flow in flows
        if flow.outcome() == "compensated" and (flow.unrefunded() or flow.unreleased())
    ]
    parts.append(lists({"duplicates_undone": undone, "compensated_with_residuals": residual}))
    return parts


def _residuals(flows: list[FlowTruth]) -> list[str]:
    parts = []
    for flow in flows:
        for kind, entry, reference in _residual_effects(flow):
            fields: dict[str, Value] = {
                "flow": flow.flow_id,
                "kind": kind,
                "ref": reference,
            }
            if "amount" in entry:
                fields["callee"] = str(entry["service"])
                fields["amount_cents"] = cents([entry["amount"]])
            else:
                fields["callee"] = "inventory"
                fields["resource"] = f"stock:{entry['sku']}"
            parts.append(table("[[residuals]]", fields))
    return parts


def _residual_effects(flow: FlowTruth) -> list[tuple[str, Entry, str]]:
    return [
        *(("charge", entry, entry["charge_id"]) for entry in flow.unrefunded()),
        *(("excess_refund", entry, entry["refund_id"]) for entry in flow.excess_refunds()),
        *(("reservation", entry, entry["reservation_id"]) for entry in flow.unreleased()),
    ]
