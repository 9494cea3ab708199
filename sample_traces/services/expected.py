"""`expected.toml`: the truth about a recording, from its plan and the services' books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sample_traces.services.faults import Plan
from sample_traces.services.truth import (
    FINDERS,
    Books,
    Entry,
    FlowTruth,
    charged_twice,
    flow_truths,
)

HEADER = """\
# Computed from the fault plan and the services' own books, never from the telemetry.
# Written by sample_traces/services/expected.py at the end of a recording; do not edit.
"""
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
IDS_PER_LINE = 5


def cents(amounts: Iterable[str]) -> int:
    """The sum of decimal amounts in cents."""
    return int(sum((Decimal(amount) for amount in amounts), Decimal(0)) * 100)


def scalar(value: str | int | bool) -> str:
    """One TOML value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def table(header: str, fields: Mapping[str, str | int | bool | list[str]]) -> str:
    """One TOML table; lists of ids go over several lines."""
    lines = [header] if header else []
    for name, value in fields.items():
        if not isinstance(value, list):
            lines.append(f"{name} = {scalar(value)}")
            continue
        lines.append(f"{name} = [")
        for start in range(0, len(value), IDS_PER_LINE):
            lines.append("    " + " ".join(f'"{v}",' for v in value[start : start + IDS_PER_LINE]))
        lines.append("]")
    return "\n".join(lines) + "\n"


def expected_toml(
    plan: Plan, books: Books, submitted_ns: Mapping[int, int], ended_ns: Mapping[int, int]
) -> str:
    """The whole document."""
    flows = flow_truths(books)
    parts = [
        HEADER
        + table(
            "",
            {
                "schema": "retrospan.expected/1",
                "sample": plan.name,
                "seed": plan.seed,
                "flows": len(flows),
                "start_ns": min(submitted_ns.values()),
                "end_ns": max(ended_ns.values()),
            },
        ),
        *_timeline(plan, flows, submitted_ns, ended_ns),
        table("[statuses]", _counts(flow.status for flow in flows)),
        table("[outcomes]", _counts(flow.outcome() for flow in flows)),
        table("[gates]", _counts(_gate(flow) for flow in flows if flow.decision)),
        table("[money]", _money(flows)),
        *_findings(flows),
        *_outcome_lists(flows),
        *_residuals(flows),
    ]
    return "\n".join(parts)


def _counts(words: Iterable[str]) -> dict[str, str | int | bool | list[str]]:
    return dict(sorted(Counter(words).items()))


def _gate(flow: FlowTruth) -> str:
    assert flow.decision is not None
    return str(flow.decision["policy"]["outcome"])


def _timeline(
    plan: Plan,
    flows: list[FlowTruth],
    submitted_ns: Mapping[int, int],
    ended_ns: Mapping[int, int],
) -> list[str]:
    parts: list[str] = []
    if plan.incident is not None:
        first, mitigated, recovered = plan.incident
        parts.append(
            table(
                "[incident]",
                {
                    "start_ns": submitted_ns[first],
                    "mitigated_ns": submitted_ns[mitigated],
                    "end_ns": submitted_ns[recovered],
                    "first_order": plan.order_id(first),
                    "culprit_version": plan.release(mitigated - 1).version,
                    "fixed_version": plan.release(mitigated).version,
                },
            )
        )
    for phase in plan.phases:
        span = range(phase.first, phase.last + 1)
        fields: dict[str, str | int | bool | list[str]] = {
            "name": phase.name,
            "start_ns": min(submitted_ns[index] for index in span),
            "end_ns": max(ended_ns[index] for index in span),
            "flows": len(span),
        }
        parts.append(table("[[phases]]", fields))
    for version in sorted({flow.journal["version"] for flow in flows}):
        own = [flow.journal for flow in flows if flow.journal["version"] == version]
        fields = {
            "version": version,
            "policy": own[0]["policy"],
            "start_ns": min(journal["started_ns"] for journal in own),
            "end_ns": max(journal["ended_ns"] for journal in own),
            "flows": len(own),
        }
        parts.append(table("[[versions]]", fields))
    return parts


def _money(flows: list[FlowTruth]) -> dict[str, str | int | bool | list[str]]:
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


def _findings(flows: list[FlowTruth]) -> list[str]:
    parts = []
    for finder, breaks in FINDERS.items():
        found = [flow.flow_id for flow in flows if breaks(flow)]
        parts.append(
            table(
                "[[findings]]",
                {"name": TITLES[finder], "finder": finder, "count": len(found), "flows": found},
            )
        )
    return parts


def _outcome_lists(flows: list[FlowTruth]) -> list[str]:
    parts = []
    for outcome in ("compensated", "failed", "partially_compensated", "compensation_failed"):
        found = [flow.flow_id for flow in flows if flow.outcome() == outcome]
        if found:
            parts.append(table("[[outcome_flows]]", {"outcome": outcome, "flows": found}))
    undone = [flow.flow_id for flow in flows if charged_twice(flow) and not flow.unrefunded()]
    residual = [
        flow.flow_id
        for flow in flows
        if flow.outcome() == "compensated" and (flow.unrefunded() or flow.unreleased())
    ]
    lists = {"duplicates_undone": undone, "compensated_with_residuals": residual}
    parts.append(table("[lists]", {name: list(ids) for name, ids in lists.items()}))
    return parts


def _residuals(flows: list[FlowTruth]) -> list[str]:
    parts = []
    for flow in flows:
        for kind, entry, reference in _residual_effects(flow):
            fields: dict[str, str | int | bool | list[str]] = {
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


def summary(document: Mapping[str, Any]) -> str:
    """A few lines on a parsed document, for the person who records."""
    counts = {entry["finder"]: entry["count"] for entry in document["findings"]}
    return f"{document['outcomes']}\n{document['gates']}\n{document['money']}\n{counts}"
