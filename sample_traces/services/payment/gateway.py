"""A payment gateway: charges, refunds, and the resolution of an uncertain charge.

It honours idempotency keys. A request whose client gave up is worked on to its end.
"""

from __future__ import annotations

import hashlib
import time

from sample_traces.services.faults import index_of
from sample_traces.services.once import Execution, Once
from sample_traces.services.process import Host
from sample_traces.services.web import Answer, Request, Route

SLOW_S = 0.3


class Gateway:
    """One region's gateway."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._charges = Once()
        self._refunds = Once()
        self._region = host.identity.name.rsplit("-", 1)[-1]

    def routes(self) -> dict[str, Route]:
        """The gateway's HTTP interface."""
        return {
            "/charges": self.charge,
            "/charges/resolve": self.resolve,
            "/refunds": self.refund,
        }

    def charge(self, request: Request) -> Answer:
        """Charge a card: 201, or 402 when the issuer declines."""
        key, order_id = request.key or "", str(request.body["order_id"])
        nth = self._host.book.arrive("POST /charges", order_id, key)

        def work(execution: Execution) -> Answer:
            failure = self._process("POST /charges", request, nth)
            if failure is not None:
                return failure
            return self._charges.commit(execution, lambda: self._charge(request, key))

        return self._charges.run(key, work)

    def resolve(self, request: Request) -> Answer:
        """Settle what became of a key: it took effect, was declined, or never will."""
        key, order_id = str(request.body["idempotency_key"]), str(request.body["order_id"])
        nth = self._host.book.arrive("POST /charges/resolve", order_id, key)
        failure = self._process("POST /charges/resolve", request, nth)
        if failure is not None:
            return failure
        known = self._charges.resolve(key)
        if known is None:
            self._host.book.write("cancelled", order_id=order_id, key=key)
            return Answer(status=200, body={"status": "cancelled"})
        return Answer(status=200, body=known.body)

    def refund(self, request: Request) -> Answer:
        """Credit a card; a refund without a charge id is taken as a free credit."""
        key, order_id = request.key or "", str(request.body["order_id"])
        nth = self._host.book.arrive("POST /refunds", order_id, key)

        def work(execution: Execution) -> Answer:
            failure = self._process("POST /refunds", request, nth)
            if failure is not None:
                return failure
            return self._refunds.commit(execution, lambda: self._refund(request, key))

        return self._refunds.run(key, work)

    def _process(self, operation: str, request: Request, nth: int) -> Answer | None:
        """Spend the time the plan says; a failure is an answer without effect."""
        host = self._host
        fate = host.plan.fate(
            host.identity.name, operation, index_of(request.body["order_id"]), nth
        )
        time.sleep(fate.latency_s)
        if fate.latency_s > SLOW_S:
            host.telemetry.log(
                "WARN",
                f"acquirer answered after {fate.latency_s * 1000:.0f} ms",
                {"acquirer.latency_ms": round(fate.latency_s * 1000, 1)},
                context=request.context,
            )
        if fate.error_status is not None:
            host.telemetry.log(
                "ERROR", f"{operation}: acquirer connection lost", {}, context=request.context
            )
            return Answer(status=fate.error_status, body={"error": "acquirer_unavailable"})
        return None

    def _charge(self, request: Request, key: str) -> Answer:
        body, plan = request.body, self._host.plan
        order_id = str(body["order_id"])
        if plan.draw("decline", index_of(order_id)) < plan.shares["decline"]:
            self._host.book.write("declines", order_id=order_id, key=key)
            return Answer(status=402, body={"status": "declined", "reason": "insufficient_funds"})
        charge_id = self._reference("ch", key)
        self._host.book.write(
            "charges", order_id=order_id, key=key, charge_id=charge_id, amount=body["amount"]
        )
        return Answer(
            status=201,
            body={"status": "succeeded", "charge_id": charge_id, "amount": body["amount"]},
            effect=_effect(request, charge_id),
        )

    def _refund(self, request: Request, key: str) -> Answer:
        body = request.body
        refund_id = self._reference("re", key)
        self._host.book.write(
            "refunds",
            order_id=body["order_id"],
            key=key,
            refund_id=refund_id,
            charge_id=body.get("charge_id"),
            amount=body["amount"],
        )
        return Answer(
            status=201,
            body={"status": "refunded", "refund_id": refund_id, "amount": body["amount"]},
            effect=_effect(request, refund_id),
        )

    def _reference(self, prefix: str, key: str) -> str:
        digest = hashlib.sha256(f"{self._region}/{key}".encode()).hexdigest()[:12]
        return f"{prefix}_{self._region}_{digest}"


def _effect(request: Request, reference: str) -> dict[str, str]:
    return {
        "retrospan.saga.external_ref": reference,
        "retrospan.saga.resource": f"{request.body['order_id']}/charge",
        "retrospan.saga.amount": str(request.body["amount"]),
        "retrospan.saga.currency": str(request.body["currency"]),
    }


def build(host: Host) -> dict[str, Route]:
    """The routes of a gateway process."""
    return Gateway(host).routes()
