"""Conclusions into the store: flows with all that hangs on them, replays, incidents."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from store import columns, conclusion_rows, flow_rows, rows
from store.conclusions import Finding, Flow, Incident, ReplayResult, SagaVerdict
from store.derived_tables import FlowTables, Undoing, flow_tables
from store.lease import Session
from store.read_derived import FlowSelection, read_flows, read_incidents

_OF_FLOWS = ("flows", "flow_members", "flow_aliases", "steps", "attempts", "sagas", "findings")
_OF_THOSE = ("flow_heads", "flow_problems", "flow_effects")  # made of them inside the store


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
    undoings: Mapping[str, Undoing] | None = None,
) -> bool:
    """Put these flows in the place of their earlier versions.

    Afterwards `derived_trace_ids` are not dirty any more; no trace is when it is None. False, and
    nothing done, when data of these traces came in or went since `generation` was read: derive
    again. `aliases` are further ids by flow id, `undoings` what became of its effects. Replays of
    a flow that is not the same any more go: they tell of other content. Findings of the population
    (no flow_id) replace all earlier ones of their detector; name in `population_detectors` those
    that ran and may have found nothing.
    """
    return replace_tables(
        session,
        flow_tables(flows, members, sagas, findings, aliases or {}, undoings or {}),
        generation=generation,
        code_digest=code_digest,
        removed_flow_ids=removed_flow_ids,
        population_detectors=population_detectors,
        derived_trace_ids=derived_trace_ids,
    )


def replace_tables(
    session: Session,
    tables: FlowTables,
    *,
    generation: int,
    code_digest: str,
    removed_flow_ids: Sequence[str] = (),
    population_detectors: Sequence[str] = (),
    derived_trace_ids: Sequence[str] | None = None,
) -> bool:
    """`replace_flows` of conclusions that are rows already."""
    replaced = sorted(tables.flow_ids | set(removed_flow_ids))
    detectors = tables.population_detectors | set(population_detectors)
    written_by = {"code_digest": code_digest, "generation": generation}
    with session.transaction():
        if _overtaken(session, generation, derived_trace_ids, tables.flow_members):
            return False
        flow_ids = rows.table(((flow_id,) for flow_id in replaced), columns.FLOW_IDS)
        earlier = {key for (key,) in session.rows_over("read/body_keys", "outdated", flow_ids)}
        replayed = _replayed(session, flow_ids)
        for name in _OF_FLOWS:
            session.run_over(f"write/delete_{name}", "outdated", flow_ids)
        session.run_over(
            "write/delete_population_findings",
            "outdated",
            tables.findings.select(["finding_id"]),
            detectors=sorted(detectors),
        )
        session.run_over("write/payloads", "incoming", tables.payloads)
        for name in _OF_FLOWS:
            params = written_by if name == "flows" else {}
            session.run_over(f"write/{name}", "incoming", getattr(tables, name), **params)
        session.run("write/derivations", {"flows": len(replaced)})
        for name in _OF_THOSE:
            session.run_over(f"write/delete_{name}", "outdated", flow_ids)
        with session.tables({"incoming": flow_ids, "undoings": tables.undoings}):
            for name in ("fresh_facts", "flow_kinds", *_OF_THOSE, "drop_fresh_facts"):
                session.run(f"write/{name}")
        _drop_replays(session, replayed)
        unused = sorted(earlier - tables.body_keys) if earlier else []
        if unused:  # nobody may find a body that no attempt shows any more
            keys = rows.table(((key,) for key in unused), flow_rows.BODY_KEYS)
            session.run_over("write/delete_payloads", "outdated", keys)
        derived = rows.table(((one,) for one in derived_trace_ids or ()), columns.TRACE_IDS)
        session.run_over("write/clean", "derived", derived, everything=derived_trace_ids is None)
    return True


def _replayed(session: Session, replaced: pa.Table) -> dict[str, Flow | None]:
    """Of the flows that are to be replaced, those with replays, as they are now."""
    wanted = [it for (it,) in session.rows_over("read/replayed_flow_ids", "outdated", replaced)]
    return _as_stored(session, wanted)


def _as_stored(session: Session, flow_ids: Sequence[str]) -> dict[str, Flow | None]:
    if not flow_ids:
        return {}
    found = read_flows(session, FlowSelection(flow_ids=tuple(flow_ids)))
    return {**dict.fromkeys(flow_ids), **{flow.flow_id: flow for flow in found}}


def _drop_replays(session: Session, before: Mapping[str, Flow | None]) -> None:
    """Delete the replays of flows that went or changed; one derived anew to the same keeps them."""
    now = _as_stored(session, sorted(before))
    changed = [flow_id for flow_id, flow in now.items() if flow is None or flow != before[flow_id]]
    if changed:
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


def write_incident(session: Session, incident: Incident, *, keeping: bool = False) -> None:
    """Store an incident, in the place of an earlier one with its id; or be `keeping` that one."""
    data = rows.table([conclusion_rows.incident_row(incident)], conclusion_rows.INCIDENT_SCHEMA)
    with session.transaction():
        if keeping and any(
            it.incident_id == incident.incident_id for it in read_incidents(session)
        ):
            return
        session.run_over("write/delete_incidents", "incoming", data)
        session.run_over("write/incidents", "incoming", data)
