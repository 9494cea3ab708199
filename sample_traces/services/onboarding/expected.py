"""`expected.toml` of an onboarding recording, from its plan and the services' books."""

from __future__ import annotations

from sample_traces.services.onboarding.risk_model import VERSIONS
from sample_traces.services.onboarding.truth import (
    FINDERS,
    FlowTruth,
    flow_truths,
    overridden,
    straddled,
)
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

OUTCOMES = ("compensated", "failed", "partially_compensated", "compensation_failed")


def expected(recording: Recording) -> str:
    """The whole document."""
    flows = flow_truths(recording)
    decided = [flow for flow in flows if flow.decision]
    parts = [
        head(recording, len(flows)),
        *_incident(recording),
        *phases(recording),
        *_flags(recording),
        *_versions(flows),
        *_models(decided),
        table("[statuses]", counts(flow.status for flow in flows)),
        table("[outcomes]", counts(flow.outcome() for flow in flows)),
        table("[gates]", counts(flow.journal["gate"] or "none" for flow in decided)),
        table("[reviews]", _reviews(flows)),
        *(
            finding(title, finder, [flow.flow_id for flow in flows if breaks(flow)])
            for finder, (title, breaks) in FINDERS.items()
        ),
        *(
            outcome_flows(outcome, found)
            for outcome in OUTCOMES
            if (found := [flow.flow_id for flow in flows if flow.outcome() == outcome])
        ),
        lists(_lists(recording, flows)),
        *(part for flow in flows for part in _residuals(flow)),
    ]
    return "\n".join(parts)


def _incident(recording: Recording) -> list[str]:
    plan = recording.plan
    if plan.incident is None:
        return []
    first, _, recovered = plan.incident
    leader = "onboarding-orchestrator"
    fields: dict[str, Value] = {
        **incident(recording),
        "first_flow": plan.flow_id(first),
        "culprit_version": plan.release(leader, recovered - 1).version,
        "fixed_version": plan.release(leader, recovered).version,
    }
    return [table("[incident]", fields)]


def _flags(recording: Recording) -> list[str]:
    """When the feature flag was turned, and how far."""
    parts = []
    for rule in recording.plan.flags:
        fields: dict[str, Value] = {
            "flag": rule.flag,
            "variant": rule.variant,
            "percent": round(rule.share * 100),
            "start_ns": recording.turned_ns[rule.first],
            "first_flow": recording.plan.flow_id(rule.first),
        }
        parts.append(table("[[flags]]", fields))
    return parts


def _versions(flows: list[FlowTruth]) -> list[str]:
    parts = []
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


def _models(decided: list[FlowTruth]) -> list[str]:
    """The confidence of each version of the model; per mille, the middle one of all sorted."""
    parts = []
    for variant, version in VERSIONS.items():
        own = [flow.decision for flow in decided if flow.variant == variant and flow.decision]
        if not own:
            continue
        confidences = sorted(decision["confidence"] for decision in own)
        fields: dict[str, Value] = {
            "version": version,
            "variant": variant,
            "decisions": len(own),
            "confidence_median_permille": round(confidences[len(own) // 2] * 1000),
            "approve": sum(decision["chosen"] == "approve" for decision in own),
        }
        parts.append(table("[[models]]", fields))
    return parts


def _reviews(flows: list[FlowTruth]) -> dict[str, Value]:
    reviewed = [flow.review for flow in flows if flow.review is not None]
    return {
        "reviewed": len(reviewed),
        "approved": sum(review["approved"] for review in reviewed),
        "overridden": sum(map(overridden, flows)),
    }


def _lists(recording: Recording, flows: list[FlowTruth]) -> dict[str, list[str]]:
    turned = [at for index, at in sorted(recording.turned_ns.items()) if index]
    return {
        "decided_by_v2": [flow.flow_id for flow in flows if flow.variant == "v2"],
        "overridden": [flow.flow_id for flow in flows if overridden(flow)],
        "flag_changed_in_flight": [flow.flow_id for flow in flows if straddled(flow)],
        "in_flight_when_flag_turned": [
            flow.flow_id
            for flow in flows
            if any(flow.journal["started_ns"] < at < flow.journal["ended_ns"] for at in turned)
        ],
        "orphaned_accounts": [flow.flow_id for flow in flows if flow.orphans()],
    }


def _residuals(flow: FlowTruth) -> list[str]:
    found = [("account", entry, entry["account_id"]) for entry in flow.orphans()]
    found += [("excess_closure", entry, entry["closure_id"]) for entry in flow.excess_closures()]
    return [
        table(
            "[[residuals]]",
            {
                "flow": flow.flow_id,
                "kind": kind,
                "ref": reference,
                "callee": str(entry["service"]),
                "resource": f"{flow.flow_id}/{entry['service']}",
            },
        )
        for kind, entry, reference in found
    ]
