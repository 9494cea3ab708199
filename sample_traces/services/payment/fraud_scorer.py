"""An AI scorer: a deterministic pseudo-model that says how likely an order is fraud."""

from __future__ import annotations

import hashlib
import math
import time
from typing import Any

from opentelemetry.trace import SpanKind

from sample_traces.services.faults import Plan, index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route, dumps

MODEL = {"name": "fraud-net", "version": "2026-05", "provider": "in-house"}
PROMPT = {"id": "fraud-features", "version": "7"}
THRESHOLD = 0.8
COST_PER_TOKEN_USD = 0.0000004


def risk(plan: Plan, order: Json) -> float:
    """The model: a logistic score of the order, with a seeded term for what we cannot see."""
    unseen = plan.draw("features", index_of(order["order_id"]))
    score = -3.5 + 0.0018 * float(order["amount"])
    score += 0.9 if order["customer_age_days"] < 30 else 0.0
    score -= 0.5 if order["loyalty"] else 0.0
    score += 4.8 * unseen**5
    return 1 / (1 + math.exp(-score))


def build(host: Host) -> dict[str, Route]:
    """The routes of the scorer process."""

    def score(request: Request) -> Answer:
        order_id = str(request.body["order_id"])
        nth = host.book.arrive("POST /scores", order_id, request.key)
        fate = host.plan.fate("fraud-scorer", "POST /scores", index_of(order_id), nth)
        if fate.error_status is not None:
            time.sleep(fate.latency_s / 2)
            return Answer(status=fate.error_status, body={"error": "model_overloaded"})
        return Answer(status=200, body=_infer(host, request, fate.latency_s))

    return {"/scores": score}


def _infer(host: Host, request: Request, latency_s: float) -> Json:
    order_id = str(request.body["order_id"])
    with host.telemetry.tracer.start_as_current_span(
        f"chat {MODEL['name']}", context=request.context, kind=SpanKind.INTERNAL
    ) as span:
        time.sleep(latency_s)
        reject = risk(host.plan, request.body)
        chosen = "reject" if reject > 0.5 else "approve"
        confidence = round(max(reject, 1 - reject), 4)
        decision_id = f"dec_{hashlib.sha256(order_id.encode()).hexdigest()[:16]}"
        tokens = 180 + len(dumps(request.body))
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": MODEL["provider"],
                "gen_ai.request.model": MODEL["name"],
                "gen_ai.response.model": f"{MODEL['name']}-{MODEL['version']}",
                "gen_ai.usage.input_tokens": tokens,
                "gen_ai.usage.output_tokens": 12,
                "retrospan.decision.id": decision_id,
            }
        )
    candidates: list[dict[str, Any]] = [
        {"action": "approve", "score": round(1 - reject, 4)},
        {"action": "reject", "score": round(reject, 4)},
    ]
    host.book.write("scores", order_id=order_id, chosen=chosen, confidence=confidence)
    return {
        "decision_id": decision_id,
        "recommendation": chosen,
        "confidence": confidence,
        "threshold": THRESHOLD,
        "candidates": candidates,
        "model": MODEL,
        "prompt": PROMPT,
        "usage": {
            "input_tokens": tokens,
            "output_tokens": 12,
            "cost_usd": round((tokens + 12) * COST_PER_TOKEN_USD, 8),
        },
    }
