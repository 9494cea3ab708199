"""The real payment orchestrator in code mode: as it was, fixed, and changed on purpose."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache

import pytest

from replay.code.engine import Subject, replay_code
from replay.code.settings import Code
from replay.scenario import Scenario
from store.conclusions import ReplayResult
from tests.replay.code.payments import ROOT, payments
from tests.replay.code.recorded import PROGRAMS

ENTRY = "sample_traces.services.payment.replayed"
FLOWS, AT_ONCE, REACHED = 180, 75, 50
# What the first divergence must be at: any of these operations, or the end of the flow.
LEDGER = ("ledger POST /postings",)
CHARGE = ("gateway-eu POST /charges", "gateway-us POST /charges")
UNDO = ("inventory POST /releases", "gateway-eu POST /refunds", "gateway-us POST /refunds")
SCORE = ("fraud-scorer POST /scores", "inventory POST /reservations")
END = ("end",)
MUTANTS = {
    "value_changed": LEDGER,
    "field_added": ("order-validation POST /validations",),
    "field_removed": LEDGER,
    "call_removed": ("notification POST /messages",),
    "call_inserted": ("notification POST /messages",),
    "call_repeated": ("order-validation POST /validations",),
    "timer_shortened": LEDGER,
    "timer_lengthened": LEDGER,
    "timeout_shortened": CHARGE,
    # Where a breaker refused the attempt, the next call over the wire shows it first.
    "attempts_reduced": (*CHARGE, "gateway-eu POST /charges/resolve"),
    "backoff_changed": CHARGE,
    "key_changed": CHARGE,
    "serialised": SCORE,
    "parallelised": SCORE,
    "exception_raised": (*LEDGER, *UNDO, *CHARGE, "gateway-eu POST /charges/resolve", "end"),
    "result_changed": END,
    "undone_in_another_order": UNDO,
    "undoing_forgotten": UNDO,
}


def replayed(
    subjects: Sequence[Subject], name: str, scenario: Scenario | None = None
) -> list[ReplayResult]:
    code = Code(
        name=name, python=sys.executable, path=(str(ROOT), str(PROGRAMS)),
        environment=dict(os.environ),
    )  # fmt: skip
    return list(replay_code(subjects, code, scenario=scenario))


@cache
def busy() -> tuple[Subject, ...]:
    """Payments with the most attempts and undoing, so that every change is reached."""

    def weight(it: Subject) -> tuple[int, int]:
        undone = sum(step.kind == "compensation" for step in it.flow.steps)
        charged = sum(
            len(step.attempts) for step in it.flow.steps if step.operation == "POST /charges"
        )
        return (min(undone, 2) + min(charged, 4), it.flow.start_ns)

    return tuple(sorted(payments(), key=weight, reverse=True)[:FLOWS])


def test_the_code_as_it_was_does_what_was_recorded_on_every_flow() -> None:
    results = replayed(payments(), f"{ENTRY}:recorded")
    assert Counter(it.verdict for it in results) == {"identical": 600}
    # The recorded process stood still now and then: that is told, and held against nobody.
    held_up = [flag for it in results for flag in it.flags if flag.startswith("held up")]
    assert any("the recorded code had asked for no wait" in it for it in held_up)
    assert any("beyond the limit of gateway-eu POST /charges" in it for it in held_up)


def test_with_a_stable_key_no_order_is_charged_twice_where_keys_are_honoured() -> None:
    charged = [it for it in payments() if charges(it) > 1]
    assert len(charged) >= 10
    for subject, result in zip(charged, replayed(charged, f"{ENTRY}:stable_key"), strict=True):
        assert result.verdict == "diverged"
        assert f"gateway-eu POST /charges: {charges(subject)} recorded, 1 now" in result.reason
        assert "if it honours keys (observed)" in result.reason
        assert result.divergences[0].path == "header.idempotency-key"


def charges(subject: Subject) -> int:
    """How many keys of an order gateway-eu says it charged."""
    return len(
        {
            attempt.idempotency_key
            for step in subject.flow.steps
            if (step.callee, step.operation) == ("gateway-eu", "POST /charges")
            for attempt in step.attempts
            if attempt.took_effect
        }
    )


def place(subject: Subject, result: ReplayResult) -> str:
    """The operation of the first divergence that is one."""
    steps = {it.step_id: f"{it.callee} {it.operation}" for it in subject.flow.steps}
    first = result.divergences[0]
    if first.kind == "extra_call":
        assert isinstance(first.replayed, dict)
        return str(first.replayed["op"])
    return steps.get(first.step_id, first.step_id)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_change_of_the_code_is_found_at_its_place(name: str) -> None:
    reached: list[tuple[Subject, ReplayResult]] = []
    for start in range(0, FLOWS, AT_ONCE):
        some = busy()[start : start + AT_ONCE]
        results = replayed(some, f"mutants:{name}")
        reached += [
            (subject, result)
            for subject, result in zip(some, results, strict=True)
            if any(flag.startswith("mutant reached") for flag in result.flags)
        ]
        if len(reached) >= REACHED:
            break
    assert len(reached) >= REACHED
    found = [it for it in reached if it[1].verdict == "diverged"]
    placed = [it for it in found if place(*it) in MUTANTS[name]]
    told = Counter(place(*it) for it in found)
    assert len(found) >= 0.99 * len(reached), (len(found), len(reached))
    assert len(placed) >= 0.98 * len(found), told
