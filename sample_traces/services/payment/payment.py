"""The payment flow: one order from validation to notification, or back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from sample_traces.services.calls import Caller, Flow, Operation, Result, Saga
from sample_traces.services.payment import operations as ops
from sample_traces.services.payment.saga import PaymentCompensator
from sample_traces.services.payment.versions import Behaviour
from sample_traces.services.saga import Undo
from sample_traces.services.web import Json


class AbortError(Exception):
    """The payment cannot go on; what was done has to be undone."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Payment:
    """One run of the flow."""

    caller: Caller
    flow: Flow
    behaviour: Behaviour
    order: Json
    pool: Executor
    gate: Callable[[Flow, Result, Json], str]
    """Applies the policy to the scorer's answer and says allow, deny or escalate."""
    timer: Callable[[Flow, int], None]
    decided: Callable[[Json], None]
    """Told how the decision ended: the review, if any, and the action taken."""
    undo: PaymentCompensator
    steps: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> Json:
        """Run to the end; the answer is the flow's output."""
        try:
            return self._forward()
        except AbortError as abort:
            undone = self.undo.run()
            output = {"order_id": self.flow.flow_id, "status": abort.status}
            return {**output, "reason": abort.reason, "undone": undone}

    def _forward(self) -> Json:
        self._validate()
        self._clear_with_risk(self._reserve_and_score())
        gateway, charge = self._charge()
        self.timer(self.flow, ops.TIMER_MS)
        posting = self._call(
            ops.POST_LEDGER,
            {**self._money(), "charge_id": charge["charge_id"]},
            self._saga("ledger-post", "pivot", "posting"),
        )
        if not posting.ok:
            raise AbortError("failed", "ledger_unavailable")
        notified = self._call(
            ops.NOTIFY,
            {"order_id": self.flow.flow_id, "template": "payment_completed"},
            Saga(step="notify", role="retriable"),
        )
        return {
            "order_id": self.flow.flow_id,
            "status": "completed",
            "gateway": gateway,
            "charge_id": charge["charge_id"],
            "notified": notified.ok,
        }

    def _validate(self) -> None:
        items = self.order["items"]
        result = self._call(ops.VALIDATE, {"order_id": self.flow.flow_id, "items": items})
        if not result.ok:
            raise AbortError("failed", "validation_unavailable")
        if not result.body["valid"]:
            raise AbortError("rejected", "invalid_order")

    def _reserve_and_score(self) -> Result:
        """Stock and score in parallel; all of them end before anything is decided."""
        reservations = [self.pool.submit(self._reserve, item) for item in self.order["items"]]
        features = ("order_id", "amount", "country", "customer_age_days", "loyalty")
        request = {name: self.order[name] for name in features}
        scoring = self.pool.submit(self._call, ops.SCORE, request)
        results = [reservation.result() for reservation in reservations]
        score = scoring.result()
        if any(result.status == 409 for result in results):
            raise AbortError("rejected", "out_of_stock")
        if not all(result.ok for result in results):
            raise AbortError("failed", "inventory_unavailable")
        if not score.ok:
            raise AbortError("failed", "scorer_unavailable")
        return score

    def _reserve(self, item: Json) -> Result:
        sku, order_id = item["sku"], self.flow.flow_id
        stock = Saga(step="reserve-stock", role="compensatable", resource=f"stock:{sku}")
        request = {"order_id": order_id, "sku": sku, "quantity": item["quantity"]}
        result = self._call(ops.RESERVE, request, stock, key=sku)
        if result.ok:
            reservation_id = result.body["reservation_id"]
            self.undo.undos.append(
                Undo(
                    operation=ops.RELEASE,
                    key=reservation_id,
                    body={**request, "reservation_id": reservation_id},
                    saga=Saga(
                        step="release-stock",
                        role="compensation",
                        resource=stock.resource,
                        compensates=result.span_id,
                    ),
                    completed_ns=result.ended_ns,
                )
            )
        return result

    def _clear_with_risk(self, score: Result) -> None:
        outcome = self.gate(self.flow, score, self.order)
        if outcome == "deny":
            self.decided({"executed": False})
            raise AbortError("rejected", "fraud_suspected")
        review: Json | None = None
        if outcome == "escalate":
            request = {
                "order_id": self.flow.flow_id,
                "recommendation": score.body["recommendation"],
                "confidence": score.body["confidence"],
            }
            result = self._call(ops.REVIEW, request)
            if not result.ok:
                self.decided({"executed": False})
                raise AbortError("failed", "review_unavailable")
            review = result.body
        executed = review is None or bool(review["approved"])
        self.decided({"executed": executed, "review": review, "request": self._charge_body()})
        if not executed:
            raise AbortError("rejected", "review_refused")

    def _charge(self) -> tuple[str, Json]:
        """Charge at gateway-eu, else at gateway-us; the answer is the gateway and its answer."""
        first = self._charge_at("gateway-eu", clean=True)
        if first.ok:
            return "gateway-eu", first.body
        if first.timeouts and self.behaviour.resolves_uncertain_charge:
            settled = self._resolve()
            if settled is not None:
                return "gateway-eu", settled
        second = self._charge_at("gateway-us", clean=False)
        if second.ok:
            return "gateway-us", second.body
        raise AbortError("failed", "gateways_unavailable")

    def _charge_at(self, gateway: str, *, clean: bool) -> Result:
        operation, step = ops.charge_at(gateway), gateway.replace("gateway", "charge")
        base = f"{self.flow.flow_id}:{step}"
        per_attempt = self.behaviour.charge_key_per_attempt
        result = self.caller.call(
            self.flow,
            operation,
            self.flow.flow_id,
            self._charge_body(),
            key_rule=lambda attempt, _: f"{base}:{attempt}" if per_attempt else base,
            saga=self._saga(step, "compensatable", "charge"),
        )
        self._note(step, operation, result, self.flow.flow_id)
        clean_decline = clean and result.status == 402 and result.attempts == 1
        if result.ok:
            self._register_refund(gateway, result, result.body["charge_id"])
        elif self.behaviour.refund_registered_before_charge and not clean_decline:
            self._register_refund(gateway, result, None)
        if result.status == 402:
            raise AbortError("declined", "card_declined")
        return result

    def _resolve(self) -> Json | None:
        """Settle a timed-out charge; the answer is the charge if it took effect after all."""
        key = f"{self.flow.flow_id}:charge-eu"
        request = {"order_id": self.flow.flow_id, "idempotency_key": key}
        result = self._call(ops.RESOLVE_EU, request)
        if not result.ok:
            raise AbortError("failed", "charge_unresolved")
        if result.body["status"] == "succeeded":
            self._note("charge-eu", ops.RESOLVE_EU, result, self.flow.flow_id)
            self._register_refund("gateway-eu", result, result.body["charge_id"])
            return result.body
        if result.body["status"] == "declined":
            raise AbortError("declined", "card_declined")
        return None

    def _register_refund(self, gateway: str, charge: Result, charge_id: str | None) -> None:
        saga = self._saga("refund", "compensation", "charge", compensates=charge.span_id)
        self.undo.refund = Undo(
            operation=ops.refund_at(gateway, self.behaviour.refund_attempts_max),
            key=charge_id or self.flow.flow_id,
            body={**self._money(), "charge_id": charge_id, "reason": "payment_aborted"},
            saga=saga,
            completed_ns=charge.ended_ns,
            key_renewed_after_timeout=self.behaviour.refund_key_renewed_after_timeout,
        )

    def _call(
        self, operation: Operation, body: Json, saga: Saga | None = None, key: str | None = None
    ) -> Result:
        """A call with one stable idempotency key."""
        order_id = self.flow.flow_id
        idempotency = f"{order_id}:{operation.path.strip('/')}" + (f":{key}" if key else "")
        result = self.caller.call(
            self.flow,
            operation,
            key or order_id,
            body,
            key_rule=(lambda _attempt, _timeouts: idempotency) if saga else None,
            saga=saga,
        )
        if saga is not None:
            self._note(saga.step, operation, result, key or order_id)
        return result

    def _note(self, step: str, operation: Operation, result: Result, key: str) -> None:
        reference = result.body.get(operation.reference) if operation.reference else None
        self.steps.append(
            {
                "step": step,
                "key": key,
                "callee": operation.callee,
                "started_ns": result.started_ns,
                "ended_ns": result.ended_ns,
                "ok": result.ok,
                "ref": reference,
                "at_ns": time.time_ns(),
            }
        )

    def _money(self) -> Json:
        order = self.order
        return {
            "order_id": self.flow.flow_id,
            "amount": order["amount"],
            "currency": order["currency"],
        }

    def _charge_body(self) -> Json:
        return {**self._money(), "payment_method": self.order["payment_method"]}

    def _saga(self, step: str, role: str, what: str, compensates: str | None = None) -> Saga:
        return Saga(
            step=step,
            role=role,
            resource=f"{self.flow.flow_id}/{what}",
            amount=self.order["amount"],
            currency=self.order["currency"],
            compensates=compensates,
        )
