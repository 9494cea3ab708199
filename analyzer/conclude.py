"""What is concluded of flows, each by itself: derived, verified, asked by every detector.

Pure, and the same however flows are divided among processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyzer.assign import FlowRows
from analyzer.conventions import key_of
from analyzer.derive import decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.sagas import Coverage, undoing, verify
from analyzer.settings import RebuildSettings
from store.conclusions import Finding, Flow, SagaVerdict
from store.derived_tables import FlowTables, Undoing, flow_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """The conclusions about some flows as rows, with their counts."""

    tables: FlowTables
    flow_ids: Sequence[str]
    steps: int
    findings: int


def conclude(rows: Sequence[FlowRows], settings: RebuildSettings, coverage: Coverage) -> Concluded:
    """Everything said of these flows."""
    flows: list[Flow] = []
    sagas: list[SagaVerdict] = []
    findings: list[Finding] = []
    undoings: dict[str, Undoing] = {}
    for flow_rows in rows:
        flow = derive(flow_rows, settings.derive, settings.declared)
        covered = coverage
        if settings.unknown_sampling:
            flow = replace(flow, sampling="unknown", sampling_weight=None)
        elif flow.sampling == "unknown":
            covered = replace(coverage, unknown_sampling=True)
        case = FlowCase(flow=flow, decisions=decisions_in(flow_rows), coverage=covered)
        flows.append(flow)
        sagas.append(verify(flow, covered))
        undone = undoing.undone_of(flow, sagas[-1])
        undoings[flow.flow_id] = undoing.written(undone.kind), undone.times_ns
        findings += detect(case)
    members = {one.flow_id: [key_of(span) for span in one.spans] for one in rows}
    aliases = {one.flow_id: one.aliases for one in rows}
    return Concluded(
        tables=flow_tables(flows, members, sagas, findings, aliases, undoings),
        flow_ids=[flow.flow_id for flow in flows],
        steps=sum(len(flow.steps) for flow in flows),
        findings=len(findings),
    )
