"""The questions several sections ask, with the data that answers them."""

from collections.abc import Iterable, Sequence

from retrospan.documents import money
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis
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
    return Basis(
        question="flows inside and outside the window with outcome and symptom",
        parameters=window(facts),
        data=[
            [
                flow.flow_id,
                flow.start_ns,
                flow.end_ns,
                flow.outcome.value,
                flow.flow_id in facts.affected,
            ]
            for flow in flows
        ],
        examples=[pointer(flow) for flow in flows if flow.flow_id in facts.affected],
    )


def residuals(facts: IncidentFacts) -> list[tuple[str, ResidualEffect]]:
    """Pairs of flow id and effect left standing, in a fixed order."""
    return sorted(
        ((saga.flow_id, effect) for saga in facts.sagas_inside for effect in saga.residual_effects),
        key=lambda pair: (pair[0], pair[1].step, pair[1].callee, str(pair[1].idempotency_key)),
    )


def residual_basis(facts: IncidentFacts) -> Basis:
    pairs = residuals(facts)
    return Basis(
        question="residual effects of sagas in the window",
        parameters=window(facts),
        data=[
            [
                flow_id,
                effect.step,
                effect.callee,
                effect.resource,
                money(effect.amount),
                effect.currency,
                effect.external_ref,
                effect.idempotency_key,
            ]
            for flow_id, effect in pairs
        ],
        examples=[effect.evidence for _, effect in pairs],
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
