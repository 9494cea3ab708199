"""Incidents declared over a window or found: which flows they affected, when they were over."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from analyzer.incidents.find import Judged, Window, find, merged
from analyzer.incidents.impact import FAILED
from analyzer.slo.timeline import Timeline
from retrospan.canonical import digest
from store.conclusions import Finding, Flow, FlowOutcome, Incident, SagaVerdict, Verdict

AFFECTED_OUTCOMES = frozenset(
    {
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    }
)
# A recovery is only claimed when this many later flows went through without a symptom.
RECOVERY_FLOWS_MIN = 10


def affected_ids(flows: Iterable[Flow], sagas: Iterable[SagaVerdict]) -> frozenset[str]:
    """Flows that did not do what they were started for, or left a saga violated.

    Flows in progress or of unknown outcome are not counted in: nothing is known against them.
    """
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION}
    return frozenset(
        flow.flow_id
        for flow in flows
        if flow.outcome in AFFECTED_OUTCOMES or flow.flow_id in violated
    )


def overlaps(flow: Flow, start_ns: int, end_ns: int) -> bool:
    """Whether the flow ran at any time inside the window, both ends included."""
    return flow.start_ns <= end_ns and (flow.end_ns or flow.start_ns) >= start_ns


def declare(
    *,
    flows: Sequence[Flow],
    sagas: Sequence[SagaVerdict],
    start_ns: int,
    end_ns: int,
    title: str,
    declared_by: str,
) -> Incident:
    """The incident of a window. Times that the flows' behaviour does not show stay None."""
    affected = affected_ids(flows, sagas)
    inside = sorted(
        (flow for flow in flows if flow.flow_id in affected and overlaps(flow, start_ns, end_ns)),
        key=lambda flow: (flow.start_ns, flow.flow_id),
    )
    return Incident(
        incident_id="inc-" + digest([start_ns, end_ns, title, declared_by])[:12],
        start_ns=start_ns,
        end_ns=end_ns,
        declared_by=declared_by,
        title=title,
        recovered_ns=_recovery(flows, sagas, inside),
        flow_ids=tuple(flow.flow_id for flow in inside),
        services=tuple(sorted({service for flow in inside for service in flow.services})),
    )


def _recovery(
    flows: Sequence[Flow], sagas: Sequence[SagaVerdict], inside: Sequence[Flow]
) -> int | None:
    """The end of the last flow with the symptom, if enough flows started later and none had it.

    The symptom is a violated saga where there is one; else not doing what the flow was started
    for, which on many systems some flows never do.
    """
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION}
    sick = violated & {flow.flow_id for flow in inside} or affected_ids(inside, sagas)
    hit = [flow for flow in inside if flow.flow_id in sick]
    if not hit:
        return None
    last_ns = max(flow.end_ns or flow.start_ns for flow in hit)
    later = [flow for flow in flows if flow.start_ns > last_ns]
    symptom = violated if sick & violated else affected_ids(later, sagas)
    if len(later) < RECOVERY_FLOWS_MIN or any(flow.flow_id in symptom for flow in later):
        return None
    return last_ns


FOUND_BY = "burn rate"
_UNDECIDED = frozenset({FlowOutcome.UNKNOWN, FlowOutcome.IN_PROGRESS})


def found(
    flows: Sequence[Flow],
    sagas: Sequence[SagaVerdict],
    findings: Sequence[Finding],
    lines: Sequence[tuple[str, Fraction, Timeline]] = (),
    regions: Mapping[str, Sequence[str]] | None = None,
) -> list[Incident]:
    """The incidents that behaviour shows, those near one another as one.

    `lines` are SLOs as name, budget and events. Flow kinds are held to a default objective too: a
    flow is good that neither failed nor left a saga or a rule violated. So are the flows of each
    of the `regions` (by flow id): one that goes bad may be too small a part of a kind to show.
    """
    windows: list[Window] = []
    for name in sorted({flow.name for flow in flows}):
        mine = [flow for flow in flows if flow.name == name]
        judged = _judged(mine, sagas, findings)
        whole = find(f"flows {name}", judged)
        windows += whole
        for region, ids in _by_region(regions or {}).items():
            inside = [one for one in judged if one.flow_id in ids]
            if len(inside) < len(judged):
                windows += _unseen(find(f"flows {name} in {region}", inside), whole)
    starts = {flow.flow_id: flow.start_ns for flow in flows}
    for name, budget, line in lines:
        judged = [
            Judged(
                flow_id=event.flow_id,
                start_ns=starts.get(event.flow_id, event.at_ns),
                end_ns=max(event.at_ns, starts.get(event.flow_id, event.at_ns)),
                bad=None if event.good is None else not event.good,
            )
            for event in line.events
        ]
        windows += find(f"SLO {name}", judged, budget)
    by_id = {flow.flow_id: flow for flow in flows}
    return [_incident(group, by_id) for group in merged(windows)]


def _by_region(regions: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """The flows that name each region."""
    found: dict[str, set[str]] = {}
    for flow_id, names in regions.items():
        for name in names:
            found.setdefault(name, set()).add(flow_id)
    return {name: frozenset(ids) for name, ids in sorted(found.items())}


def _unseen(windows: Sequence[Window], known: Sequence[Window]) -> list[Window]:
    """Those at no time of which all flows of the kind together burn."""
    return [
        window
        for window in windows
        if not any(one.start_ns <= window.end_ns and window.start_ns <= one.end_ns for one in known)
    ]


def _judged(
    flows: Sequence[Flow], sagas: Sequence[SagaVerdict], findings: Sequence[Finding]
) -> list[Judged]:
    violated = {saga.flow_id for saga in sagas if saga.verdict is Verdict.VIOLATION} | {
        finding.flow_id
        for finding in findings
        if finding.verdict is Verdict.VIOLATION and finding.severity != "info"
    }
    return [
        Judged(
            flow_id=flow.flow_id,
            start_ns=flow.start_ns,
            end_ns=flow.start_ns if flow.end_ns is None else max(flow.start_ns, flow.end_ns),
            bad=True
            if flow.flow_id in violated or flow.outcome in FAILED
            else None
            if flow.outcome in _UNDECIDED
            else False,
        )
        for flow in flows
    ]


def _incident(windows: Sequence[Window], flows: Mapping[str, Flow]) -> Incident:
    """One incident of windows that overlap. It is over when all of them are."""
    start_ns = min(window.start_ns for window in windows)
    end_ns = max(window.end_ns for window in windows)
    title = "; ".join(f"{window.source}: {window.bad} bad" for window in windows[:3])
    ids = sorted(
        {flow_id for window in windows for flow_id in window.flow_ids},
        key=lambda one: (flows[one].start_ns, one),
    )
    return Incident(
        incident_id="inc-" + digest([start_ns, end_ns, title, FOUND_BY])[:12],
        start_ns=start_ns,
        end_ns=end_ns,
        declared_by=FOUND_BY,
        title=title,
        detected_ns=min(window.detected_ns for window in windows),
        mitigated_ns=_last([window.mitigated_ns for window in windows]),
        recovered_ns=_last([window.recovered_ns for window in windows]),
        flow_ids=tuple(ids),
        services=tuple(sorted({name for one in ids for name in flows[one].services})),
    )


def _last(times: Sequence[int | None]) -> int | None:
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) and known else None
