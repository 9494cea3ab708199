"""The gate between a model's answer and what is done on it, as a span of its own."""

from __future__ import annotations

import time

from opentelemetry.trace import SpanKind

from sample_traces.services.calls import Flow, record_draw
from sample_traces.services.policy import Policy, Verdict
from sample_traces.services.process import Host
from sample_traces.services.web import Json, dumps


def judge(
    host: Host,
    policy: Policy,
    flow: Flow,
    answer: Json,
    *,
    spend_s: float = 0.0,
    draw: float | None = None,
) -> Verdict:
    """Apply a policy to a model's answer; it takes the time `spend_s`.

    `draw` is the random number that decides on a spot check; it is recorded.
    """
    with host.telemetry.tracer.start_as_current_span(
        f"policy {policy.id}", context=flow.context, kind=SpanKind.INTERNAL
    ) as span:
        time.sleep(spend_s)
        if draw is not None:
            record_draw(host, flow, "spot check", draw, span)
        chance = 1.0 if draw is None else draw
        verdict = policy.judge(answer["recommendation"], answer["confidence"], chance)
        span.set_attributes(
            {
                "retrospan.step.key": flow.flow_id,
                "retrospan.step.kind": "gate",
                "retrospan.decision.id": answer["decision_id"],
                "retrospan.decision.confidence": answer["confidence"],
                "retrospan.decision.threshold": answer["threshold"],
                "retrospan.decision.candidates": dumps(answer["candidates"]),
                "retrospan.decision.chosen": answer["recommendation"],
                "retrospan.decision.policy.id": policy.id,
                "retrospan.decision.policy.version": policy.version,
                "retrospan.decision.policy.sha256": policy.sha256,
                "retrospan.decision.gate.outcome": verdict.outcome,
            }
        )
        return verdict
