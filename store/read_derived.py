"""Conclusions back from the store."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from store.conclusion_rows import finding_of, incident_of, replay_of, saga_of
from store.conclusions import (
    Attempt,
    Finding,
    Flow,
    FlowOutcome,
    Incident,
    ReplayResult,
    SagaVerdict,
    Step,
)
from store.errors import NotFoundError
from store.flow_rows import attempt_of, flow_of, step_of
from store.lease import Session

NEAREST_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSelection:
    """Which flows; what is None or empty does not select.

    A flow lies in `since_ns <= start < until_ns`. `service` is any service that takes part. Each
    pair of `where` holds when some span of the flow has that attribute or resource attribute with
    that text. `limit` keeps the earliest.
    """

    flow_ids: Sequence[str] | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    service: str | None = None
    outcome: FlowOutcome | str | None = None
    name: str | None = None
    version: str | None = None
    where: tuple[tuple[str, str], ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """How far the callee's clock runs ahead of the caller's, from so many calls seen on both ends.

    `offset_ns` is the median estimate for ways of equal length; `low_ns` to `high_ns` is where the
    offset of the median call can lie whatever the ways: the callee works inside the call. Where
    that leaves out 0 the clocks disagree. For display only: nothing is derived from it.
    """

    caller: str
    callee: str
    calls: int
    offset_ns: int
    low_ns: int
    high_ns: int

    @property
    def certain(self) -> bool:
        """Whether the clocks disagree, however long the ways were."""
        return self.low_ns > 0 or self.high_ns < 0


_EVERY_FLOW = FlowSelection()


def read_flows(session: Session, selection: FlowSelection = _EVERY_FLOW) -> list[Flow]:
    """Flows by start and id, whole."""
    flow_rows = session.rows(
        "read/flows",
        {
            **_which(_flow_ids_where(session, selection)),
            "since_ns": selection.since_ns,
            "until_ns": selection.until_ns,
            "service": selection.service,
            "outcome": None if selection.outcome is None else str(selection.outcome),
            "name": selection.name,
            "version": selection.version,
            "limit": selection.limit,
        },
    )
    whose = {"flow_ids": [row[0] for row in flow_rows]}
    starts = [row[3] for row in flow_rows]
    bounds = {"low": min(starts, default=0), "high": max(starts, default=0)}
    (whose["first_ns"],) = session.row("read/first_of_flows", {**whose, **bounds})
    attempts: defaultdict[tuple[str, int], list[Attempt]] = defaultdict(list)
    for flow_id, step_ordinal, *fields in session.rows("read/attempts", whose):
        attempts[flow_id, step_ordinal].append(attempt_of(fields))
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    for flow_id, ordinal, *fields in session.rows("read/steps", whose):
        steps[flow_id].append(step_of(fields, attempts.get((flow_id, ordinal), ())))
    return [flow_of(row, steps.get(row[0], ())) for row in flow_rows]


def read_flow(session: Session, flow_id: str) -> Flow:
    """One flow by its id or an earlier one of its ids; NotFoundError shows the nearest ids."""
    flows = read_flows(session, FlowSelection(flow_ids=(flow_id,)))
    if not flows:
        flows = read_flows(session, FlowSelection(flow_ids=(_present_id(session, flow_id),)))
    return flows[0]


def _present_id(session: Session, alias: str) -> str:
    """The id under which a flow stands now that had another one with less data."""
    rows = session.rows("read/flow_aliases", {"alias": alias})
    found: list[str] = [flow_id for (flow_id,) in rows]
    if not found:
        known = [known_id for (known_id,) in session.rows("read/flow_ids")]
        raise NotFoundError(_not_found("flow", alias, known))
    if len(found) > 1:
        listed = ", ".join(found[:NEAREST_MAX])
        more = f" and {len(found) - NEAREST_MAX} more" if len(found) > NEAREST_MAX else ""
        raise NotFoundError(f"{alias} is {len(found)} flows by now: {listed}{more}")
    return found[0]


def read_sagas(
    session: Session, flow_ids: Sequence[str] | None = None, limit: int | None = None
) -> list[SagaVerdict]:
    """Verdicts by flow id and saga id; the first `limit`."""
    asked = {**_which(flow_ids), "limit": limit}
    return [saga_of(row) for row in session.rows("read/sagas", asked)]


def read_findings(
    session: Session,
    flow_ids: Sequence[str] | None = None,
    *,
    gravest_first: bool = False,
    limit: int | None = None,
) -> list[Finding]:
    """Findings by detector, flow id (those of the population first), finding id; the first `limit`.

    `gravest_first` orders by severity before that, then those of the population before all others.
    """
    asked = {**_which(flow_ids), "gravest": gravest_first, "limit": limit}
    return [finding_of(row) for row in session.rows("read/findings", asked)]


def count_violations(session: Session, flow_ids: Sequence[str] | None = None) -> tuple[int, int]:
    """How many sagas, and how many fresh findings, are violations."""
    sagas, findings = session.row("read/violations", _which(flow_ids))
    return int(sagas), int(findings)


def read_sampling(
    session: Session, flow_ids: Sequence[str] | None = None
) -> list[tuple[str, Fraction | None, int]]:
    """How flows were sampled, the weight of each, and of how many flows it is told."""
    return [
        (sampling, None if weight is None else Fraction(weight), int(flows))
        for sampling, weight, flows in session.rows("read/sampling", _which(flow_ids))
    ]


def read_replays(session: Session, flow_ids: Sequence[str] | None = None) -> list[ReplayResult]:
    """Replays by flow id, mode, scenario (the control first)."""
    return [replay_of(row) for row in session.rows("read/replays", _which(flow_ids))]


def read_incidents(session: Session) -> list[Incident]:
    """Incidents by start and id."""
    return [incident_of(row) for row in session.rows("read/incidents")]


def read_incident(session: Session, incident_id: str) -> Incident:
    """One incident; NotFoundError shows the nearest ids."""
    incidents = {incident.incident_id: incident for incident in read_incidents(session)}
    if incident_id not in incidents:
        raise NotFoundError(_not_found("incident", incident_id, list(incidents)))
    return incidents[incident_id]


def read_clock_skew(session: Session) -> list[ClockSkew]:
    """Estimates by caller and callee, as of the last time flows were derived."""
    return [
        ClockSkew(
            caller=row[0], callee=row[1], calls=row[2], offset_ns=row[3], low_ns=row[4],
            high_ns=row[5],
        )
        for row in session.rows("read/clock_skew")
    ]  # fmt: skip


def read_code_digests(session: Session) -> tuple[str, ...]:
    """Digests of the code that derived the stored flows, sorted; more than one: derive again."""
    return tuple(digest for (digest,) in session.rows("read/code_digests"))


def read_flow_ids(session: Session) -> list[str]:
    """Ids of all flows, sorted."""
    return [flow_id for (flow_id,) in session.rows("read/flow_ids")]


def read_derivation(session: Session) -> int:
    """The number of the last write of derived flows; 0 before the first."""
    (number,) = session.row("read/derivation")
    return int(number)


def _flow_ids_where(session: Session, selection: FlowSelection) -> Sequence[str] | None:
    ids = None if selection.flow_ids is None else set(selection.flow_ids)
    for key, value in selection.where:
        pointer = "/" + key.replace("~", "~0").replace("/", "~1")
        found = session.rows("read/flow_ids_where", {"pointer": pointer, "value": value})
        having = {flow_id for (flow_id,) in found}
        ids = having if ids is None else ids & having
    return None if ids is None else sorted(ids)


def _which(flow_ids: Sequence[str] | None) -> Mapping[str, object]:
    return {"all": flow_ids is None, "flow_ids": list(flow_ids or ())}


def _not_found(kind: str, wanted: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(wanted, known, NEAREST_MAX, cutoff=0.3)
    if nearest:
        return f"there is no {kind} {wanted}; nearest: {', '.join(nearest)}"
    return f"there is no {kind} {wanted}; the store holds {len(known)}"
