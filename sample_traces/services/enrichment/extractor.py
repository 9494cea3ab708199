"""Has a model say of which sector a company is; what is not sure goes to people."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from sample_traces.services.calls import Caller, Operation, Result
from sample_traces.services.decisions import Action, Decided, decision_record
from sample_traces.services.enrichment.language_model import NAME
from sample_traces.services.enrichment.messages import Delivery, RetryError, consume, send
from sample_traces.services.gate import judge
from sample_traces.services.policy import Verdict, load_policy
from sample_traces.services.process import Host
from sample_traces.services.web import Json, Route

TEMPERATURES = {"3.0.0": 0.0, "3.1.0": 0.9}
"""By release."""
PROMPT = {"id": "sector-of-text", "version": "5"}
THRESHOLD = 0.5
WORKERS = 3


def chat(temperature: float) -> Operation:
    """The call of the model."""

    def told(answer: Json) -> dict[str, str | int | float]:
        return {
            "gen_ai.response.model": f"{NAME}-{answer['model']['version']}",
            "gen_ai.usage.input_tokens": answer["usage"]["input_tokens"],
            "gen_ai.usage.output_tokens": answer["usage"]["output_tokens"],
        }

    return Operation(
        callee="language-model",
        path="/chat/completions",
        timeout_ms=4000,
        max_attempts=2,
        kind="decision",
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "in-house",
            "gen_ai.request.model": NAME,
            "gen_ai.request.temperature": temperature,
        },
        told=told,
    )


class Extractor:
    """One release with its temperature."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._caller = Caller(host, {})
        self._temperature = TEMPERATURES[host.identity.version]
        self._policy = load_policy("enrichment", "q1")

    def handle(self, delivery: Delivery) -> None:
        """Classify one company."""
        body = delivery.body
        prompt = body["description"].strip()
        request = {"text": prompt, "temperature": self._temperature, "user": delivery.flow_id}
        result = self._caller.call(
            delivery.flow, chat(self._temperature), delivery.flow_id, request
        )
        if not result.ok:
            raise RetryError(f"the model answered {result.error}")
        answer = self._decision(delivery, result)
        verdict = judge(self._host, self._policy, delivery.flow, answer)
        extracted = {**body, "sector": answer["recommendation"]}
        topic = "company.extracted" if verdict.outcome == "allow" else "company.to-curate"
        decided_at = datetime.now(UTC)
        send(self._host, topic, delivery.flow_id, extracted, delivery.context)
        decided = self._decided(delivery, result, answer, verdict, extracted, decided_at)
        self._host.book.write("decisions", record=decision_record(decided))

    def _decision(self, delivery: Delivery, result: Result) -> Json:
        named = f"{delivery.id}/{delivery.nth}"
        scores = {one["action"]: one["score"] for one in result.body["candidates"]}
        sector = str(result.body["sector"])
        return {
            "decision_id": f"dec_{hashlib.sha256(named.encode()).hexdigest()[:16]}",
            "recommendation": sector,
            "confidence": scores[sector],
            "threshold": THRESHOLD,
            "candidates": result.body["candidates"],
            "model": result.body["model"],
            "prompt": PROMPT,
            "usage": result.body["usage"],
        }

    def _decided(
        self,
        delivery: Delivery,
        result: Result,
        answer: Json,
        verdict: Verdict,
        extracted: Json,
        decided_at: datetime,
    ) -> Decided:
        acted = verdict.outcome == "allow"
        return Decided(
            flow_id=delivery.flow_id,
            trace_id=delivery.flow.trace_id,
            span_id=result.span_id,
            agent="sector-extractor",
            service=self._host.identity.name,
            time=decided_at,
            input={"text": delivery.body["description"]},
            answer=answer,
            latency_ms=(result.ended_ns - result.started_ns) / 1e6,
            policy=self._policy,
            verdict=verdict,
            action=Action(step_key=delivery.flow_id, body=extracted) if acted else None,
            parameters={"temperature": self._temperature},
        )


def build(host: Host) -> dict[str, Route]:
    """The service has no routes; it works on `company.looked-up`."""
    consume(host, ["company.looked-up"], Extractor(host).handle, WORKERS)
    return {}
