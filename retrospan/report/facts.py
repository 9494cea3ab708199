"""Everything the store holds about one incident, gathered before a word is written."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.contrast import Contrast, Groups, contrast, read_heads
from analyzer.contrast import read_facts as read_contrast_facts
from analyzer.contrast.facts import Facts as ContrastFacts
from analyzer.contrast.groups import split, thinned
from analyzer.facts import FlowFacts
from analyzer.quality import QualityReport, quality_report
from analyzer.releases.report import ReleaseReport
from analyzer.releases.report import report as release_report
from analyzer.releases.settings import ReleaseSettings
from analyzer.slo.evaluate import read_facts as read_slo_facts
from analyzer.slo.model import Slo
from retrospan.causes import Causes
from retrospan.finding_times import times_of
from retrospan.incident import affected_ids, overlaps
from retrospan.report.objectives import Objectives
from store import read
from store.conclusions import (
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    SagaVerdict,
)
from store.model import Decision
from store.session import Session

CODE = "code"
_REAL_CODE = (CODE, "temporal")  # ran the team's own code, not an inferred program


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """The input of a report. `flows` and `sagas` are the whole store's, in any order.

    `controls` are replays without a scenario, `what_ifs` those with one; `by_code` are all that ran
    the team's own code. `rejects` counts input records that were kept aside, by reason. `slos` are
    judged over `slo_facts`; the groups of `contrasted` are compared. None of `contrasted`,
    `releases`, `quality`, `causes`: nobody asked. `left_out` names what-ifs that were run and are
    kept out by whoever writes the report.
    """

    incident: Incident
    flows: Sequence[Flow]
    sagas: Sequence[SagaVerdict] = ()
    findings: Sequence[Finding] = ()
    decisions: Sequence[Decision] = ()
    controls: Sequence[ReplayResult] = ()
    what_ifs: Sequence[ReplayResult] = ()
    by_code: Sequence[ReplayResult] = ()
    rejects: Mapping[str, int] = field(default_factory=dict)
    slos: Sequence[Slo] = ()
    slo_facts: Sequence[FlowFacts] = ()
    slo_files: Sequence[str] = ()
    contrasted: tuple[Groups, ContrastFacts] | None = None
    releases: ReleaseReport | None = None
    quality: QualityReport | None = None
    causes: Causes | None = None
    left_out: Sequence[str] = ()

    @cached_property
    def data_end_ns(self) -> int | None:
        """The last time any flow was seen; stands for "now", which a report does not know."""
        ends = [flow.start_ns if flow.end_ns is None else flow.end_ns for flow in self.flows]
        return max(ends, default=None)

    @cached_property
    def inside(self) -> list[Flow]:
        """Flows that ran inside the window, by start."""
        incident = self.incident
        return _ordered(
            flow for flow in self.flows if overlaps(flow, incident.start_ns, incident.end_ns)
        )

    @cached_property
    def outside(self) -> list[Flow]:
        """All other flows: what is normal here."""
        ids = self.inside_ids
        return _ordered(flow for flow in self.flows if flow.flow_id not in ids)

    @cached_property
    def inside_ids(self) -> frozenset[str]:
        return frozenset(flow.flow_id for flow in self.inside)

    @cached_property
    def affected(self) -> frozenset[str]:
        """Ids of flows with a symptom, in the whole store."""
        return affected_ids(self.flows, self.sagas)

    @cached_property
    def affected_inside(self) -> list[Flow]:
        return [flow for flow in self.inside if flow.flow_id in self.affected]

    @cached_property
    def sagas_inside(self) -> list[SagaVerdict]:
        return sorted(
            (saga for saga in self.sagas if saga.flow_id in self.inside_ids),
            key=lambda saga: (saga.flow_id, saga.saga_id),
        )

    @cached_property
    def findings_here(self) -> list[Finding]:
        """Findings of flows in the window, and of many flows, unless they ran at another time."""
        rank = {"critical": 0, "warning": 1, "info": 2}
        return sorted(
            (finding for finding in self.findings if self._is_here(finding)),
            key=lambda finding: (
                rank.get(finding.severity, 3),
                finding.scope != "population",
                finding.detector,
                finding.finding_id,
            ),
        )

    def _is_here(self, finding: Finding) -> bool:
        if finding.flow_id is not None:
            return finding.flow_id in self.inside_ids
        times = times_of(finding)
        start_ns, end_ns = self.incident.start_ns, self.incident.end_ns
        return not times or any(since <= end_ns and until >= start_ns for since, until in times)

    @cached_property
    def decisions_inside(self) -> list[Decision]:
        """Decisions that flows in the window took or acted on."""
        ids = {decision_id for flow in self.inside for decision_id in flow.decision_ids}
        return sorted(
            (
                decision
                for decision in self.decisions
                if decision.decision_id in ids or decision.flow_id in self.inside_ids
            ),
            key=lambda decision: (decision.time_ns, decision.decision_id),
        )

    @cached_property
    def contrast(self) -> Contrast | None:
        """What sets the window's affected flows apart from its others."""
        if self.contrasted is None:
            return None
        groups, known = self.contrasted
        return contrast(known, len(groups.selected))

    def replays_inside(self, results: Sequence[ReplayResult]) -> list[ReplayResult]:
        """Those of the window's flows, in a fixed order."""
        return sorted(
            (result for result in results if result.flow_id in self.inside_ids),
            key=lambda result: (result.scenario or "", result.flow_id, result.mode),
        )

    @cached_property
    def open_at_end(self) -> list[Flow]:
        """Flows that had not ended, or whose end was not recorded."""
        return [
            flow
            for flow in self.inside
            if flow.outcome in (FlowOutcome.IN_PROGRESS, FlowOutcome.UNKNOWN)
        ]


def _ordered(flows: Iterable[Flow]) -> list[Flow]:
    return sorted(flows, key=lambda flow: (flow.start_ns, flow.flow_id))


def gather(
    session: Session,
    incident_id: str,
    objectives: Objectives | None = None,
    releases: ReleaseSettings | None = None,
) -> IncidentFacts:
    """Read what the store holds about the incident; `objectives` are what it is held to."""
    objectives = objectives or Objectives()
    incident = read.read_incident(session, incident_id)
    replays = read.read_replays(session)
    flows = read.read_flows(session)
    sagas = read.read_sagas(session)
    counts = read.counts(session)
    affected = affected_ids(flows, sagas)
    return IncidentFacts(
        incident=incident,
        flows=flows,
        sagas=sagas,
        findings=read.read_findings(session),
        decisions=read.read_decisions(session),
        controls=[it for it in replays if it.scenario is None and it.mode not in _REAL_CODE],
        what_ifs=[it for it in replays if it.scenario is not None and it.mode not in _REAL_CODE],
        by_code=[it for it in replays if it.mode == CODE],
        rejects=Counter(rejected.reason for rejected in read.read_rejects(session)),
        slos=objectives.slos,
        slo_facts=read_slo_facts(session) if objectives.slos else (),
        slo_files=objectives.names,
        contrasted=_contrasted(session, incident, affected),
        releases=release_report(
            session,
            counts.data_start_ns or 0,
            (counts.data_end_ns or 0) + 1,
            releases or ReleaseSettings(),
        ),
        quality=quality_report(session),
    )


def _contrasted(
    session: Session, incident: Incident, affected: Collection[str]
) -> tuple[Groups, ContrastFacts]:
    """The window's affected flows and its others, with what is known of each."""
    inside = [
        head
        for head in read_heads(session)
        if head.start_ns <= incident.end_ns and (head.end_ns or head.start_ns) >= incident.start_ns
    ]
    groups = thinned(
        split(
            inside,
            "affected flows of the window, against its other flows",
            lambda head: head.flow_id in affected,
            lambda head: True,
        )
    )
    return groups, read_contrast_facts(session, groups.flow_ids)
