"""The decision log: one record per scored payment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import get_current_span

from sample_traces.services.calls import Flow, Result
from sample_traces.services.faults import Plan, order_index
from sample_traces.services.fraud_scorer import risk
from sample_traces.services.policy import Policy, Verdict
from sample_traces.services.web import Json, dumps


def decision_record(flow: Flow, service: str, policy: Policy, decision: Mapping[str, Any]) -> Json:
    """The record of one decision, from its score, its gate and how it ended."""
    score: Result = decision["score"]
    verdict: Verdict = decision["verdict"]
    end, answer, order = decision["end"], score.body, decision["order"]
    trace_id = get_current_span(flow.context).get_span_context().trace_id
    features = ("order_id", "amount", "country", "customer_age_days", "loyalty")
    record: Json = {
        "schema": "retrospan.decision/1",
        "decision_id": answer["decision_id"],
        "time": decision["decided_at"].isoformat().replace("+00:00", "Z"),
        "trace_id": f"{trace_id:032x}",
        "span_id": score.span_id,
        "flow_id": flow.order_id,
        "actor": {"agent": "fraud-scorer", "service": service},
        "model": {**answer["model"], "parameters": {"temperature": 0}},
        "prompt": answer["prompt"],
        "input": {name: order[name] for name in features},
        "candidates": answer["candidates"],
        "chosen": answer["recommendation"],
        "confidence": answer["confidence"],
        "threshold": answer["threshold"],
        "policy": {
            "id": policy.id,
            "version": policy.version,
            "sha256": policy.sha256,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
        },
        "usage": answer["usage"],
        "latency_ms": round((score.ended_ns - score.started_ns) / 1e6, 3),
    }
    review = end.get("review")
    if review is not None:
        record["human_review"] = {
            "by": review["reviewer"],
            "outcome": "approved" if review["approved"] else "refused",
            "time": record["time"],
        }
    if end["executed"]:
        request = dumps(end["request"]).encode()
        record["action"] = {
            "step_key": flow.order_id,
            "request_sha256": hashlib.sha256(request).hexdigest(),
        }
    return record


def chain(
    plan: Plan, records: Iterable[Json], settled: Mapping[str, str], now: datetime
) -> list[str]:
    """The lines of the decision log: in order of time, outcome joined, each tied to the last.

    The issuer's dispute feed says later which completed payments were fraud.
    """
    lines: list[str] = []
    previous = "0" * 64
    for seq, record in enumerate(sorted(records, key=lambda r: (r["time"], r["flow_id"]))):
        line: Json = {**record, "seq": seq, "prev_sha256": previous}
        if settled.get(record["flow_id"]) == "completed":
            line["outcome"] = _dispute(plan, record, now)
        text = json.dumps(line, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text.encode()).hexdigest()
        lines.append(text)
    return lines


def _dispute(plan: Plan, record: Json, now: datetime) -> Json:
    probability = risk(plan, record["input"])
    fraud = plan.draw("dispute", order_index(record["flow_id"])) < 0.8 * probability
    return {
        "label": "fraud" if fraud else "legitimate",
        "value": int(fraud),
        "time": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
