"""The payment orchestrator as `retrospan replay run --code` runs it: one order in, its end out.

`recorded` is the release that took the order; `stable_key` is that release with one idempotency
key for all attempts of a charge or refund; `fixed` is the release that ended the incident.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import retrospan_child
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN

from sample_traces.services.books import Book
from sample_traces.services.faults import Plan, index_of, load_plan
from sample_traces.services.payment.orchestrator import Orchestrator
from sample_traces.services.payment.system import SYSTEM
from sample_traces.services.payment.versions import BEHAVIOURS
from sample_traces.services.policy import load_policy
from sample_traces.services.process import Host
from sample_traces.services.telemetry import Identity
from sample_traces.services.web import Json, Request

FIXED, FIXED_POLICY = "2.4.1", "v7"
STABLE = "with a stable key"
PORTS = {name: 9_000 + number for number, name in enumerate(sorted(SYSTEM.services))}
PLANS = [load_plan(name) for name in ("payment-brownout", "payment-healthy")]
for _name, _port in PORTS.items():
    retrospan_child.upstream(f"127.0.0.1:{_port}", _name)
BEHAVIOURS.update(
    {
        f"{version} {STABLE}": replace(
            behaviour, charge_key_per_attempt=False, refund_key_renewed_after_timeout=False
        )
        for version, behaviour in BEHAVIOURS.items()
    }
)


class Silent:
    """Telemetry that goes nowhere."""

    def __init__(self) -> None:
        self.tracer = TracerProvider().get_tracer("replay")

    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""


class RecordedBreaker:
    """A breaker's state comes from the calls of all flows, so it is an input of this one."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def admit(self) -> tuple[bool, str]:
        """As the recorded breaker said."""
        state = retrospan_child.breaker_state(self._operation)
        return state != "open", state

    def record(self, ok: bool, admitted_in: str) -> None:
        """What comes of it concerns other flows."""


def recorded(order: Json) -> Json:
    """Run an order by the release that took it."""
    plan = _plan(order)
    release = plan.release("orchestrator", index_of(order["order_id"]))
    return _run(order, plan, release.version, release.policy or "v6")


def stable_key(order: Json) -> Json:
    """Run an order by the release that took it, with one key for all attempts of a charge."""
    plan = _plan(order)
    release = plan.release("orchestrator", index_of(order["order_id"]))
    return _run(order, plan, f"{release.version} {STABLE}", release.policy or "v6")


def fixed(order: Json) -> Json:
    """Run an order by the release that ended the incident."""
    plan = _plan(order)
    release = plan.release("orchestrator", index_of(order["order_id"]))
    return _run(order, plan, FIXED, release.policy or FIXED_POLICY)


def _plan(order: Json) -> Plan:
    prefix = order["order_id"].rpartition("-")[0]
    return next(plan for plan in PLANS if plan.prefix == prefix)


def _run(order: Json, plan: Plan, version: str, policy: str) -> Json:
    host = Host(
        identity=Identity(name="orchestrator", version=version),
        plan=plan,
        book=Book(),
        telemetry=Silent(),  # type: ignore[arg-type]
        ports=PORTS,
        policy=policy,
        run_dir=Path(),
    )
    orchestrator = Orchestrator(host, load_policy("payment", policy))
    breaker: Any = RecordedBreaker("gateway-eu POST /charges")
    orchestrator._caller._breakers["gateway-eu/charges"] = breaker
    request = Request(body=order, key=None, span=INVALID_SPAN, context=Context())
    return orchestrator.pay(request).body
