"""The candidate causes of a stored incident, each tried by replay where that can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.incidents.cases import around, case_of
from analyzer.incidents.changes import recorded_changes
from analyzer.incidents.impact import Impact, impact_of
from analyzer.incidents.settings import call_settings
from analyzer.rootcause.rank import Candidate, Ranking, rank
from analyzer.rootcause.telemetry import Case, Change
from replay.confirm import Confirmation, Trial, confirm, judged
from replay.engine import Folds
from replay.settings import ReplaySettings
from retrospan.causes_kept import basis_of, keep, kept
from retrospan.incident_inputs import InputFile, given_for
from store import read
from store.conclusions import Incident
from store.session import Session

if TYPE_CHECKING:
    from retrospan.edge import Edge

TOGETHER_MIN = 0.95
"""Of flows with one of two versions, the share that has the other too for them to be one change."""
SETTING_UNTESTED = (
    "a swap lends answers of before, not settings: try a timeout, attempts or waits as a what-if "
    "(retrospan replay run --scenario); keys are no part of a program"
)
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
    all changes around it, `given` those of them that only files tell of; `inputs` are the files
    that were given for it; `generation` is that of the data it was concluded from."""

    incident: Incident
    causes: Sequence[Cause]
    ranking: Ranking
    trials: Sequence[Trial]
    impact: Impact
    changes: Sequence[Change]
    given: Sequence[Change]
    inputs: Sequence[InputFile]
    generation: int


def causes_of(
    edge: "Edge",
    incident_id: str,
    *,
    replays: bool = True,
    programs: dict[tuple[str, str], Folds] | None = None,
    anew: bool = False,
    keeps: bool = True,
) -> Causes:
    """Rank what an incident may come from; with `replays`, try each candidate.

    What was concluded with replays is kept with the incident and given back as long as the data,
    the code, the settings and the incident's files are what they were; `anew` concludes again all
    the same; without `keeps` nothing is written. `programs` may hold programs made for other
    replays of the same store.
    """
    settings = edge.settings().fill("replay", ReplaySettings)
    with edge.reading("reading an incident's causes") as session:
        incident = read.read_incident(session, incident_id)
        basis = basis_of(session, incident, settings)
        known = None if anew else kept(session, incident, basis, Causes)
    if known is not None:
        return known
    found = _concluded(edge, incident, settings, programs, replays)
    if replays and keeps:
        keep(edge, incident, basis, found, lambda it: basis_of(it, incident, settings))
    return found


def kept_causes(session: Session, incident: Incident, settings: ReplaySettings) -> Causes | None:
    """What was concluded of an incident and still holds; None where nothing does."""
    return kept(session, incident, basis_of(session, incident, settings), Causes)


def _concluded(
    edge: "Edge",
    incident: Incident,
    settings: ReplaySettings,
    programs: dict[tuple[str, str], Folds] | None,
    replays: bool,
) -> Causes:
    with edge.reading("looking for an incident's causes") as session:
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
        findings = read.read_findings(session)
        given = given_for(session, incident.incident_id)
        generation = read.counts(session).generation
        case = case_of(
            session,
            incident.start_ns,
            incident.end_ns,
            frozenset(incident.flow_ids),
            changes=given.changes,
            measurements=given.measurements,
        )
        since_ns, until_ns = around(incident.start_ns, incident.end_ns)
        seen = [
            *recorded_changes(session, since_ns, until_ns),
            *call_settings(session, since_ns, until_ns).changes,
        ]
    ranking = rank(case)
    trials: Sequence[Trial] = ()
    if replays and ranking.candidates:
        trials = confirm(
            flows,
            start_ns=incident.start_ns,
            end_ns=incident.end_ns,
            findings=findings,
            settings=settings,
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
        changes=sorted({*seen, *given.changes}, key=_order),
        given=sorted(set(given.changes) - set(seen), key=_order),
        inputs=given.files,
        generation=generation,
    )


def _order(change: Change) -> tuple[int, str, str, str, str]:
    return change.at_ns, change.kind, change.service, change.name, change.text


def _confirmed(
    candidate: Candidate, trials: Sequence[Trial], case: Case, replays: bool
) -> Confirmation:
    if not replays:
        return NOT_TRIED
    swapped = {one.name for trial in trials for one in trial.swaps if one.kind == "version"}
    if candidate.kind in ("version", "policy", "model", "flag", "setting"):
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
        if candidate.kind == "setting":
            return Confirmation(status="untested", reason=SETTING_UNTESTED)
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
