"""The questions several sections ask, with the data that answers them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retrospan.canonical import money
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, EvidenceLog, Statement
from retrospan.report.numbers import plural, totals_text
from retrospan.text import Words
from store.conclusions import Evidence as Pointer
from store.conclusions import Flow, ReplayResult, ResidualEffect
from store.model import JsonValue


def window(facts: IncidentFacts) -> dict[str, JsonValue]:
    """The parameters that say which flows are meant."""
    return {"start_ns": facts.incident.start_ns, "end_ns": facts.incident.end_ns}


def pointer(flow: Flow) -> Pointer:
    """The flow's first trace."""
    return Pointer(kind="span", trace_id=min(flow.trace_ids, default=None))


def outcomes(facts: IncidentFacts, flows: Iterable[Flow] | None = None) -> Basis:
    """Which flows ran in the window and how each ended."""
    inside = facts.inside if flows is None else list(flows)
    return Basis(
        question="flows of the window with outcome and symptom",
        parameters=window(facts),
        data=[
            [flow.flow_id, flow.outcome.value, flow.flow_id in facts.affected] for flow in inside
        ],
        examples=[pointer(flow) for flow in inside if flow.flow_id in facts.affected],
    )


def everything(facts: IncidentFacts) -> Basis:
    """Every flow of the store, inside the window and outside."""
    flows = facts.inside + facts.outside
    verdicts_of: dict[str, list[JsonValue]] = {}
    for saga in sorted(facts.sagas, key=lambda saga: (saga.flow_id, saga.saga_id)):
        verdicts_of.setdefault(saga.flow_id, []).append(saga.verdict.value)
    return Basis(
        question="flows inside and outside the window with outcome, symptom and saga verdicts",
        parameters=window(facts),
        data=[
            [
                flow.flow_id,
                flow.start_ns,
                flow.end_ns,
                flow.outcome.value,
                flow.flow_id in facts.affected,
                verdicts_of.get(flow.flow_id, []),
            ]
            for flow in flows
        ],
        examples=[pointer(flow) for flow in flows if flow.flow_id in facts.affected],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """An effect left standing. `excess` when a compensation left it: something was undone that
    never stood, or undone twice, so the money went the other way."""

    flow_id: str
    effect: ResidualEffect
    excess: bool

    @property
    def kind(self) -> Words:
        return Words("undone too much" if self.excess else "never undone")


def residuals(facts: IncidentFacts) -> list[Residual]:
    """Every effect left standing in the window, in a fixed order."""
    undoing = {
        (flow.flow_id, name)
        for flow in facts.inside
        for step in flow.steps
        if step.role == "compensation"
        for name in (step.saga_step, step.name, step.step_id)
    }
    return sorted(
        (
            Residual(
                flow_id=saga.flow_id,
                effect=effect,
                excess=(saga.flow_id, effect.step) in undoing,
            )
            for saga in facts.sagas_inside
            for effect in saga.residual_effects
        ),
        key=lambda one: (
            one.excess,
            one.flow_id,
            one.effect.step,
            one.effect.callee,
            str(one.effect.idempotency_key),
            str(one.effect.external_ref),
        ),
    )


def residual_basis(facts: IncidentFacts) -> Basis:
    found = residuals(facts)
    return Basis(
        question="residual effects of sagas in the window",
        parameters=window(facts),
        data=[
            [
                one.flow_id,
                one.excess,
                one.effect.step,
                one.effect.callee,
                one.effect.resource,
                money(one.effect.amount),
                one.effect.currency,
                one.effect.external_ref,
                one.effect.idempotency_key,
            ]
            for one in found
        ],
        examples=[one.effect.evidence for one in found],
    )


def left_standing(facts: IncidentFacts, log: EvidenceLog) -> Statement:
    """What a person has to look at, the two directions of money apart."""
    found = residuals(facts)
    never = [one.effect for one in found if not one.excess]
    excess = [one.effect for one in found if one.excess]
    flows = plural(len({one.flow_id for one in found}), "flow")
    basis = residual_basis(facts)
    if not excess:
        return log.say(
            basis,
            "{never} of {flows} were never undone and need a person: {sums}.",
            never=plural(len(never), "effect"),
            flows=flows,
            sums=totals_text(never),
        )
    return log.say(
        basis,
        "In {flows} a person has to look: {never} were never undone ({sums}), and {excess} undid "
        "what did not stand ({excess_sums}).",
        flows=flows,
        never=plural(len(never), "effect"),
        sums=totals_text(never),
        excess=plural(len(excess), "compensation"),
        excess_sums=totals_text(excess),
    )


def verdicts(facts: IncidentFacts) -> Basis:
    """Each saga of the window with the verdict of each check."""
    return Basis(
        question="saga verdicts in the window",
        parameters=window(facts),
        data=[
            [
                saga.flow_id,
                saga.saga_id,
                saga.verdict.value,
                [[check.check, check.verdict.value] for check in saga.checks],
            ]
            for saga in facts.sagas_inside
        ],
        examples=[
            entry
            for saga in facts.sagas_inside
            for check in saga.checks
            if check.verdict is saga.verdict
            for entry in check.evidence
        ],
    )


def replay_basis(
    facts: IncidentFacts, results: Sequence[ReplayResult], scenario: str | None
) -> Basis:
    """Replays with everything a sentence says of them; the digests stand for the event logs."""
    return Basis(
        question="replays of the window's flows",
        parameters={**window(facts), "scenario": scenario},
        data=[
            [
                result.flow_id,
                result.mode,
                result.verdict,
                result.outcome,
                result.digest,
                result.program_digest,
                result.program_flows,
                result.leave_one_out,
                list(result.flags),
                result.claim,
                result.control_verdict,
                [[divergence.kind, divergence.step_id] for divergence in result.divergences],
                result.reason,
            ]
            for result in results
        ],
    )


def flow_basis(flow: Flow) -> Basis:
    """One flow, step by step and attempt by attempt."""
    return Basis(
        question="steps and attempts of one flow",
        parameters={"flow_id": flow.flow_id},
        data=[
            [
                step.step_id,
                step.name,
                step.saga_step,
                step.role,
                step.callee,
                step.outcome.value,
                step.compensates,
                [
                    [
                        attempt.span_id,
                        attempt.start_ns,
                        attempt.end_ns,
                        attempt.status,
                        attempt.callee_start_ns,
                        attempt.callee_end_ns,
                        None if attempt.callee_outcome is None else attempt.callee_outcome.value,
                    ]
                    for attempt in step.attempts
                ],
            ]
            for step in flow.steps
        ],
        examples=[pointer(flow)],
    )
