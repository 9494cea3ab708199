"""The remote operations the onboarding flow uses, with their call settings."""

from __future__ import annotations

from sample_traces.services.calls import Operation

CHECK = Operation(callee="applicant-checks", path="/checks", timeout_ms=500, max_attempts=3)
SCORE = Operation(
    callee="risk-model", path="/scores", timeout_ms=700, max_attempts=3, kind="decision"
)
REVIEW = Operation(callee="review-desk", path="/reviews", timeout_ms=2000, max_attempts=2)
ACTIVATE = Operation(
    callee="identity",
    path="/activations",
    timeout_ms=500,
    max_attempts=4,
    reference="activation_id",
)
WELCOME = Operation(callee="welcome", path="/letters", timeout_ms=400, max_attempts=4)
SYSTEMS = ("identity", "billing", "crm")


def account_at(system: str) -> Operation:
    """A new account in one of the systems."""
    return Operation(
        callee=system,
        path="/accounts",
        timeout_ms=400,
        max_attempts=3,
        backoff_initial_ms=50,
        reference="account_id",
    )


def closure_at(system: str, max_attempts: int) -> Operation:
    """The closing of an account that should not be there."""
    return Operation(
        callee=system,
        path="/closures",
        timeout_ms=300,
        max_attempts=max_attempts,
        backoff_initial_ms=60,
        kind="compensation",
        reference="closure_id",
    )
