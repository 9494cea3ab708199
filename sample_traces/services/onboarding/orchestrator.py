"""The orchestrator: takes applications, runs the onboarding flow, keeps a journal of it."""

from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor

from sample_traces.services.calls import Caller, Flow
from sample_traces.services.decisions import Decided, decision_record
from sample_traces.services.faults import index_of
from sample_traces.services.flags import evaluate
from sample_traces.services.gate import judge
from sample_traces.services.onboarding.onboarding import Onboarding
from sample_traces.services.onboarding.versions import BEHAVIOURS
from sample_traces.services.policy import Policy, Verdict, load_policy
from sample_traces.services.process import Host
from sample_traces.services.saga import Compensator
from sample_traces.services.web import Answer, Json, Request, Route, dumps

FLAG = "applicant-risk-model"
HTTP_STATUS = {"completed": 201, "rejected": 422, "failed": 500}
POOL_THREADS = 24
GATE_S = (0.015, 0.06)


class Orchestrator:
    """One release of the orchestrator with its policy."""

    def __init__(self, host: Host, policy: Policy) -> None:
        self._host = host
        self._policy = policy
        self._pool: Executor = ThreadPoolExecutor(POOL_THREADS)
        self._caller = Caller(host, {})
        host.telemetry.log(
            "INFO",
            f"policy {policy.id} {policy.version} loaded",
            {"policy.id": policy.id, "policy.version": policy.version},
        )

    def onboard(self, request: Request) -> Answer:
        """Run one onboarding under the request's SERVER span."""
        applicant, span = request.body, request.span
        flow_id = str(applicant["applicant_id"])
        flow = Flow(
            flow_id=flow_id,
            index=index_of(flow_id),
            saga_id=f"onboarding/{flow_id}",
            context=request.context,
        )
        span.update_name("onboarding")
        span.set_attributes(
            {
                "retrospan.flow.name": "onboarding",
                "retrospan.flow.id": flow_id,
                "retrospan.flow.version": self._host.identity.version,
                "retrospan.flow.input": dumps(applicant),
            }
        )
        output = self._run(flow, applicant)
        span.set_attribute("retrospan.flow.output", dumps(output))
        return Answer(status=HTTP_STATUS[output["status"]], body=output)

    def _run(self, flow: Flow, applicant: Json) -> Json:
        version = self._host.identity.version
        behaviour = BEHAVIOURS[version]
        onboarding = Onboarding(
            caller=self._caller,
            flow=flow,
            behaviour=behaviour,
            applicant=applicant,
            pool=self._pool,
            flag=lambda one: evaluate(self._host, FLAG, one.flow_id, one.index, one.context),
            gate=self._gate,
            undo=Compensator(
                caller=self._caller,
                flow=flow,
                stops_at_failure=behaviour.stops_at_failed_compensation,
            ),
        )
        started_ns = time.time_ns()
        output = onboarding.run()
        seen = onboarding.oversight
        self._host.book.write(
            "flows",
            flow_id=flow.flow_id,
            version=version,
            policy=self._policy.version,
            started_ns=started_ns,
            ended_ns=time.time_ns(),
            output=output,
            steps=onboarding.steps,
            compensations=onboarding.undo.journal,
            variants=seen.variants,
            gate=seen.verdict.outcome if seen.verdict else None,
            awaited=seen.awaited,
        )
        if seen.score is not None:
            self._host.book.write("decisions", record=self._record(onboarding))
        return output

    def _gate(self, flow: Flow, answer: Json) -> Verdict:
        draw = self._host.plan.draw
        low, high = GATE_S
        return judge(
            self._host,
            self._policy,
            flow,
            answer,
            spend_s=low + (high - low) * draw("gate", flow.index),
            draw=draw("spot check", flow.index),
        )

    def _record(self, onboarding: Onboarding) -> Json:
        flow, seen, applicant = onboarding.flow, onboarding.oversight, onboarding.applicant
        assert seen.score is not None and seen.decided_at is not None
        acted = seen.action is not None
        return decision_record(
            Decided(
                flow_id=flow.flow_id,
                trace_id=flow.trace_id,
                span_id=seen.score.span_id,
                agent="risk-model",
                service=self._host.identity.name,
                time=seen.decided_at,
                input={name: applicant[name] for name in applicant if name != "channel"},
                answer=seen.score.body,
                latency_ms=(seen.score.ended_ns - seen.score.started_ns) / 1e6,
                policy=self._policy if seen.verdict else None,
                verdict=seen.verdict,
                review=seen.review,
                action=seen.action if acted else None,
                feature_flags={FLAG: seen.variants[0]},
            )
        )


def build(host: Host) -> dict[str, Route]:
    """The routes of an orchestrator process."""
    return {
        "/onboardings": Orchestrator(host, load_policy("onboarding", host.policy or "r3")).onboard
    }
