"""The orchestrator: takes orders, runs the payment flow, keeps a journal of it."""

from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import SpanKind

from sample_traces.services.breaker import Breaker
from sample_traces.services.calls import Caller, Flow, Result
from sample_traces.services.decisions import decision_record
from sample_traces.services.faults import order_index
from sample_traces.services.payment import Payment
from sample_traces.services.policy import Policy, Verdict, load_policy
from sample_traces.services.process import Host, main
from sample_traces.services.saga import Compensator
from sample_traces.services.versions import BEHAVIOURS
from sample_traces.services.web import Answer, Json, Request, Route, dumps

HTTP_STATUS = {"completed": 201, "declined": 402, "rejected": 422, "failed": 500}
POOL_THREADS = 48


class Orchestrator:
    """One release of the orchestrator with its policy."""

    def __init__(self, host: Host, policy: Policy) -> None:
        self._host = host
        self._policy = policy
        self._pool: Executor = ThreadPoolExecutor(POOL_THREADS)
        self._caller = Caller(host, {"gateway-eu/charges": Breaker()})
        host.telemetry.log(
            "INFO",
            f"policy {policy.id} {policy.version} loaded",
            {"policy.id": policy.id, "policy.version": policy.version},
        )

    def pay(self, request: Request) -> Answer:
        """Run one payment flow under the request's SERVER span."""
        order, span = request.body, request.span
        flow = Flow(
            order_id=order["order_id"],
            order=order_index(order["order_id"]),
            saga_id=f"payment/{order['order_id']}",
            context=request.context,
        )
        span.update_name("payment")
        version = self._host.identity.version
        span.set_attributes(
            {
                "retrospan.flow.name": "payment",
                "retrospan.flow.id": flow.order_id,
                "retrospan.flow.version": version,
                "retrospan.flow.input": dumps(order),
            }
        )
        output = self._run(flow, order, version)
        span.set_attribute("retrospan.flow.output", dumps(output))
        return Answer(status=HTTP_STATUS[output["status"]], body=output)

    def _run(self, flow: Flow, order: Json, version: str) -> Json:
        behaviour = BEHAVIOURS[version]
        undo = Compensator(caller=self._caller, flow=flow, behaviour=behaviour)
        decision: dict[str, Any] = {}

        def gate(flow: Flow, score: Result, order: Json) -> str:
            verdict, span_id = self._gate(flow, score)
            decision.update(score=score, verdict=verdict, gate_span_id=span_id, order=order)
            return verdict.outcome

        payment = Payment(
            caller=self._caller,
            flow=flow,
            behaviour=behaviour,
            order=order,
            pool=self._pool,
            gate=gate,
            timer=self._timer,
            decided=lambda end: decision.update(end=end, decided_at=datetime.now(UTC)),
            undo=undo,
        )
        started_ns = time.time_ns()
        output = payment.run()
        self._host.book.write(
            "flows",
            order_id=flow.order_id,
            version=version,
            policy=self._policy.version,
            started_ns=started_ns,
            ended_ns=time.time_ns(),
            output=output,
            steps=payment.steps,
            compensations=undo.journal,
        )
        if decision:
            record = decision_record(flow, self._host.identity.name, self._policy, decision)
            self._host.book.write("decisions", record=record)
        return output

    def _gate(self, flow: Flow, score: Result) -> tuple[Verdict, str]:
        body, policy = score.body, self._policy
        with self._host.telemetry.tracer.start_as_current_span(
            f"policy {policy.id}", context=flow.context, kind=SpanKind.INTERNAL
        ) as span:
            verdict = policy.judge(body["recommendation"], body["confidence"])
            span.set_attributes(
                {
                    "retrospan.step.key": flow.order_id,
                    "retrospan.step.kind": "gate",
                    "retrospan.decision.id": body["decision_id"],
                    "retrospan.decision.confidence": body["confidence"],
                    "retrospan.decision.threshold": body["threshold"],
                    "retrospan.decision.candidates": dumps(body["candidates"]),
                    "retrospan.decision.chosen": body["recommendation"],
                    "retrospan.decision.policy.id": policy.id,
                    "retrospan.decision.policy.version": policy.version,
                    "retrospan.decision.policy.sha256": policy.sha256,
                    "retrospan.decision.gate.outcome": verdict.outcome,
                }
            )
            return verdict, f"{span.get_span_context().span_id:016x}"

    def _timer(self, flow: Flow, delay_ms: int) -> None:
        with self._host.telemetry.tracer.start_as_current_span(
            "timer settlement",
            context=flow.context,
            kind=SpanKind.INTERNAL,
            attributes={
                "retrospan.step.key": flow.order_id,
                "retrospan.step.kind": "timer",
                "retrospan.step.request": dumps({"delay_ms": delay_ms}),
            },
        ):
            time.sleep(delay_ms / 1000)


def build(host: Host) -> dict[str, Route]:
    """The routes of an orchestrator process."""
    return {"/payments": Orchestrator(host, load_policy(host.policy or "v6")).pay}


if __name__ == "__main__":
    main(build)
