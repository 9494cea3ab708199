"""Verdicts, findings, replays and incidents as rows, and back."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import pyarrow as pa

from store.conclusions import (
    CheckResult,
    Divergence,
    Evidence,
    Finding,
    Incident,
    ReplayResult,
    ResidualEffect,
    SagaVerdict,
    Verdict,
)
from store.flow_rows import decimal_of, decimal_text
from store.rows import Row
from store.values import from_json, to_json

_TEXT, _INT, _BOOL, _TEXTS = pa.string(), pa.int64(), pa.bool_(), pa.list_(pa.string())

SAGA_SCHEMA = pa.schema(
    dict.fromkeys(("flow_id", "saga_id", "name", "verdict", "checks", "residuals"), _TEXT)
)
_FINDING_FIELDS = (
    "finding_id",
    "detector",
    "scope",
    "severity",
    "flow_id",
    "message",
    "remedy",
)
FINDING_SCHEMA = pa.schema(dict.fromkeys((*_FINDING_FIELDS, "verdict", "evidence", "facts"), _TEXT))
_REPLAY_FIELDS = {
    "flow_id": _TEXT,
    "mode": _TEXT,
    "scenario": _TEXT,
    "verdict": _TEXT,
    "digest": _TEXT,
    "outcome": _TEXT,
    "virtual_duration_ns": _INT,
    "virtual_low_ns": _INT,
    "virtual_high_ns": _INT,
    "program_digest": _TEXT,
    "program_flows": _INT,
    "leave_one_out": _BOOL,
    "claim": _TEXT,
    "control_verdict": _TEXT,
    "control_digest": _TEXT,
    "reason": _TEXT,
}
REPLAY_SCHEMA = pa.schema(
    {**_REPLAY_FIELDS, "flags": _TEXTS, "divergences": _TEXT, "answers": _TEXT, "events": _TEXT}
)
_INCIDENT_FIELDS = {
    "incident_id": _TEXT,
    "start_ns": _INT,
    "end_ns": _INT,
    "declared_by": _TEXT,
    "title": _TEXT,
    "detected_ns": _INT,
    "mitigated_ns": _INT,
    "recovered_ns": _INT,
}
INCIDENT_SCHEMA = pa.schema({**_INCIDENT_FIELDS, "flow_ids": _TEXTS, "services": _TEXTS})
FINDING_IDS = pa.schema({"finding_id": _TEXT})

_finding_fields = attrgetter(*_FINDING_FIELDS)
_replay_fields = attrgetter(*_REPLAY_FIELDS)
_incident_fields = attrgetter(*_INCIDENT_FIELDS)


def saga_row(saga: SagaVerdict) -> Row:
    """One row of `SAGA_SCHEMA`."""
    checks = [
        {**_shallow(check), "evidence": _plain(check.evidence), "missing": list(check.missing)}
        for check in saga.checks
    ]
    residuals = [
        {
            **_shallow(effect),
            "amount": decimal_text(effect.amount),
            "evidence": _shallow(effect.evidence),
        }
        for effect in saga.residual_effects
    ]
    return (
        saga.flow_id,
        saga.saga_id,
        saga.name,
        saga.verdict,
        to_json(checks),
        to_json(residuals),
    )


def saga_of(row: Sequence[Any]) -> SagaVerdict:
    """The verdict of a row of `read/sagas`."""
    flow_id, saga_id, name, verdict, checks, residuals = row
    return SagaVerdict(
        flow_id=flow_id,
        saga_id=saga_id,
        name=name,
        verdict=Verdict(verdict),
        checks=tuple(_check_of(check) for check in from_json(checks)),
        residual_effects=tuple(_residual_of(effect) for effect in from_json(residuals)),
    )


def _check_of(value: dict[str, Any]) -> CheckResult:
    return CheckResult(
        check=value["check"],
        verdict=Verdict(value["verdict"]),
        message=value["message"],
        evidence=_evidence_of(value["evidence"]),
        missing=tuple(value["missing"]),
    )


def _residual_of(value: dict[str, Any]) -> ResidualEffect:
    return ResidualEffect(
        **{
            **value,
            "amount": decimal_of(value["amount"]),
            "evidence": Evidence(**value["evidence"]),
        }
    )


def finding_row(finding: Finding) -> Row:
    """One row of `FINDING_SCHEMA`."""
    return (
        *_finding_fields(finding),
        finding.verdict,
        to_json(_plain(finding.evidence)),
        to_json(finding.facts),
    )


def finding_of(row: Sequence[Any]) -> Finding:
    """The finding of a row of `read/findings`."""
    *fields, verdict, evidence, facts = row
    return Finding(
        **dict(zip(_FINDING_FIELDS, fields, strict=True)),
        verdict=Verdict(verdict),
        evidence=_evidence_of(from_json(evidence)),
        facts=from_json(facts),
    )


def replay_row(result: ReplayResult) -> Row:
    """One row of `REPLAY_SCHEMA`."""
    return (
        *_replay_fields(result),
        result.flags,
        to_json([_shallow(divergence) for divergence in result.divergences]),
        to_json(result.answers),
        to_json(result.events),
    )


def replay_of(row: Sequence[Any]) -> ReplayResult:
    """The result of a row of `read/replays`."""
    *fields, flags, divergences, answers, events = row
    named: dict[str, Any] = dict(zip(_REPLAY_FIELDS, fields, strict=True))
    return ReplayResult(
        **named,
        flags=tuple(flags),
        divergences=tuple(Divergence(**value) for value in from_json(divergences)),
        answers=from_json(answers),
        events=tuple(from_json(events)),
    )


def incident_row(incident: Incident) -> Row:
    """One row of `INCIDENT_SCHEMA`."""
    return (*_incident_fields(incident), incident.flow_ids, incident.services)


def incident_of(row: Sequence[Any]) -> Incident:
    """The incident of a row of `read/incidents`."""
    *fields, flow_ids, services = row
    named: dict[str, Any] = dict(zip(_INCIDENT_FIELDS, fields, strict=True))
    return Incident(**named, flow_ids=tuple(flow_ids), services=tuple(services))


def _plain(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    return [_shallow(item) for item in evidence]


def _shallow(record: CheckResult | Divergence | Evidence | ResidualEffect) -> dict[str, Any]:
    """The fields of a record as they are; `dataclasses.asdict` would copy every value in depth."""
    return {entry.name: getattr(record, entry.name) for entry in fields(record)}


def _evidence_of(values: Sequence[dict[str, Any]]) -> tuple[Evidence, ...]:
    return tuple(Evidence(**value) for value in values)
