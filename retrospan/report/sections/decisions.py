"""Which decisions took part, under which policy and model."""

from collections import Counter
from decimal import Decimal, InvalidOperation

from retrospan.report import bases
from retrospan.report.facts import IncidentFacts
from retrospan.report.model import Basis, Block, EvidenceLog, Section, Table
from retrospan.report.numbers import of, plural
from store.conclusions import Evidence as Pointer
from store.model import Decision

ROWS_MAX = 20


def section(facts: IncidentFacts, log: EvidenceLog) -> Section:
    decisions = facts.decisions_inside
    basis = _basis(facts, decisions)
    if not decisions:
        blocks: list[Block] = [
            log.say(
                basis,
                "No recorded decision belongs to a flow of this window: either none was taken or "
                "none was logged; the data does not tell which.",
            )
        ]
        return Section(key="decisions", title="Decisions involved", blocks=blocks)
    touched = sum(bool(flow.decision_ids) for flow in facts.affected_inside)
    blocks = [
        log.say(
            basis,
            "{count} took part; {flows} affected flows carry at least one.",
            count=plural(len(decisions), "decision"),
            flows=of(touched, len(facts.affected_inside)),
        ),
        *_confidence(decisions, basis, log),
        _choices(facts, decisions, basis, log),
    ]
    return Section(key="decisions", title="Decisions involved", blocks=blocks)


def _basis(facts: IncidentFacts, decisions: list[Decision]) -> Basis:
    return Basis(
        question="decisions of the window's flows",
        parameters=bases.window(facts),
        data=[
            [
                decision.decision_id,
                decision.time_ns,
                decision.chosen,
                decision.confidence,
                decision.threshold,
                decision.model_name,
                decision.model_version,
                decision.policy_id,
                decision.policy_version,
                decision.policy_outcome,
            ]
            for decision in decisions
        ],
        examples=[
            Pointer(
                kind="decision",
                decision_id=decision.decision_id,
                trace_id=decision.trace_id,
                span_id=decision.span_id,
            )
            for decision in decisions
        ],
    )


def _confidence(decisions: list[Decision], basis: Basis, log: EvidenceLog) -> list[Block]:
    compared = [pair for decision in decisions if (pair := _pair(decision)) is not None]
    if not compared:
        return [log.say(basis, "Confidence against threshold: no data (no decision has both).")]
    below = sum(confidence < threshold for confidence, threshold in compared)
    return [
        log.say(
            basis,
            "Confidence lay below the recorded threshold in {below} decisions that recorded both; "
            "{silent} of {all} recorded only one of them or neither.",
            below=of(below, len(compared)),
            silent=len(decisions) - len(compared),
            all=len(decisions),
        )
    ]


def _pair(decision: Decision) -> tuple[Decimal, Decimal] | None:
    if decision.confidence is None or decision.threshold is None:
        return None
    try:
        confidence, threshold = Decimal(decision.confidence), Decimal(decision.threshold)
    except InvalidOperation:
        return None
    return (confidence, threshold) if confidence.is_finite() and threshold.is_finite() else None


def _choices(
    facts: IncidentFacts, decisions: list[Decision], basis: Basis, log: EvidenceLog
) -> Table:
    affected_decisions = {
        decision_id for flow in facts.affected_inside for decision_id in flow.decision_ids
    }
    kinds = {decision.decision_id: _kind(decision) for decision in decisions}
    total = Counter(kinds.values())
    hit = Counter(
        kinds[decision.decision_id]
        for decision in decisions
        if decision.decision_id in affected_decisions
        or decision.flow_id in facts.affected & facts.inside_ids
    )
    ordered = sorted(total, key=lambda kind: (-hit[kind], -total[kind], kind))
    rows = [[*kind, total[kind], hit[kind]] for kind in ordered]
    return log.table(
        basis,
        "Choices by model, policy and gate",
        ["chosen", "model", "policy", "gate", "decisions (n)", "in affected flows (n)"],
        rows,
        rows_max=ROWS_MAX,
        more="retrospan decisions list --json",
    )


def _kind(decision: Decision) -> tuple[str, str, str, str]:
    return (
        decision.chosen,
        _versioned(decision.model_name, decision.model_version),
        _versioned(decision.policy_id, decision.policy_version),
        decision.policy_outcome or "not recorded",
    )


def _versioned(name: str | None, version: str | None) -> str:
    if name is None:
        return "not recorded"
    return f"{name} {version}" if version else name
