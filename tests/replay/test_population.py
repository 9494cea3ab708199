"""Load feeds back: queues, retries and breakers over all flows at once, from known beginnings.

Cannot prove that real callees queue so; the calibration error beside each result says how far off
the model is for what was recorded.
"""

from dataclasses import replace

import pytest

from replay.population import simulate
from replay.recording import RecordedAttempt, RecordedStep, Recording, recording_of
from replay.scenario import Change, Scenario
from replay.settings import ReplaySettings
from store.conclusions import Flow
from store.errors import DataError
from tests.replay.worlds import MS

OP = "stock POST /holds"


def call(*answers: tuple[int, str], timeout_ms: int = 100, attempts_max: int = 3) -> Recording:
    """A flow with one call at its start; answers as (milliseconds, status), 10 ms apart."""
    attempts = []
    now = 0
    for number, (took, status) in enumerate(answers):
        end = now + took * MS
        attempts.append(
            RecordedAttempt(
                span_id=str(number), start_ns=now, end_ns=end, status=status, timeout_ms=timeout_ms
            )
        )
        now = end + 10 * MS
    step = RecordedStep(
        step_id="s", op=OP, key="k", kind="call", local=False, attempts=attempts,
        max_attempts=attempts_max,
    )  # fmt: skip
    return Recording(
        flow_id="f", name="n", version="1", service="s", outcome="succeeded", duration_ns=now,
        input={}, output={}, steps=(step,),
    )  # fmt: skip


def arrivals(count: int, apart_ms: int, took_ms: int) -> list[tuple[int, Recording]]:
    return [(number * apart_ms * MS, call((took_ms, "ok"))) for number in range(count)]


def test_the_recorded_load_simulated_is_the_recording() -> None:
    made = simulate(arrivals(50, 5, 20), Change(operation=OP))
    assert made.simulated == made.recorded
    assert made.changed == made.recorded
    assert set(made.calibration_ppm().values()) == {0}
    assert made.rules.capacity == 4


def test_calls_that_a_breaker_refused_are_simulated_as_made_and_the_error_says_so() -> None:
    refused = replace(
        call((20, "breaker_open")).steps[0].attempts[0], breaker_state="open", end_ns=0
    )
    one = arrivals(10, 5, 20)
    step = replace(one[0][1].steps[0], attempts=(refused,))
    made = simulate([*one, (1, replace(one[0][1], steps=(step,)))], Change(operation=OP))
    assert (made.recorded.refused, made.simulated.refused) == (1, 0)
    assert made.calibration_ppm()["refused"] == -1_000_000
    assert made.calibration_ppm()["attempts"] > 0


def test_a_callee_that_serves_one_at_a_time_makes_calls_wait_their_turn() -> None:
    """Five calls at once of 20 ms each: they end after 20, 40, 60, 80 and 100 ms."""
    made = simulate(arrivals(5, 0, 20), Change(operation=OP, capacity=1, timeout_ms=1_000))
    assert made.changed.latency_median_ns == 60 * MS
    assert made.changed.peak == 5
    assert made.changed.failed_calls == 0


def test_too_little_capacity_with_retries_is_a_storm_and_without_is_none() -> None:
    flows = arrivals(200, 10, 20)
    storm = simulate(flows, Change(operation=OP, capacity=1, max_attempts=5)).changed
    calm = simulate(flows, Change(operation=OP, capacity=1, max_attempts=1)).changed
    assert storm.attempts > 4 * calm.attempts
    assert storm.peak > 3 * calm.peak
    assert calm.attempts == 200


def test_a_breaker_takes_load_away() -> None:
    flows = arrivals(200, 10, 20)
    without = simulate(flows, Change(operation=OP, capacity=1)).changed
    held = simulate(
        flows, Change(operation=OP, capacity=1, breaker_failures=5, breaker_open_ms=500)
    ).changed
    assert held.refused > 0
    assert held.attempts < without.attempts
    assert held.peak < without.peak


def test_a_shorter_timeout_turns_slow_answers_into_timeouts() -> None:
    made = simulate(arrivals(20, 50, 40), Change(operation=OP, timeout_ms=30))
    assert made.simulated.timeouts == 0
    assert made.changed.timeouts == made.changed.attempts == 60
    assert made.changed.failed_calls == 20


def test_an_answer_that_was_never_retried_is_not_retried() -> None:
    flows = [(number * 50 * MS, call((20, "409"))) for number in range(10)]
    made = simulate(flows, Change(operation=OP, max_attempts=9))
    assert made.changed.attempts == made.recorded.attempts == 10
    assert made.changed.failed_calls == 10


def test_more_attempts_meet_the_answers_of_that_time() -> None:
    failing = [
        (number * 50 * MS, call((20, "503"), (20, "503"), attempts_max=2)) for number in range(5)
    ]
    fine = [(300 * MS + number * 50 * MS, call((20, "ok"), attempts_max=2)) for number in range(9)]
    made = simulate([*failing, *fine], Change(operation=OP, max_attempts=9))
    assert made.recorded.failed_calls == 5
    assert made.changed.failed_calls == 0


def test_the_order_of_flows_does_not_matter() -> None:
    flows = [(start, replace(r, flow_id=str(start))) for start, r in arrivals(60, 7, 20)]
    change = Change(operation=OP, capacity=2, timeout_ms=60)
    assert simulate(flows, change) == simulate(flows[::-1], change)


def test_an_operation_nobody_calls_lists_those_that_are_called() -> None:
    with pytest.raises(DataError, match="stock POST /holds"):
        simulate(arrivals(1, 1, 1), Change(operation="nowhere"))


def test_one_flow_alone_claims_nothing_of_capacity_or_breakers(payments: list[Flow]) -> None:
    from replay.engine import Folds, replay_recording

    kind = Folds([recording_of(flow) for flow in payments], ReplaySettings())
    scenario = Scenario(
        name="less", changes=(Change(operation="stock POST /reservations", capacity=1),)
    )
    results = [replay_recording(recording_of(f), kind, scenario=scenario) for f in payments[:20]]
    judged = [r for r in results if r.control_verdict == "identical"]
    assert judged
    assert {r.claim for r in judged} == {None}
    assert all("replay population" in r.reason for r in judged)
