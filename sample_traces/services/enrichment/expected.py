"""`expected.toml` of an enrichment recording, from its plan and the services' books."""

from __future__ import annotations

from sample_traces.services.enrichment.truth import (
    FINDERS,
    FlowTruth,
    delivered_again,
    disagreeing,
    flow_truths,
    missing_fields,
    wrong_fields,
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

VERSIONED = ("registry-lookup", "extractor", "profile-writer")


def expected(recording: Recording) -> str:
    """The whole document."""
    flows = flow_truths(recording)
    failed = [flow.flow_id for flow in flows if flow.outcome() == "failed"]
    parts = [
        head(recording, len(flows)),
        *([table("[incident]", found)] if (found := incident(recording)) else []),
        *phases(recording),
        *_releases(recording),
        table("[outcomes]", counts(flow.outcome() for flow in flows)),
        table("[gates]", counts(one["policy"]["outcome"] for it in flows for one in it.decisions)),
        *_topics(recording),
        *(
            finding(title, finder, [flow.flow_id for flow in flows if breaks(flow)])
            for finder, (title, breaks) in FINDERS.items()
        ),
        *([outcome_flows("failed", failed)] if failed else []),
        lists(
            {
                "delivered_again": [flow.flow_id for flow in flows if delivered_again(flow)],
                "fields_missing": [flow.flow_id for flow in flows if missing_fields(flow)],
                "fields_wrong": [
                    flow.flow_id for flow in flows if wrong_fields(recording.plan, flow)
                ],
                "extracted_differently": [
                    flow.flow_id for flow in flows if len(flow.sectors()) > 1
                ],
            }
        ),
        *_determinism(flows),
        *_residuals(flows),
    ]
    return "\n".join(parts)


def _releases(recording: Recording) -> list[str]:
    parts = []
    for release in recording.plan.releases:
        fields: dict[str, Value] = {
            "service": release.service,
            "version": release.version,
            "start_ns": recording.submitted_ns[release.first],
            "first_flow": recording.plan.flow_id(release.first),
        }
        parts.append(table("[[releases]]", fields))
    return parts


def _topics(recording: Recording) -> list[str]:
    """What the broker did with each topic's messages; a wait ends with the first delivery."""
    published = recording.page("message-broker", "published")
    deliveries = recording.page("message-broker", "deliveries")
    parts = []
    for topic in sorted({one["topic"] for one in published}):
        own = [one for one in deliveries if one["topic"] == topic]
        waited = sorted(one["waited_ns"] for one in own if one["nth"] == 1)
        fields: dict[str, Value] = {
            "topic": topic,
            "messages": sum(one["topic"] == topic for one in published),
            "deliveries": len(own),
            "delivered_again": len({one["id"] for one in own if one["nth"] > 1}),
            "deliveries_most": max(one["nth"] for one in own),
            "wait_median_ms": waited[len(waited) // 2] // 1_000_000,
            "wait_max_ms": waited[-1] // 1_000_000,
        }
        parts.append(table("[[topics]]", fields))
    return parts


def _determinism(flows: list[FlowTruth]) -> list[str]:
    """Equal inputs with unequal answers."""
    parts = []
    for text, temperature, entries in disagreeing(flows):
        fields: dict[str, Value] = {
            "text": text,
            "temperature_percent": round(temperature * 100),
            "decisions": len(entries),
            "answers": sorted({entry["sector"] for entry in entries}),
            "flows": sorted({entry["flow_id"] for entry in entries}),
        }
        parts.append(table("[[disagreements]]", fields))
    return parts


def _residuals(flows: list[FlowTruth]) -> list[str]:
    return [
        table(
            "[[residuals]]",
            {
                "flow": flow.flow_id,
                "kind": "record",
                "ref": str(entry["record_id"]),
                "callee": "profile-store",
                "resource": f"{flow.flow_id}/profile",
            },
        )
        for flow in flows
        for entry in flow.surplus()
    ]
