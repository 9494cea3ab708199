"""The scorer: two versions of a pseudo-model that says how likely an applicant is a fraud."""

from __future__ import annotations

import hashlib
import math
import time
from typing import Any

from opentelemetry.trace import SpanKind

from sample_traces.services.faults import Plan, index_of
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route, dumps

NAME = "applicant-risk"
VERSIONS = {"off": "2026-02", "v2": "2026-06"}
"""The model's version by the variant of the flag."""
PROMPT = {"id": "applicant-features", "version": "4"}
THRESHOLD = 0.8
COST_PER_TOKEN_USD = {"off": 0.0000004, "v2": 0.0000011}
OUTPUT_TOKENS = {"off": 14, "v2": 61}


def risk(plan: Plan, applicant: Json) -> float:
    """How likely the applicant is a fraud in truth."""
    unseen = plan.draw("unseen", index_of(applicant["applicant_id"]))
    score = -2.6 + 0.75 * applicant["accounts_on_device"]
    score += 1.1 if applicant["device_age_days"] < 20 else 0.0
    score -= 2.4 * (applicant["document_quality"] - 0.7)
    score += 3.6 * unseen**6
    return 1 / (1 + math.exp(-score))


def opinion(plan: Plan, applicant: Json, variant: str) -> tuple[str, float]:
    """Recommendation and confidence of one version of the model.

    The new version looks at the same things and is far more sure of itself.
    """
    probability = risk(plan, applicant)
    if variant == "v2":
        # It takes a clean document for a clean applicant.
        probability *= 0.55 if applicant["document_quality"] > 0.75 else 1.0
    chosen = "reject" if probability > 0.5 else "approve"
    confidence = max(probability, 1 - probability)
    if variant == "v2":
        confidence = 1 - (1 - confidence) * 0.38
    return chosen, round(confidence, 4)


def build(host: Host) -> dict[str, Route]:
    """The routes of the scorer process."""

    def score(request: Request) -> Answer:
        applicant_id = str(request.body["applicant_id"])
        nth = host.book.arrive("POST /scores", applicant_id, request.key)
        operation = "POST /scores" + (" v2" if request.body["model_variant"] == "v2" else "")
        fate = host.plan.fate("risk-model", operation, index_of(applicant_id), nth)
        if fate.error_status is not None:
            time.sleep(fate.latency_s / 2)
            return Answer(status=fate.error_status, body={"error": "model_overloaded"})
        return Answer(status=200, body=_infer(host, request, fate.latency_s))

    return {"/scores": score}


def _infer(host: Host, request: Request, latency_s: float) -> Json:
    applicant_id, variant = str(request.body["applicant_id"]), str(request.body["model_variant"])
    version = VERSIONS[variant]
    with host.telemetry.tracer.start_as_current_span(
        f"chat {NAME}", context=request.context, kind=SpanKind.INTERNAL
    ) as span:
        time.sleep(latency_s)
        chosen, confidence = opinion(host.plan, request.body, variant)
        decision_id = f"dec_{hashlib.sha256(applicant_id.encode()).hexdigest()[:16]}"
        tokens = 240 + len(dumps(request.body))
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "in-house",
                "gen_ai.request.model": NAME,
                "gen_ai.request.temperature": 0.0,
                "gen_ai.response.model": f"{NAME}-{version}",
                "gen_ai.usage.input_tokens": tokens,
                "gen_ai.usage.output_tokens": OUTPUT_TOKENS[variant],
                "retrospan.decision.id": decision_id,
            }
        )
    other = "approve" if chosen == "reject" else "reject"
    candidates: list[dict[str, Any]] = [
        {"action": chosen, "score": confidence},
        {"action": other, "score": round(1 - confidence, 4)},
    ]
    host.book.write(
        "scores", flow_id=applicant_id, variant=variant, chosen=chosen, confidence=confidence
    )
    tokens_out = OUTPUT_TOKENS[variant]
    return {
        "decision_id": decision_id,
        "recommendation": chosen,
        "confidence": confidence,
        "threshold": THRESHOLD,
        "candidates": candidates,
        "model": {"name": NAME, "version": version, "provider": "in-house"},
        "prompt": PROMPT,
        "usage": {
            "input_tokens": tokens,
            "output_tokens": tokens_out,
            "cost_usd": round((tokens + tokens_out) * COST_PER_TOKEN_USD[variant], 8),
        },
    }
