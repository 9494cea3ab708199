"""Which flows built on an effect of another flow that was taken back later: S10 of a population.

In: flows, twice, as many at a time as the caller likes. Out: one `DirtyRead` per step that named,
in what it asked for, the reference of an effect that another flow had made and later undid. That
two flows touch one resource at the same time is not told: most of that is ordinary business, and
nothing recorded tells a lock from a counter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.derive.ending import effective
from analyzer.effects import forward_effects, mentioned
from store.conclusions import Evidence, Flow, Step, Verdict

READS_MAX = 1_000
"""Listed at most; a population with more has one cause, and the first ones show it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """An effect that was made and taken back. Times are those of `service`, the caller."""

    flow_id: str
    step: str
    callee: str
    external_ref: str
    service: str
    made_ns: int
    undone_ns: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyRead:
    """A step that built on what was taken back.

    It is a violation where the reader took effect, was not undone itself, and one clock shows that
    it came before the undoing; else suspected.
    """

    flow_id: str
    step: str
    verdict: Verdict
    undone: Undone
    evidence: Evidence


def undone_effects(flows: Iterable[Flow]) -> dict[str, list[Undone]]:
    """Effects that were made and later undone, by their reference."""
    found: dict[str, list[Undone]] = defaultdict(list)
    for flow in flows:
        for effect in forward_effects(flow):
            undo = effect.undone_by
            if undo is None or effect.external_ref is None or not effect.certain:
                continue
            found[effect.external_ref].append(
                Undone(
                    flow_id=flow.flow_id,
                    step=effect.step.name,
                    callee=effect.step.callee,
                    external_ref=effect.external_ref,
                    service=undo.service,
                    made_ns=effect.step.start_ns,
                    undone_ns=undo.start_ns,
                    evidence=effect.evidence,
                )
            )
    return dict(found)


def dirty_reads(flows: Iterable[Flow], undone: Mapping[str, Sequence[Undone]]) -> list[DirtyRead]:
    """Steps of other flows that named such an effect between its making and its undoing."""
    if not undone:
        return []
    found = []
    for flow in flows:
        taken_back = {step.compensates for step in flow.steps if effective(step)}
        for step in flow.steps:
            if step.role == "compensation":
                continue
            for reference in mentioned(step) & undone.keys():
                for it in undone[reference]:
                    if it.flow_id != flow.flow_id and it.made_ns < step.start_ns < it.undone_ns:
                        sure = step.step_id not in taken_back and step.service == it.service
                        found.append(_read(flow, step, it, sure=sure and effective(step)))
    found.sort(key=lambda it: (it.undone.undone_ns, it.undone.external_ref, it.flow_id, it.step))
    return found[:READS_MAX]


def _read(flow: Flow, step: Step, undone: Undone, *, sure: bool) -> DirtyRead:
    attempt = step.attempts[0]
    return DirtyRead(
        flow_id=flow.flow_id,
        step=step.name,
        verdict=Verdict.VIOLATION if sure else Verdict.SUSPECTED,
        undone=undone,
        evidence=Evidence(kind="span", trace_id=attempt.trace_id, span_id=attempt.span_id),
    )
