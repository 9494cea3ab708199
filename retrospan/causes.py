"""The candidate causes of a stored incident, each tried by replay where that can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.incidents.cases import case_of
from analyzer.incidents.changes import recorded_changes
from analyzer.incidents.impact import Impact, impact_of
from analyzer.rootcause.rank import Candidate, Ranking, rank
from analyzer.rootcause.telemetry import Case, Change, Measurement
from replay.confirm import Confirmation, Trial, confirm, judged
from replay.engine import Folds
from replay.settings import ReplaySettings
from retrospan.documents import incident_row
from retrospan.text import visible
from retrospan.timespan import utc
from store import read
from store.conclusions import Incident
from store.model import JsonValue

if TYPE_CHECKING:
    from retrospan.edge import Edge

TOGETHER_MIN = 0.95
"""Of flows with one of two versions, the share that has the other too for them to be one change."""
NOT_TRIED = Confirmation(status="untested", reason="not tried: replays were not asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A candidate with its rank from 1, and what replaying with it as before said."""

    rank: int
    candidate: Candidate
    confirmation: Confirmation


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """What may have caused an incident. `ranking` says why where there is no cause; `changes` are
    all changes around it."""

    incident: Incident
    causes: Sequence[Cause]
    ranking: Ranking
    trials: Sequence[Trial]
    impact: Impact
    changes: Sequence[Change]


def causes_of(
    edge: "Edge",
    incident_id: str,
    *,
    changes: Sequence[Change] = (),
    measurements: Sequence[Measurement] = (),
    replays: bool = True,
    programs: dict[tuple[str, str], Folds] | None = None,
) -> Causes:
    """Rank what an incident may come from; with `replays`, try each candidate.

    `programs` may hold programs made for other replays of the same store.
    """
    with edge.lease("looking for an incident's causes") as session:
        incident = read.read_incident(session, incident_id)
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
        findings = read.read_findings(session)
        case = case_of(
            session,
            incident.start_ns,
            incident.end_ns,
            frozenset(incident.flow_ids),
            changes=changes,
            measurements=measurements,
        )
        length = incident.end_ns - incident.start_ns
        seen = recorded_changes(session, incident.start_ns - 5 * length, incident.end_ns + length)
    ranking = rank(case)
    trials: Sequence[Trial] = ()
    if replays and ranking.candidates:
        trials = confirm(
            flows,
            start_ns=incident.start_ns,
            end_ns=incident.end_ns,
            findings=findings,
            settings=edge.settings().fill("replay", ReplaySettings),
            programs=programs,
        )
    found = [
        Cause(rank=place, candidate=one, confirmation=_confirmed(one, trials, case, replays))
        for place, one in enumerate(ranking.candidates, 1)
    ]
    return Causes(
        incident=incident,
        causes=found,
        ranking=ranking,
        trials=trials,
        impact=impact_of(
            flows, sagas, frozenset(incident.flow_ids), incident.start_ns, incident.end_ns
        ),
        changes=sorted({*seen, *changes}, key=lambda one: (one.at_ns, one.kind, one.name)),
    )


def _confirmed(
    candidate: Candidate, trials: Sequence[Trial], case: Case, replays: bool
) -> Confirmation:
    if not replays:
        return NOT_TRIED
    swapped = {one.name for trial in trials for one in trial.swaps if one.kind == "version"}
    if candidate.kind in ("version", "policy", "model", "flag"):
        own = candidate.name.rpartition(" ")[2]
        if candidate.kind == "version" and own in swapped:
            return judged(trials, "version", own)
        same = _came_with(candidate, case, swapped)
        if same is not None:
            told = judged(trials, "version", same)
            return Confirmation(
                status=told.status,
                reason=f"{told.reason}; {candidate.name} came together with version {same} "
                "and cannot be told apart from it",
            )
        return Confirmation(
            status="untested",
            reason=f"no program of the flows before {candidate.name} can take their place",
        )
    if candidate.kind == "change":
        return Confirmation(status="untested", reason="a change outside the flows is not replayed")
    return judged(trials, "service", candidate.service)


def _came_with(candidate: Candidate, case: Case, swapped: set[str]) -> str | None:
    """The flow version whose flows are those of the candidate's version, if there is one."""
    bearers: dict[tuple[str, str], set[str]] = {}
    for call in (*case.baseline.calls, *case.incident.calls):
        for name, value in call.where:
            bearers.setdefault((name, value), set()).add(call.trace_id)
    mine = {
        trace
        for (name, value), traces in bearers.items()
        if f"{name} {value}" == candidate.name
        for trace in traces
    }
    for (name, value), traces in sorted(bearers.items()):
        if name.startswith("flow ") and value in swapped and mine:
            both = len(mine & traces)
            if both >= TOGETHER_MIN * len(mine) and both >= TOGETHER_MIN * len(traces):
                return value
    return None


def cause_row(cause: Cause) -> Mapping[str, JsonValue]:
    """One candidate of `retrospan.incidents/1`."""
    candidate = cause.candidate
    return {
        "rank": cause.rank,
        "kind": candidate.kind,
        "name": candidate.name,
        "score": round(candidate.score, 6),
        "parts": {
            part: {"value": round(clue.value, 6), "n": clue.n, "detail": clue.detail}
            for part, clue in sorted(candidate.parts.items())
        },
        "confirmed": cause.confirmation.status,
        "reason": cause.confirmation.reason,
    }


def document_of(found: Causes) -> dict[str, JsonValue]:
    """`retrospan.incidents/1` of one incident."""
    return {"schema": "retrospan.incidents/1", "incidents": [row_of(found)]}


def row_of(found: Causes) -> dict[str, JsonValue]:
    """One incident with its candidates, reach and changes."""
    impact = found.impact
    contained = impact.contained_by
    return {
        **incident_row(found.incident),
        "candidates": [dict(cause_row(cause)) for cause in found.causes],
        "no_cause": found.ranking.reason,
        "without_data": list(found.ranking.unseen),
        "impact": {
            "affected": impact.affected,
            "flows": impact.flows,
            "by_kind": dict(impact.by_kind),
            "contained_by": None
            if contained is None
            else {"service": contained[0], "failed_there": contained[1], "failed": contained[2]},
            "residual_effects": impact.residual_effects,
            "flows_to_repair": impact.flows_to_repair,
        },
        "changes": [
            {
                "at_ns": change.at_ns,
                "kind": change.kind,
                "service": change.service,
                "name": change.name,
            }
            for change in found.changes
        ],
    }


def page(found: Causes) -> list[str]:
    """The same for people, line by line."""
    incident, impact = found.incident, found.impact
    lines = [
        f"{incident.incident_id}  {visible(incident.title)}  ({visible(incident.declared_by)})",
        "",
        f"  impact start  {utc(incident.start_ns)}",
        f"  detected      {_when(incident.detected_ns, incident.start_ns)}",
        f"  mitigated     {_when(incident.mitigated_ns, incident.start_ns)}",
        f"  recovered     {_when(incident.recovered_ns, incident.start_ns)}",
        "",
        f"  {impact.affected} of {impact.flows} flows affected: "
        + ", ".join(f"{visible(kind)} {count}" for kind, count in impact.by_kind.items()),
    ]
    if impact.contained_by is not None:
        service, there, failed = impact.contained_by
        lines.append(f"  {there} of {failed} failed flows had failing calls to {visible(service)}")
    lines.append(
        f"  left to repair: {impact.residual_effects} effects in {impact.flows_to_repair} flows "
        "(retrospan sagas list --residual)"
    )
    lines += ["", "Changes"]
    lines += [
        f"  {_apart(change.at_ns - incident.start_ns):>9}  {change.kind} "
        f"{visible(change.service)} {visible(change.name)}"
        for change in found.changes
    ] or ["  none recorded; name others with --changes FILE"]
    lines += ["", "Candidate causes"]
    for cause in found.causes:
        one = cause.candidate
        lines.append(
            f"  {cause.rank}. {one.kind} {visible(_short(one))}  score {one.score:.2f}  "
            f"{cause.confirmation.status}"
        )
        lines.append(f"       {visible(cause.confirmation.reason)}")
        lines += [
            f"       {part}: {visible(clue.detail)} ({clue.value:.2f})"
            for part, clue in sorted(one.parts.items())
        ]
        if one.below:
            lines.append(f"       {visible(one.below)}, which it calls, explains part of this")
    if not found.causes:
        lines.append(f"  none: {found.ranking.reason}")
    if found.ranking.unseen:
        lines += ["", f"  no data for: {', '.join(found.ranking.unseen)}"]
    return lines


def _short(candidate: Candidate) -> str:
    """The name without the kind, which stands before it."""
    return candidate.name.removeprefix(f"{candidate.kind} ")


def _when(at_ns: int | None, start_ns: int) -> str:
    return "not shown" if at_ns is None else f"{utc(at_ns)}  {_apart(at_ns - start_ns)}"


def _apart(duration_ns: int) -> str:
    sign = "-" if duration_ns < 0 else "+"
    seconds = abs(duration_ns) // 1_000_000_000
    if seconds >= 7_200:
        return f"{sign}{seconds // 3_600} h"
    return f"{sign}{seconds // 60} min" if seconds >= 300 else f"{sign}{seconds} s"
