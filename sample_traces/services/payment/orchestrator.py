"""The orchestrator: takes orders, runs the payment flow, keeps a journal of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime
from typing import Any

from opentelemetry.trace import SpanKind
from retrospan_child.recorder import Recorder

from sample_traces.services.breaker import Breaker
from sample_traces.services.calls import Caller, Flow, Result
from sample_traces.services.decisions import Action, Decided, decision_record
from sample_traces.services.faults import index_of
from sample_traces.services.gate import judge
from sample_traces.services.payment.payment import Payment
from sample_traces.services.payment.saga import PaymentCompensator
from sample_traces.services.payment.versions import BEHAVIOURS
from sample_traces.services.policy import Policy, load_policy
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Json, Request, Route, dumps

FEATURES = ("order_id", "amount", "country", "customer_age_days", "loyalty")
HTTP_STATUS = {"completed": 201, "declined": 402, "rejected": 422, "failed": 500}
POOL_THREADS = 48
RECORDER = Recorder()


class Pool(ThreadPoolExecutor):
    """What a flow submits belongs to it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run in the submitter's context."""
        return super().submit(copy_context().run, fn, *args, **kwargs)


class Orchestrator:
    """One release of the orchestrator with its policy."""

    def __init__(self, host: Host, policy: Policy) -> None:
        self._host = host
        self._policy = policy
        self._pool: Executor = Pool(POOL_THREADS)
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
            flow_id=order["order_id"],
            index=index_of(order["order_id"]),
            saga_id=f"payment/{order['order_id']}",
            context=request.context,
        )
        span.update_name("payment")
        version = self._host.identity.version
        span.set_attributes(
            {
                "retrospan.flow.name": "payment",
                "retrospan.flow.id": flow.flow_id,
                "retrospan.flow.version": version,
                "retrospan.flow.input": dumps(order),
            }
        )
        with RECORDER.flow(span):
            output = self._run(flow, order, version)
        span.set_attribute("retrospan.flow.output", dumps(output))
        return Answer(status=HTTP_STATUS[output["status"]], body=output)

    def _run(self, flow: Flow, order: Json, version: str) -> Json:
        behaviour = BEHAVIOURS[version]
        undo = PaymentCompensator(
            caller=self._caller,
            flow=flow,
            behaviour=behaviour,
            stops_at_failure=behaviour.stops_at_failed_compensation,
        )
        decision: dict[str, Any] = {}

        def gate(flow: Flow, score: Result, order: Json) -> str:
            verdict = judge(self._host, self._policy, flow, score.body)
            decision.update(score=score, verdict=verdict, order=order)
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
            order_id=flow.flow_id,
            version=version,
            policy=self._policy.version,
            started_ns=started_ns,
            ended_ns=time.time_ns(),
            output=output,
            steps=payment.steps,
            compensations=undo.journal,
        )
        if decision:
            self._host.book.write("decisions", record=self._record(flow, decision))
        return output

    def _record(self, flow: Flow, decision: dict[str, Any]) -> Json:
        score, order, end = decision["score"], decision["order"], decision["end"]
        return decision_record(
            Decided(
                flow_id=flow.flow_id,
                trace_id=flow.trace_id,
                span_id=score.span_id,
                agent="fraud-scorer",
                service=self._host.identity.name,
                time=decision["decided_at"],
                input={name: order[name] for name in FEATURES},
                answer=score.body,
                latency_ms=(score.ended_ns - score.started_ns) / 1e6,
                policy=self._policy,
                verdict=decision["verdict"],
                review=end.get("review"),
                action=Action(step_key=flow.flow_id, body=end["request"])
                if end["executed"]
                else None,
            )
        )

    def _timer(self, flow: Flow, delay_ms: int) -> None:
        with self._host.telemetry.tracer.start_as_current_span(
            "timer settlement",
            context=flow.context,
            kind=SpanKind.INTERNAL,
            attributes={
                "retrospan.step.key": flow.flow_id,
                "retrospan.step.kind": "timer",
                "retrospan.step.request": dumps({"delay_ms": delay_ms}),
            },
        ):
            time.sleep(delay_ms / 1000)


def build(host: Host) -> dict[str, Route]:
    """The routes of an orchestrator process, which records the waits of its flows."""
    RECORDER.timers()
    return {"/payments": Orchestrator(host, load_policy("payment", host.policy or "v6")).pay}
