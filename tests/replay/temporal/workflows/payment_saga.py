"""A payment as a Temporal workflow: reserve, score, perhaps ask a human, charge, ship; undo.

It forgets to give the stock back where a human refuses: what a saga's verdict is to find.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opentelemetry import trace
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=20), maximum_attempts=3)


@dataclass
class Order:
    """What to pay, and which service is to fail."""

    order_id: str
    amount: int
    fail_at: str = ""
    flaky: int = 0
    patience: int = 60


def _told(role: str, **more: str) -> None:
    span = trace.get_current_span()
    span.set_attribute("retrospan.saga.role", role)
    for name, value in more.items():
        span.set_attribute(f"retrospan.saga.{name}", value)


def _fails(order: Order, at: str, kind: str) -> None:
    if order.fail_at == at:
        raise ApplicationError(f"{at} failed", type=kind, non_retryable=True)


@activity.defn
async def reserve_stock(order: Order) -> str:
    _told("compensatable", external_ref=f"reservation-{order.order_id}")
    if activity.info().attempt <= order.flaky:
        raise ApplicationError("inventory is away", type="Unavailable")
    return f"reservation-{order.order_id}"


@activity.defn
async def score_risk(order: Order) -> dict[str, Any]:
    _told("read")
    sure = order.amount < 500
    return {"decision": "approve" if sure else "review", "confidence": 0.91 if sure else 0.55}


@activity.defn
async def charge_card(order: Order) -> dict[str, Any]:
    _told("compensatable", external_ref=f"charge-{order.order_id}")
    _fails(order, "charge", "CardDeclined")
    return {"charge_id": f"charge-{order.order_id}", "amount": order.amount}


@activity.defn
async def ship(order: Order) -> str:
    _told("pivot", external_ref=f"parcel-{order.order_id}")
    _fails(order, "ship", "CarrierRefused")
    _fails(order, "refund", "CarrierRefused")
    return f"parcel-{order.order_id}"


@activity.defn
async def notify(order: Order, text: str) -> str:
    _told("retriable")
    return text


@activity.defn
async def release_stock(reservation: str, order: Order) -> str:
    _told("compensation", compensates="reserve_stock")
    return f"released {reservation}"


@activity.defn
async def refund(charge_id: str, order: Order) -> str:
    _told("compensation", compensates="charge_card")
    _fails(order, "refund", "LedgerAway")
    return f"refunded {charge_id}"


ACTIVITIES = [reserve_stock, score_risk, charge_card, ship, notify, release_stock, refund]


async def _do(what: Any, *args: Any, seconds: int = 5) -> Any:
    return await workflow.execute_activity(
        what,
        args=args,
        start_to_close_timeout=timedelta(seconds=seconds),
        retry_policy=RETRY,
    )


@workflow.defn(name="Receipt")
class Receipt:
    """Writes a receipt; a child of the payment."""

    @workflow.run
    async def run(self, order: Order) -> str:
        await _do(notify, order, "receipt")
        return f"receipt-{order.order_id}"


@workflow.defn(name="PaymentSaga")
class PaymentSaga:
    """Pays an order, or undoes what it did."""

    def __init__(self) -> None:
        self.answer = ""

    @workflow.signal
    def decide(self, answer: str) -> None:
        """A human's word on a payment that waits for it."""
        self.answer = answer

    @workflow.run
    async def run(self, order: Order) -> dict[str, Any]:
        undo: list[tuple[Any, str]] = []
        key = str(workflow.uuid4())
        try:
            reservation = await _do(reserve_stock, order)
            undo.append((release_stock, reservation))
            risk = await _do(score_risk, order)
            if risk["confidence"] < 0.6:
                await self._ask(order)
            charge = await _do(charge_card, order)
            undo.append((refund, charge["charge_id"]))
            await workflow.sleep(0.1)
            parcel = await _do(ship, order)
            await asyncio.gather(_do(notify, order, "shipped"), _do(notify, order, "billed"))
            receipt = await workflow.execute_child_workflow(
                Receipt.run, order, id=f"{workflow.info().workflow_id}-receipt"
            )
            return {"status": "done", "parcel": parcel, "receipt": receipt, "key": key}
        except ActivityError as error:
            await self._undo(order, undo)
            raise ApplicationError(f"compensated: {error.cause}", type="SagaFailed") from error
        except asyncio.CancelledError:
            await asyncio.shield(self._undo(order, undo))
            raise

    async def _ask(self, order: Order) -> None:
        await _do(notify, order, "please decide")
        try:
            await workflow.wait_condition(
                lambda: bool(self.answer), timeout=timedelta(seconds=order.patience)
            )
        except TimeoutError:
            self.answer = "nobody answered"
        if self.answer != "approve":
            raise ApplicationError(f"not approved: {self.answer}", type="NotApproved")

    async def _undo(self, order: Order, undo: list[tuple[Any, str]]) -> None:
        for what, about in reversed(undo):
            await _do(what, about, order)
