"""Recorded data out of the store, with everything concluded from it.

A flow goes wholly or stays wholly. Deleted are its spans with their events and links, its logs, the
conclusions about it, bodies that nothing shows any more. A decision is reduced to its proof: id,
place in the log, time, content hash, leaf hash of its record; the record itself goes.

What stays on purpose: the ledger, so that loading the same input again brings nothing back (the
same spans in another input, or under another reader or other rules, are new data); refused records,
which have no time and no flow; incidents, without the flows that are gone. The deleted bytes stay
in free blocks of the file until `store.upgrade.rewrite`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from store import columns, flow_rows, rows
from store.errors import NotFoundError, UsageError
from store.lease import Session

# What is selected, in this order; whether the statement binds what was asked for.
_BEFORE = {"kept": True, "traces": False, "flows": True, "spans": False, "decisions": True}
_FLOW = {"flows": True, "spans": False, "traces": False, "decisions": False}
_CONCLUSIONS = (
    "flow_members",
    "flow_aliases",
    "flow_heads",
    "flow_problems",
    "flow_effects",
    "steps",
    "attempts",
    "sagas",
    "findings",
    "flows",
)
UNKNOWN_TOLD_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many rows went. `decisions` were reduced to their proof; those in no log went wholly."""

    flows: int = 0
    traces: int = 0
    spans: int = 0
    span_events: int = 0
    span_links: int = 0
    logs: int = 0
    decisions: int = 0
    payloads: int = 0
    sagas: int = 0
    findings: int = 0
    replays: int = 0

    @property
    def nothing(self) -> bool:
        return not any(getattr(self, entry.name) for entry in fields(self))


class _DryRunError(Exception):
    """Raised to undo a purge that was only asked about."""


def purge_before(session: Session, before_ns: int, *, dry_run: bool = False) -> Purged:
    """Purge flows, traces, logs and decisions that ended before this time.

    A trace whose flows are not derived yet stays, and so does what shares a flow with data that
    stays.
    """
    return _purge(session, "before", _BEFORE, {"before_ns": before_ns}, dry_run)


def purge_flows(session: Session, flow_ids: Sequence[str], *, dry_run: bool = False) -> Purged:
    """Purge these flows as they were derived last; spans of other flows in their traces stay."""
    if not flow_ids:
        raise UsageError("no flow was named to be purged")
    params = {"flow_ids": list(flow_ids)}
    unknown = [flow_id for (flow_id,) in session.rows("purge/unknown_flows", params)]
    if unknown:
        told = ", ".join(unknown[:UNKNOWN_TOLD_MAX])
        more = f" and {len(unknown) - UNKNOWN_TOLD_MAX} more" * (len(unknown) > UNKNOWN_TOLD_MAX)
        raise NotFoundError(f"no such flow: {told}{more}; `retrospan flows list` shows them")
    return _purge(session, "flow", _FLOW, params, dry_run)


def _purge(
    session: Session,
    mode: str,
    selections: Mapping[str, bool],
    params: Mapping[str, object],
    dry_run: bool,
) -> Purged:
    purged = Purged()
    try:
        with session.transaction():
            for name, binds in selections.items():
                session.run(f"purge/{mode}/{name}", params if binds else None)
            purged = _delete(session, mode, params if mode == "before" else None)
            if dry_run:
                raise _DryRunError
    except _DryRunError:
        pass
    return purged


def _delete(session: Session, mode: str, loose: Mapping[str, object] | None) -> Purged:
    """Everything that was selected, and what hangs on it."""
    flow_ids = [flow_id for (flow_id,) in session.rows("purge/flow_ids")]
    counted = {
        table: _count(session, f"purge/{table}")
        for table in ("span_events", "span_links", "spans", "logs", "decisions", "replays")
    }
    session.run("purge/salts")
    counted["logs"] += _count(session, f"purge/{mode}/loose_logs", loose)
    counted["decisions"] += _count(session, "purge/derived_decisions")
    counted["findings"] = _count(session, "purge/population_findings")
    outdated = rows.table(((flow_id,) for flow_id in flow_ids), columns.FLOW_IDS)
    bodies = session.rows_over("read/body_keys", "outdated", outdated)
    for table in _CONCLUSIONS:
        ((count,),) = session.rows_over(f"write/delete_{table}", "outdated", outdated)
        counted[table] = counted.get(table, 0) + count
    keys = rows.table(bodies, flow_rows.BODY_KEYS)
    ((counted["payloads"],),) = session.rows_over("write/delete_payloads", "outdated", keys)
    session.run("purge/flow_kinds")
    session.run("purge/incidents", {"flow_ids": flow_ids})
    session.run("purge/incident_causes")
    session.run("purge/dirty_traces")
    counted["traces"] = _count(session, "purge/traces")
    names = {entry.name for entry in fields(Purged)}
    purged = Purged(**{name: count for name, count in counted.items() if name in names})
    if not purged.nothing:  # whoever derives from what was read before must read again
        session.run("write/generation")
    session.run("purge/shrunk_traces")
    session.run("purge/shrunk_dirty")
    return purged


def _count(session: Session, name: str, params: Mapping[str, object] | None = None) -> int:
    (count,) = session.row(name, params)
    return int(count)
