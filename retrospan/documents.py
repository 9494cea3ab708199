"""Records turned into the documents of the command contract.

Every function here is pure; `docs/contract/` holds the JSON Schema of each document.
"""

from collections.abc import Sequence

from retrospan.canonical import money
from retrospan.timespan import rfc3339
from store.conclusions import (
    Evidence,
    Finding,
    Flow,
    Incident,
    ReplayResult,
    ResidualEffect,
    SagaVerdict,
    Step,
)
from store.model import Decision, JsonValue

Document = dict[str, JsonValue]

DECISION_FIELDS = (
    "schema",
    "decision_id",
    "time",
    "seq",
    "prev_sha256",
    "trace_id",
    "span_id",
    "flow_id",
    "actor",
    "model",
    "prompt",
    "input",
    "input_sha256",
    "candidates",
    "chosen",
    "confidence",
    "threshold",
    "policy",
    "feature_flags",
    "human_review",
    "action",
    "outcome",
    "usage",
    "latency_ms",
)
ANSWER_RUNGS = (
    "explicit",
    "exact",
    "denoised",
    "bound",
    "structural",
    "donor",
    "missing",
    "ambiguous",
)


def evidence_document(evidence: Evidence) -> Document:
    return {
        "kind": evidence.kind,
        "trace_id": evidence.trace_id,
        "span_id": evidence.span_id,
        "decision_id": evidence.decision_id,
        "sha256": evidence.sha256,
    }


def duration_of(flow: Flow) -> int | None:
    """Nanoseconds from start to end; None while the end was not recorded."""
    return None if flow.end_ns is None else flow.end_ns - flow.start_ns


def flow_row(flow: Flow) -> Document:
    """The fields `flows list` shows of one flow."""
    return {
        "flow_id": flow.flow_id,
        "name": flow.name,
        "outcome": flow.outcome.value,
        "start_ns": flow.start_ns,
        "end_ns": flow.end_ns,
        "duration_ns": duration_of(flow),
        "trace_ids": list(flow.trace_ids),
        "span_count": flow.span_count,
        "step_count": len(flow.steps),
        "attempt_count": flow.attempt_count,
        "decision_count": len(flow.decision_ids),
        "compensation_count": flow.compensation_count,
        "architecture": flow.architecture,
        "variant": flow.variant,
        "replayability": flow.replayability,
        "complete": flow.complete,
        "sampling": flow.sampling,
        "sampling_weight": None if flow.sampling_weight is None else str(flow.sampling_weight),
    }


def flows_document(flows: Sequence[Flow]) -> Document:
    return {"schema": "retrospan.flows/1", "flows": [flow_row(flow) for flow in flows]}


def flow_document(flow: Flow) -> Document:
    return {
        "schema": "retrospan.flow/1",
        **flow_row(flow),
        "steps": [_step_row(step) for step in flow.steps],
        "critical_path": [
            {"span_id": segment.span_id, "self_ns": segment.self_ns}
            for segment in flow.critical_path
        ],
    }


def _step_row(step: Step) -> Document:
    return {
        "step_id": step.step_id,
        "key": step.key,
        "name": step.name,
        "kind": step.kind,
        "service": step.service,
        "role": step.role,
        "role_grade": step.role_grade,
        "outcome": step.outcome.value,
        "start_ns": step.start_ns,
        "end_ns": step.end_ns,
        "attempts": [
            {
                "trace_id": attempt.trace_id,
                "span_id": attempt.span_id,
                "start_ns": attempt.start_ns,
                "end_ns": attempt.end_ns,
                "outcome": attempt.outcome.value,
                "error": attempt.error,
            }
            for attempt in step.attempts
        ],
        "compensates": step.compensates,
    }


def residual_row(effect: ResidualEffect) -> Document:
    return {
        "step": effect.step,
        "callee": effect.callee,
        "resource": effect.resource,
        "amount": money(effect.amount),
        "currency": effect.currency,
        "external_ref": effect.external_ref,
        "idempotency_key": effect.idempotency_key,
    }


def saga_row(saga: SagaVerdict) -> Document:
    return {
        "flow_id": saga.flow_id,
        "saga_id": saga.saga_id,
        "name": saga.name,
        "verdict": saga.verdict.value,
        "checks": [
            {
                "check": check.check,
                "verdict": check.verdict.value,
                "message": check.message,
                "evidence": [evidence_document(entry) for entry in check.evidence],
                "missing": list(check.missing),
            }
            for check in saga.checks
        ],
        "residual_effects": [residual_row(effect) for effect in saga.residual_effects],
    }


def sagas_document(sagas: Sequence[SagaVerdict]) -> Document:
    return {"schema": "retrospan.sagas/1", "sagas": [saga_row(saga) for saga in sagas]}


def finding_row(finding: Finding) -> Document:
    return {
        "finding_id": finding.finding_id,
        "detector": finding.detector,
        "scope": finding.scope,
        "severity": finding.severity,
        "verdict": finding.verdict.value,
        "flow_id": finding.flow_id,
        "message": finding.message,
        "remedy": finding.remedy,
        "evidence": [evidence_document(entry) for entry in finding.evidence],
    }


def findings_document(findings: Sequence[Finding]) -> Document:
    return {
        "schema": "retrospan.findings/1",
        "findings": [finding_row(finding) for finding in findings],
    }


def decision_row(decision: Decision) -> Document:
    """The decision in the log's own fields; what the typed columns know fills the gaps."""
    known: Document = {
        "trace_id": decision.trace_id,
        "span_id": decision.span_id,
        "flow_id": decision.flow_id,
        "seq": decision.seq,
        "confidence": decision.confidence,
        "threshold": decision.threshold,
        "model": _present(name=decision.model_name, version=decision.model_version),
        "policy": _present(
            id=decision.policy_id,
            version=decision.policy_version,
            outcome=decision.policy_outcome,
        ),
        "action": _present(step_key=decision.action_step_key),
    }
    row: Document = {field: value for field, value in known.items() if value not in (None, {})}
    row.update({key: decision.record[key] for key in DECISION_FIELDS if key in decision.record})
    row.update(
        schema="retrospan.decision/1",
        decision_id=decision.decision_id,
        time=rfc3339(decision.time_ns),
        chosen=decision.chosen,
    )
    return row


def _present(**fields: JsonValue) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def decisions_document(decisions: Sequence[Decision]) -> Document:
    return {
        "schema": "retrospan.decisions/1",
        "decisions": [decision_row(decision) for decision in decisions],
    }


def incident_row(incident: Incident) -> Document:
    return {
        "incident_id": incident.incident_id,
        "start_ns": incident.start_ns,
        "detected_ns": incident.detected_ns,
        "mitigated_ns": incident.mitigated_ns,
        "recovered_ns": incident.recovered_ns,
        "flow_count": len(incident.flow_ids),
        "services": list(incident.services),
        "candidates": [],
    }


def replay_row(result: ReplayResult) -> Document:
    control: Document | None = None
    if result.control_verdict is not None:
        control = {"verdict": result.control_verdict, "digest": result.control_digest}
    return {
        "flow_id": result.flow_id,
        "mode": result.mode,
        "verdict": result.verdict,
        "temporal_verdict": None,
        "digest": result.digest,
        "control": control,
        "program": {
            "digest": result.program_digest,
            "flows": result.program_flows,
            "leave_one_out": result.leave_one_out,
        },
        "outcome": result.outcome,
        "virtual_duration_ns": result.virtual_duration_ns,
        "virtual_low_ns": result.virtual_low_ns,
        "virtual_high_ns": result.virtual_high_ns,
        "scenario": result.scenario,
        "claim": result.claim,
        "reason": result.reason,
        "flags": list(result.flags),
        "divergences": [
            {
                "kind": divergence.kind,
                "step_id": divergence.step_id,
                "recorded": divergence.recorded,
                "replayed": divergence.replayed,
                "path": divergence.path,
                "source": divergence.source,
                "line": divergence.line,
            }
            for divergence in result.divergences
        ],
        "answers": {rung: result.answers.get(rung, 0) for rung in ANSWER_RUNGS},
    }


def replays_document(results: Sequence[ReplayResult]) -> Document:
    return {"schema": "retrospan.replay/1", "replays": [replay_row(result) for result in results]}
