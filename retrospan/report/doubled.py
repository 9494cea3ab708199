"""Things done more than once, and whether a what-if run does them once."""

from collections.abc import Mapping, Sequence

from replay.recording import operation_of
from retrospan.report.facts import IncidentFacts
from store.conclusions import Finding, Flow, ReplayResult, Verdict

DETECTOR = "duplicate_effect"


def doubled(facts: IncidentFacts) -> dict[str, list[frozenset[str]]]:
    """Flow id to the operations behind each thing that flow surely did more than once."""
    flows = {flow.flow_id: flow for flow in facts.inside}
    found: dict[str, list[frozenset[str]]] = {}
    for finding in facts.findings_here:
        if finding.detector == DETECTOR and finding.verdict is Verdict.VIOLATION:
            flow = flows.get(finding.flow_id or "")
            if flow is not None:
                found.setdefault(flow.flow_id, []).append(_operations(finding, flow))
    return found


def _operations(finding: Finding, flow: Flow) -> frozenset[str]:
    effects = finding.facts.get("effects")
    ids = {
        effect.get("step_id")
        for effect in (effects if isinstance(effects, list) else [])
        if isinstance(effect, Mapping)
    }
    return frozenset(operation_of(step) for step in flow.steps if step.step_id in ids)


def does_once(run: ReplayResult, groups: Sequence[frozenset[str]]) -> bool:
    """Whether each thing was asked for until exactly one call of it succeeded.

    A call that timed out may have taken effect, so a run with one is not counted as settled. A call
    that was answered with an error is taken to have had none.
    """
    for operations in groups:
        statuses = [
            event.get("status")
            for event in run.events
            if event.get("event") == "call" and event.get("op") in operations
        ]
        if "timeout" in statuses or statuses.count("ok") != 1:
            return False
    return True
