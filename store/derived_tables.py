"""Conclusions about flows as Arrow tables: what is written, and what processes hand each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import pyarrow as pa

from store import conclusion_rows, flow_rows, rows
from store.conclusions import Finding, Flow, SagaVerdict

Undoing = tuple[str, Sequence[int]]
"""The contents of a kind, and a flow's own times in nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowTables:
    """Rows of the derived tables by their names; `payloads` are bodies, each at least once.

    `undoings` say what became of each flow's effects; they go into its head.
    """

    flows: pa.Table
    flow_members: pa.Table
    flow_aliases: pa.Table
    steps: pa.Table
    attempts: pa.Table
    sagas: pa.Table
    findings: pa.Table
    undoings: pa.Table
    payloads: pa.Table

    @property
    def flow_ids(self) -> set[str]:
        """Ids of all flows that anything is said of."""
        return {
            flow_id
            for table in (self.flows, self.flow_members, self.sagas)
            for flow_id in table["flow_id"].unique().to_pylist()
        }

    @property
    def body_keys(self) -> set[str]:
        """Keys of the bodies."""
        return set(self.payloads["sha256"].to_pylist())

    @property
    def population_detectors(self) -> set[str]:
        """Detectors with a finding that concerns no single flow."""
        named = self.findings.select(["detector", "flow_id"]).to_pylist()
        return {row["detector"] for row in named if row["flow_id"] is None}


def flow_tables(
    flows: Sequence[Flow],
    members: Mapping[str, Sequence[tuple[str, str]]],
    sagas: Sequence[SagaVerdict],
    findings: Sequence[Finding],
    aliases: Mapping[str, Sequence[str]],
    undoings: Mapping[str, Undoing],
) -> FlowTables:
    """Conclusions as rows; `members`, `aliases` (further ids) and `undoings` are by flow id."""
    bodies: dict[str, str] = {}
    attempts = [row for flow in flows for row in flow_rows.attempt_rows(flow, bodies)]
    steps = (row for flow in flows for row in flow_rows.step_rows(flow))
    told = map(conclusion_rows.finding_row, findings)
    return FlowTables(
        flows=rows.table(map(flow_rows.flow_row, flows), flow_rows.FLOW_SCHEMA),
        flow_members=rows.table(flow_rows.member_rows(members), flow_rows.MEMBER_SCHEMA),
        flow_aliases=rows.table(flow_rows.alias_rows(aliases), flow_rows.ALIAS_SCHEMA),
        steps=rows.table(steps, flow_rows.STEP_SCHEMA),
        attempts=rows.table(attempts, flow_rows.ATTEMPT_SCHEMA),
        sagas=rows.table(map(conclusion_rows.saga_row, sagas), conclusion_rows.SAGA_SCHEMA),
        findings=rows.table(told, conclusion_rows.FINDING_SCHEMA),
        undoings=rows.table(
            ((flow_id, *told) for flow_id, told in undoings.items()), flow_rows.UNDOING_SCHEMA
        ),
        payloads=rows.table(bodies.items(), flow_rows.PAYLOAD_SCHEMA),
    )


def together(parts: Sequence[FlowTables]) -> FlowTables:
    """Tables of several groups of flows as one, in their order."""
    if len(parts) == 1:
        return parts[0]
    return FlowTables(
        **{
            entry.name: pa.concat_tables([getattr(part, entry.name) for part in parts])
            for entry in fields(FlowTables)
        }
    )
