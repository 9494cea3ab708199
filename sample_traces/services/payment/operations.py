"""The remote operations the payment flow uses, with their call settings."""

from __future__ import annotations

from sample_traces.services.calls import Operation

VALIDATE = Operation(callee="order-validation", path="/validations", timeout_ms=500, max_attempts=3)
REVIEW = Operation(callee="order-validation", path="/reviews", timeout_ms=800, max_attempts=3)
SCORE = Operation(
    callee="fraud-scorer", path="/scores", timeout_ms=600, max_attempts=3, kind="decision"
)
RESERVE = Operation(
    callee="inventory",
    path="/reservations",
    timeout_ms=500,
    max_attempts=3,
    reference="reservation_id",
)
RELEASE = Operation(
    callee="inventory",
    path="/releases",
    timeout_ms=500,
    max_attempts=4,
    kind="compensation",
    reference="release_id",
)
POST_LEDGER = Operation(
    callee="ledger", path="/postings", timeout_ms=500, max_attempts=3, reference="posting_id"
)
NOTIFY = Operation(callee="notification", path="/messages", timeout_ms=400, max_attempts=3)
RESOLVE_EU = Operation(
    callee="gateway-eu",
    path="/charges/resolve",
    timeout_ms=800,
    max_attempts=4,
    reference="charge_id",
)
TIMER_MS = 40


def charge_at(gateway: str) -> Operation:
    """A charge at one gateway."""
    return Operation(
        callee=gateway,
        path="/charges",
        timeout_ms=300,
        max_attempts=3,
        backoff_initial_ms=80,
        reference="charge_id",
    )


def refund_at(gateway: str, max_attempts: int) -> Operation:
    """A refund at one gateway."""
    return Operation(
        callee=gateway,
        path="/refunds",
        timeout_ms=300,
        max_attempts=max_attempts,
        backoff_initial_ms=80,
        kind="compensation",
        reference="refund_id",
    )
