"""The timeline in UTC: what behaviour shows, and what it does not."""

from collections.abc import Iterator
from dataclasses import dataclass

from retrospan.finding_times import times_of
from retrospan.report import bases
from retrospan.report.charts.moments import moments_drawing
from retrospan.report.charts.outcomes import outcome_chart
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, Chart, EvidenceLog, Section
from retrospan.text import Words
from retrospan.timespan import humane, utc
from store.conclusions import Evidence as Pointer
from store.conclusions import Flow, StepOutcome, Verdict

NEW_VERSION = "first seen"
GIVEN = "changed, by a file that was given"
BEGINS, ENDS = "detector: begins", "detector: ends"
VERSIONS_MAX = 15
DETECTED_MAX = 20
BREAKER_RESTING = frozenset({"closed", "disabled", ""})


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Moment:
    """One line of the timeline."""

    time_ns: int
    what: str
    where: str
    trace_id: str = ""
    span_id: str = ""


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    moments = sorted([*{moment.what: moment for moment in _moments(facts)}.values(), *_new(facts)])
    basis = Basis(
        question="first and last times of each kind of symptom in the window",
        parameters=bases.window(facts),
        data=[[m.time_ns, m.what, m.where, m.trace_id, m.span_id] for m in moments],
        examples=[
            Pointer(kind="span", trace_id=m.trace_id, span_id=m.span_id or None)
            for m in moments
            if m.trace_id
        ],
    )
    rows = [
        [utc(moment.time_ns), Words(moment.what), moment.where, moment.trace_id or "–"]
        for moment in moments
    ]
    table = log.table(basis, "Timeline (UTC)", ["time (UTC)", "what", "where", "trace"], rows)
    drawing = moments_drawing(table.caption, facts, [(m.time_ns, _label(m)) for m in moments])
    blocks: list[Block] = [
        table if drawing is None else Chart(svg=drawing, table=table, folded=False),
        *_stages(facts, log),
    ]
    chart = outcome_chart(facts, log)
    if chart is not None:
        blocks.append(chart)
    return Section(key="timeline", title="Timeline", blocks=blocks)


def _moments(facts: IncidentFacts) -> Iterator[Moment]:
    """Candidates; the first of each kind wins, because flows come in order of their start."""
    incident = facts.incident
    by = f"by {incident.declared_by}"
    yield Moment(time_ns=incident.start_ns, what="window starts", where=by)
    yield Moment(time_ns=incident.end_ns, what="window ends", where=by)
    firsts: dict[str, Moment] = {}
    violated = {saga.flow_id for saga in facts.sagas_inside if saga.verdict is Verdict.VIOLATION}
    for flow in facts.affected_inside:
        for moment in _of_flow(flow, flow.flow_id in violated):
            known = firsts.get(moment.what)
            if known is None or moment < known:
                firsts[moment.what] = moment
    yield from firsts.values()
    ends = [
        Moment(
            time_ns=flow.end_ns,
            what="last affected flow ends",
            where=flow.flow_id,
            trace_id=min(flow.trace_ids, default=""),
        )
        for flow in facts.affected_inside
        if flow.end_ns is not None
    ]
    if ends:
        yield max(ends)
    if facts.data_end_ns is not None:
        yield Moment(time_ns=facts.data_end_ns, what="data ends", where="all flows")


def _label(moment: Moment) -> str:
    named = (NEW_VERSION, GIVEN, BEGINS, ENDS)
    return moment.where if moment.what in named else moment.what


def _new(facts: IncidentFacts) -> list[Moment]:
    """Versions that came within one window's length before the window, or in it; changes that
    files tell of up to the length of the causes' baseline before it."""
    incident = facts.incident
    told = [] if facts.causes is None else facts.causes.given
    given = [
        Moment(
            time_ns=change.at_ns,
            what=GIVEN,
            where=" ".join(filter(None, (change.kind, change.service, change.name))),
        )
        for change in told
        if change.at_ns <= incident.end_ns
    ]
    return sorted([*_versions(facts), *sorted(given)[-VERSIONS_MAX:], *_detected(facts)])


def _detected(facts: IncidentFacts) -> list[Moment]:
    """What detectors over many flows saw begin and end, where it ran in the window."""
    incident = facts.incident
    found = []
    for finding in facts.findings_here:
        place = " → ".join(
            str(finding.facts[key]) for key in ("service", "callee") if finding.facts.get(key)
        )
        for since_ns, until_ns in times_of(finding):
            if since_ns <= incident.end_ns and until_ns >= incident.start_ns:
                name = finding.detector.replace("_", " ")
                found += [
                    Moment(time_ns=since_ns, what=BEGINS, where=f"{name}: {place}"),
                    Moment(time_ns=until_ns, what=ENDS, where=f"{name}: {place}"),
                ]
    return sorted(found)[:DETECTED_MAX]


def _versions(facts: IncidentFacts) -> list[Moment]:
    if facts.releases is None:
        return []
    incident = facts.incident
    since_ns = 2 * incident.start_ns - incident.end_ns
    found = [
        Moment(
            time_ns=version.first_ns,
            what=NEW_VERSION,
            where=f"{thing.kind} {thing.subject} {version.name}",
        )
        for thing in facts.releases.things
        for version in thing.versions[1:]
        if since_ns <= version.first_ns <= incident.end_ns
    ]
    return sorted(found)[:VERSIONS_MAX]


def _of_flow(flow: Flow, violated: bool) -> Iterator[Moment]:
    trace_id = min(flow.trace_ids, default="")
    yield Moment(
        time_ns=flow.start_ns,
        what="first affected flow starts",
        where=flow.flow_id,
        trace_id=trace_id,
    )
    if violated:
        yield Moment(
            time_ns=flow.start_ns,
            what="first flow with a saga violation starts",
            where=flow.flow_id,
            trace_id=trace_id,
        )
    for step in flow.steps:
        for attempt in step.attempts:
            for applies, what in (
                (attempt.outcome is StepOutcome.TIMEOUT, "first timed-out attempt"),
                (attempt.outcome is StepOutcome.ERROR, "first failed attempt"),
                ((attempt.breaker_state or "") not in BREAKER_RESTING, "first breaker not closed"),
                (step.role == "compensation", "first compensation starts"),
                (
                    step.role == "compensation"
                    and attempt.outcome in (StepOutcome.ERROR, StepOutcome.TIMEOUT),
                    "first compensation attempt that did not succeed",
                ),
            ):
                if applies:
                    yield Moment(
                        time_ns=attempt.start_ns,
                        what=what,
                        where=f"{step.service}: {step.name}",
                        trace_id=attempt.trace_id,
                        span_id=attempt.span_id,
                    )


def _stages(facts: IncidentFacts, log: EvidenceLog) -> list[Block]:
    """Detection, mitigation, recovery: a time, or that the data does not show it."""
    incident = facts.incident
    blocks: list[Block] = []
    for stage, time_ns, what in (
        ("Detection", incident.detected_ns, "from here on an alert on the burn rate would fire"),
        ("Mitigation", incident.mitigated_ns, "flows stop going bad faster than usual"),
        ("Recovery", incident.recovered_ns, "the last bad flow ends, and later ones are as before"),
    ):
        basis = Basis(
            question="behavioural times of the incident",
            parameters={"incident_id": incident.incident_id, "stage": stage.lower()},
            data=[[stage.lower(), time_ns]],
        )
        if time_ns is None:
            blocks.append(log.say(basis, stage + ": not shown by the flows' behaviour."))
        else:
            blocks.append(
                log.say(
                    basis,
                    stage + " at {time} UTC, {after} after the window starts: {what}.",
                    time=utc(time_ns),
                    after=humane(time_ns - incident.start_ns),
                    what=Words(what),
                )
            )
    return blocks
