"""What really happened to each company, from the books alone, never from telemetry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from sample_traces.services.enrichment.companies import size_class, truth
from sample_traces.services.faults import Plan, index_of
from sample_traces.services.saga_truth import Entry
from sample_traces.services.system import Recording

LAG_MAX_NS = 2_000_000_000


@dataclass(slots=True, kw_only=True)
class FlowTruth:
    """One company's entries in everybody's books."""

    flow_id: str
    records: list[Entry] = field(default_factory=list)
    written: list[Entry] = field(default_factory=list)
    indexed: list[Entry] = field(default_factory=list)
    dead: list[Entry] = field(default_factory=list)
    deliveries: list[Entry] = field(default_factory=list)
    completions: list[Entry] = field(default_factory=list)
    answers: list[Entry] = field(default_factory=list)
    decisions: list[Entry] = field(default_factory=list)

    def outcome(self) -> str:
        """Whether the company can be found in the end."""
        return "succeeded" if self.indexed else "failed"

    def kept(self) -> Entry | None:
        """The record that counts: the last one its writer was told of, else the last one."""
        if not self.records:
            return None
        told = [entry["record_id"] for entry in self.written]
        chosen = told[-1] if told else self.records[-1]["record_id"]
        return next(entry for entry in self.records if entry["record_id"] == chosen)

    def surplus(self) -> list[Entry]:
        """The records nobody needs."""
        kept = self.kept()
        return [entry for entry in self.records if kept and entry is not kept]

    def sectors(self) -> set[str]:
        """What the model said, over all its answers."""
        return {str(entry["sector"]) for entry in self.completions}


PAGES = {
    "records": ("profile-store", "records"),
    "written": ("profile-writer", "written"),
    "indexed": ("search-index", "indexed"),
    "dead": ("dead-letters", "dead"),
    "deliveries": ("message-broker", "deliveries"),
    "completions": ("language-model", "completions"),
    "answers": ("register-provider", "answers"),
}


def flow_truths(recording: Recording) -> list[FlowTruth]:
    """All flows, by id."""
    flows = {
        entry["flow_id"]: FlowTruth(flow_id=entry["flow_id"])
        for entry in recording.page("intake", "flows")
    }
    for name, (service, page) in PAGES.items():
        for entry in recording.page(service, page):
            getattr(flows[entry["flow_id"]], name).append(entry)
    for entry in recording.page("extractor", "decisions"):
        flows[entry["record"]["flow_id"]].decisions.append(entry["record"])
    return [flows[flow_id] for flow_id in sorted(flows)]


def written_twice(flow: FlowTruth) -> bool:
    """More than one record was made of the company."""
    return len(flow.records) > 1


def acted_below_threshold(flow: FlowTruth) -> bool:
    """The gate let a sector pass below the confidence asked for."""
    return any(
        decision["confidence"] < decision["threshold"]
        for decision in flow.decisions
        if decision["policy"]["outcome"] == "allow"
    )


def delivered_again(flow: FlowTruth) -> bool:
    """A message was delivered more than once."""
    return any(delivery["nth"] > 1 for delivery in flow.deliveries)


def died(flow: FlowTruth) -> bool:
    """A message went to the dead letters."""
    return bool(flow.dead)


def late(flow: FlowTruth) -> bool:
    """A message waited longer than two seconds for its first delivery."""
    return any(
        delivery["waited_ns"] > LAG_MAX_NS for delivery in flow.deliveries if delivery["nth"] == 1
    )


def other_shape(flow: FlowTruth) -> bool:
    """The register answered in its new shape."""
    return any(answer["api_version"] != "2025-04" for answer in flow.answers)


def disagreeing(flows: list[FlowTruth]) -> list[tuple[str, float, list[Entry]]]:
    """Texts the model gave several answers to at one temperature, with all its answers."""
    groups: dict[tuple[str, float], list[Entry]] = defaultdict(list)
    for flow in flows:
        for entry in flow.completions:
            groups[(entry["text"], entry["temperature"])].append(entry)
    return [
        (text, temperature, entries)
        for (text, temperature), entries in sorted(groups.items())
        if len({entry["sector"] for entry in entries}) > 1
    ]


def missing_fields(flow: FlowTruth) -> bool:
    """The record that counts lacks its industry code."""
    kept = flow.kept()
    return kept is not None and kept["profile"]["industry_code"] is None


def wrong_fields(plan: Plan, flow: FlowTruth) -> bool:
    """The record that counts holds another number of employees than the register knows."""
    kept = flow.kept()
    if kept is None:
        return False
    known = truth(plan, index_of(flow.flow_id))["employees"]
    told, size = kept["profile"]["employees"], kept["profile"]["size"]
    return bool(size != size_class(known)) if told is None else bool(told != known)


FINDERS = {
    "detector.duplicate_effect": ("companies written more than once", written_twice),
    "detector.below_threshold_action": (
        "sectors taken below their threshold",
        acted_below_threshold,
    ),
    "messaging.dead_letter": ("messages nobody could work on", died),
    "messaging.lag": ("messages that waited longer than two seconds", late),
    "contracts.shape_drift": ("answers of the register in its new shape", other_shape),
}
