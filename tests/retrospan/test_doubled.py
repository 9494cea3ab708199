"""Whether a what-if run does once what was done twice."""

import pytest

from retrospan.report.doubled import does_once
from store.conclusions import ReplayResult

CHARGES = frozenset({"gateway-eu POST /charges", "gateway-us POST /charges"})


def run_of(*calls: tuple[str, str]) -> ReplayResult:
    """A what-if run with these calls: operation, status."""
    return ReplayResult(
        flow_id="order-1",
        mode="trace",
        verdict="diverged",
        digest="d",
        outcome="succeeded",
        virtual_duration_ns=1,
        virtual_low_ns=1,
        virtual_high_ns=1,
        program_digest="p",
        program_flows=100,
        leave_one_out=True,
        flags=(),
        divergences=(),
        answers={},
        events=[{"event": "call", "op": op, "status": status} for op, status in calls],
    )


EU, US, OTHER = "gateway-eu POST /charges", "gateway-us POST /charges", "ledger POST /postings"


@pytest.mark.parametrize(
    ("calls", "once"),
    [
        (((EU, "ok"), (OTHER, "ok")), True),
        (((EU, "503"), (EU, "ok")), True),
        (((EU, "timeout"), (EU, "ok")), False),
        (((EU, "ok"), (US, "ok")), False),
        (((EU, "503"), (OTHER, "ok")), False),
    ],
)
def test_only_one_answered_success_without_a_timeout_counts_as_done_once(
    calls: tuple[tuple[str, str], ...], once: bool
) -> None:
    assert does_once(run_of(*calls), [CHARGES]) is once


def test_every_thing_that_was_doubled_has_to_be_done_once() -> None:
    run = run_of((EU, "ok"), (OTHER, "ok"), (OTHER, "ok"))
    assert does_once(run, [CHARGES])
    assert not does_once(run, [CHARGES, frozenset({OTHER})])
