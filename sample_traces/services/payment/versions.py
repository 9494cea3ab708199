"""What each release of the orchestrator does differently."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The decisions of a release's authors that matter for money and stock."""

    charge_key_per_attempt: bool = False
    """A new Idempotency-Key for every attempt of a charge."""
    resolves_uncertain_charge: bool = True
    """Asks the gateway to settle a timed-out charge before charging elsewhere."""
    refund_key_renewed_after_timeout: bool = False
    refund_attempts_max: int = 6
    refund_registered_before_charge: bool = False
    """Registers the refund before the charge is known; only a clean first decline drops it."""
    releases_before_refund_after_failover: bool = False
    stops_at_failed_compensation: bool = False


_SOUND = Behaviour()

BEHAVIOURS = {
    "2.3.0": _SOUND,
    "2.4.0": Behaviour(
        charge_key_per_attempt=True,
        resolves_uncertain_charge=False,
        refund_key_renewed_after_timeout=True,
        refund_attempts_max=3,
        refund_registered_before_charge=True,
        releases_before_refund_after_failover=True,
        stops_at_failed_compensation=True,
    ),
    "2.4.1": _SOUND,
}
