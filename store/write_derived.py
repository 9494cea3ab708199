"""Conclusions into the store: flows with all that hangs on them, replays, incidents."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from store import columns, conclusion_rows, flow_rows, rows
from store.conclusions import Finding, Flow, Incident, ReplayResult, SagaVerdict
from store.lease import Session
from store.read_derived import FlowSelection, read_flows

_OF_FLOWS = ("flows", "flow_members", "flow_aliases", "steps", "attempts", "sagas", "findings")


def replace_flows(
    session: Session,
    *,
    generation: int,
    flows: Sequence[Flow],
    members: Mapping[str, Sequence[tuple[str, str]]],
    sagas: Sequence[SagaVerdict],
    findings: Sequence[Finding],
    code_digest: str,
    removed_flow_ids: Sequence[str] = (),
    population_detectors: Sequence[str] = (),
    derived_trace_ids: Sequence[str] | None = None,
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> bool:
    """Put these flows in the place of their earlier versions.

    Afterwards `derived_trace_ids` are not dirty any more; no trace is when it is None. False, and
    nothing done, when data of these traces came in or went since `generation` was read: derive
    again. `aliases` are further ids by flow id. Replays of a flow that is not the same any more
    go: they tell of other content. Findings of the population (no flow_id) replace all earlier
    ones of their detector; name in `population_detectors` those that ran and may have found
    nothing.
    """
    bodies: dict[str, str] = {}
    attempts = [row for flow in flows for row in flow_rows.attempt_rows(flow, bodies)]
    tables = {
        "flows": rows.table(map(flow_rows.flow_row, flows), flow_rows.FLOW_SCHEMA),
        "flow_members": rows.table(flow_rows.member_rows(members), flow_rows.MEMBER_SCHEMA),
        "flow_aliases": rows.table(flow_rows.alias_rows(aliases or {}), flow_rows.ALIAS_SCHEMA),
        "steps": rows.table(
            (row for flow in flows for row in flow_rows.step_rows(flow)), flow_rows.STEP_SCHEMA
        ),
        "attempts": rows.table(attempts, flow_rows.ATTEMPT_SCHEMA),
        "sagas": rows.table(map(conclusion_rows.saga_row, sagas), conclusion_rows.SAGA_SCHEMA),
        "findings": rows.table(
            map(conclusion_rows.finding_row, findings), conclusion_rows.FINDING_SCHEMA
        ),
    }
    payloads = rows.table(bodies.items(), flow_rows.PAYLOAD_SCHEMA)
    replaced = {flow.flow_id for flow in flows} | set(removed_flow_ids)
    replaced |= set(members) | {saga.flow_id for saga in sagas}
    detectors = {finding.detector for finding in findings if finding.flow_id is None}
    detectors |= set(population_detectors)
    written_by = {"code_digest": code_digest, "generation": generation}
    with session.transaction():
        if _overtaken(session, generation, derived_trace_ids, tables["flow_members"]):
            return False
        flow_ids = rows.table(((flow_id,) for flow_id in sorted(replaced)), columns.FLOW_IDS)
        earlier = {key for (key,) in session.rows_over("read/body_keys", "outdated", flow_ids)}
        _drop_replays(session, flows, flow_ids)
        for name in _OF_FLOWS:
            session.run_over(f"write/delete_{name}", "outdated", flow_ids)
        finding_ids = rows.table(
            ((finding.finding_id,) for finding in findings), conclusion_rows.FINDING_IDS
        )
        session.run_over(
            "write/delete_population_findings",
            "outdated",
            finding_ids,
            detectors=sorted(detectors),
        )
        session.run_over("write/payloads", "incoming", payloads)
        for name in _OF_FLOWS:
            params = written_by if name == "flows" else {}
            session.run_over(f"write/{name}", "incoming", tables[name], **params)
        unused = sorted(earlier - bodies.keys())
        if unused:  # nobody may find a body that no attempt shows any more
            keys = rows.table(((key,) for key in unused), flow_rows.BODY_KEYS)
            session.run_over("write/delete_payloads", "outdated", keys)
        derived = rows.table(((one,) for one in derived_trace_ids or ()), columns.TRACE_IDS)
        session.run_over("write/clean", "derived", derived, everything=derived_trace_ids is None)
    return True


def _drop_replays(session: Session, flows: Sequence[Flow], replaced: pa.Table) -> None:
    """Delete the replays of flows that go or change; a flow derived anew to the same keeps them."""
    replayed = session.rows_over("read/replayed_flow_ids", "outdated", replaced)
    if not replayed:
        return
    wanted = tuple(flow_id for (flow_id,) in replayed)
    known = {flow.flow_id: flow for flow in read_flows(session, FlowSelection(flow_ids=wanted))}
    now = {flow.flow_id: flow for flow in flows}
    changed = [
        flow_id
        for flow_id in wanted
        if flow_id not in known
        or flow_id not in now
        or flow_rows.content_of(known[flow_id]) != flow_rows.content_of(now[flow_id])
    ]
    gone = rows.table(((flow_id,) for flow_id in changed), columns.FLOW_IDS)
    session.run_over("write/delete_replays_of_flows", "outdated", gone)


def _overtaken(
    session: Session, generation: int, derived_trace_ids: Sequence[str] | None, members: pa.Table
) -> bool:
    """Whether what was derived is not what is stored any more. Other traces do not matter."""
    if derived_trace_ids is None:
        return session.row("read/generation") != (generation,)
    derived = rows.table(((one,) for one in derived_trace_ids), columns.TRACE_IDS)
    touched = session.row_over("read/touched_since", "derived", derived, generation=generation)
    return touched != (0,) or session.row_over("read/gone_members", "members", members) != (0,)


def mark_all_dirty(session: Session) -> None:
    """Every flow has to be derived again, as after a change of the code that derives."""
    with session.transaction():
        session.run("write/all_dirty")


def renew_clock_skew(session: Session) -> None:
    """Estimate again how far the services' clocks run apart, from all calls seen on both ends."""
    with session.transaction():
        session.run("write/delete_clock_skew")
        session.run("write/clock_skew")


def write_replays(session: Session, results: Sequence[ReplayResult]) -> None:
    """Store replays, each in the place of the earlier one of its flow, mode and scenario."""
    newest = {(result.flow_id, result.mode, result.scenario): result for result in results}
    data = rows.table(
        map(conclusion_rows.replay_row, newest.values()), conclusion_rows.REPLAY_SCHEMA
    )
    with session.transaction():
        session.run_over("write/delete_replays", "incoming", data)
        session.run_over("write/replays", "incoming", data)


def write_incident(session: Session, incident: Incident) -> None:
    """Store an incident, in the place of an earlier one with its id."""
    data = rows.table([conclusion_rows.incident_row(incident)], conclusion_rows.INCIDENT_SCHEMA)
    with session.transaction():
        session.run_over("write/delete_incidents", "incoming", data)
        session.run_over("write/incidents", "incoming", data)
