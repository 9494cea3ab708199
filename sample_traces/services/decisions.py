"""The decision log: one record per decision of a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sample_traces.services.policy import Policy, Verdict
from sample_traces.services.web import Json, dumps


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What was done on a decision: the step's key and the body it sent."""

    step_key: str
    body: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the service that acts knows of one decision.

    `answer` is the model's: decision_id, recommendation, confidence, threshold, candidates, model,
    prompt, usage. Without `policy` no gate was asked.
    """

    flow_id: str
    trace_id: str
    span_id: str
    agent: str
    service: str
    time: datetime
    input: Json
    answer: Json
    latency_ms: float
    policy: Policy | None = None
    verdict: Verdict | None = None
    review: Json | None = None
    action: Action | None = None
    parameters: Mapping[str, float | int] = field(default_factory=lambda: {"temperature": 0})
    feature_flags: Mapping[str, str] = field(default_factory=dict)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decision_record(decided: Decided) -> Json:
    """The record of one decision, from its score, its gate and how it ended."""
    answer = decided.answer
    record: Json = {
        "schema": "retrospan.decision/1",
        "decision_id": answer["decision_id"],
        "time": timestamp(decided.time),
        "trace_id": decided.trace_id,
        "span_id": decided.span_id,
        "flow_id": decided.flow_id,
        "actor": {"agent": decided.agent, "service": decided.service},
        "model": {**answer["model"], "parameters": dict(decided.parameters)},
        "prompt": answer["prompt"],
        "input": decided.input,
        "candidates": answer["candidates"],
        "chosen": answer["recommendation"],
        "confidence": answer["confidence"],
        "threshold": answer["threshold"],
        "usage": answer["usage"],
        "latency_ms": round(decided.latency_ms, 3),
    }
    policy, verdict = decided.policy, decided.verdict
    if policy is not None and verdict is not None:
        record["policy"] = {
            "id": policy.id,
            "version": policy.version,
            "sha256": policy.sha256,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
        }
    if decided.feature_flags:
        record["feature_flags"] = dict(decided.feature_flags)
    if decided.review is not None:
        record["human_review"] = human_review(decided.review, record["time"])
    if decided.action is not None:
        record["action"] = action(decided.action)
    return record


def human_review(review: Json, otherwise: str) -> Json:
    """Who looked at a decision, when, and what they said."""
    return {
        "by": review["reviewer"],
        "outcome": "approved" if review["approved"] else "refused",
        "time": review.get("time", otherwise),
    }


def action(done: Action) -> Json:
    """The step a decision led to."""
    digest = hashlib.sha256(dumps(done.body).encode()).hexdigest()
    return {"step_key": done.step_key, "request_sha256": digest}


def chain(records: Iterable[Json], outcome: Callable[[Json], Json | None]) -> list[str]:
    """The lines of the decision log: in order of time, outcome joined, each tied to the last."""
    lines: list[str] = []
    previous = "0" * 64
    for seq, record in enumerate(sorted(records, key=lambda r: (r["time"], r["flow_id"]))):
        line: Json = {**record, "seq": seq, "prev_sha256": previous}
        later = outcome(record)
        if later is not None:
            line["outcome"] = later
        text = json.dumps(line, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        lines.append(text)
    return lines
