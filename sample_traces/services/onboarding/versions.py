"""What each release of the onboarding orchestrator does differently."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The decisions of a release's authors that matter for accounts and for oversight."""

    gate_skipped_from: float | None = None
    """A confidence of the new model from which the gate is not asked at all."""
    gate_awaited_below: float | None = None
    """A confidence of the new model from which the first account is made while the gate thinks."""
    undo_noted_at_first_attempt_only: bool = False
    """Forgets to note how to undo an account that was made by a repeated attempt."""
    identity_undone_first_if_not_awaited: bool = False
    closure_key_renewed_after_timeout: bool = False
    stops_at_failed_compensation: bool = False
    closure_attempts_max: int = 6


_SOUND = Behaviour()

BEHAVIOURS = {
    "3.1.0": _SOUND,
    "3.2.0": Behaviour(
        gate_skipped_from=0.97,
        gate_awaited_below=0.90,
        undo_noted_at_first_attempt_only=True,
        identity_undone_first_if_not_awaited=True,
        closure_key_renewed_after_timeout=True,
        stops_at_failed_compensation=True,
        closure_attempts_max=3,
    ),
    "3.2.1": _SOUND,
}
