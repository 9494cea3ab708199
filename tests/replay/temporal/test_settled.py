"""What is left of a recorded answer under other timeouts and retries, without Temporal."""

from typing import Any

import pytest

from replay.temporal.commands import command_of
from replay.temporal.recording import Call
from replay.temporal.settled import MAXIMUM_ATTEMPTS_REACHED, settled
from tests.replay.temporal.histories_told import RETRY, SECOND_NS, activity, answered, recording


def call(**answer: Any) -> Call:
    whole = {**answered(9, SECOND_NS), **answer}
    told = recording([activity("charge", 3, {"amount": 1})], {5: whole})
    return told.calls[0]


def asked(attempts: int = 3, **fields: Any) -> Any:
    retry = {**RETRY, "maximum_attempts": attempts}
    return command_of(activity("charge", 3, {"amount": 1}, retry=retry, **fields))


def test_the_same_settings_leave_an_answer_as_it_was() -> None:
    found, why = settled(call(attempt=2), asked(), 0)
    assert why == ""
    assert found is not None
    assert (found.event, found.task, found.latency_ns, found.ok) == (8, 9, SECOND_NS, True)


@pytest.mark.parametrize(
    ("answer", "command", "why"),
    [
        ({"attempt": 3, "last_failure": [{}]}, asked(1), "how attempt 1 failed is not in the"),
        ({"attempt": 3, "how": "failed", "retry_state": MAXIMUM_ATTEMPTS_REACHED}, asked(5),
         "attempt 4 was never made"),
        ({"attempt": 3, "how": "failed", "retry_state": MAXIMUM_ATTEMPTS_REACHED}, asked(0),
         "attempt 4 was never made"),
        ({"how": "timed_out"}, asked(start_to_close_timeout_ns=9 * SECOND_NS),
         "after its timeout is not known"),
        ({"how": "timed_out"}, asked(start_to_close_timeout_ns=0),
         "after its timeout is not known"),
        ({}, asked(start_to_close_timeout_ns=1), "the next was never made"),
        ({"how": "timed_out"}, asked(schedule_to_close_timeout_ns=9 * SECOND_NS),
         "after its timeout is not known"),
    ],
)  # fmt: skip
def test_what_no_history_proves_has_no_answer(
    answer: dict[str, Any], command: Any, why: str
) -> None:
    found, told = settled(call(**answer), command, 0)
    assert found is None
    assert why in told


def test_fewer_attempts_end_earlier_with_the_failure_before() -> None:
    found, _ = settled(call(attempt=2, last_failure=[{}]), asked(1), 0)
    assert found is not None
    # It ends where the wait of a second before the attempt that succeeded began: at once.
    assert (found.ok, found.event, found.latency_ns) == (False, 7, 0)
    slower, _ = settled(
        call(attempt=2, last_failure=[{}], at_ns=4 * SECOND_NS, began_ns=3 * SECOND_NS,
             ended_ns=4 * SECOND_NS),
        asked(1), 0,
    )  # fmt: skip
    assert slower is not None
    assert slower.latency_ns == 2 * SECOND_NS


def test_a_failure_of_its_own_is_not_retried_longer() -> None:
    found, _ = settled(call(attempt=1, how="failed", retry_state=2), asked(9), 0)
    assert found is not None
    assert found.event == 8


def test_a_shorter_timeout_cuts_what_took_longer_and_nothing_else() -> None:
    short, _ = settled(call(), asked(1, start_to_close_timeout_ns=SECOND_NS // 100), 0)
    assert short is not None
    assert (short.ok, short.error, short.event) == (False, "timeout", 0)
    assert short.latency_ns == SECOND_NS - SECOND_NS // 10 + SECOND_NS // 100
    enough, _ = settled(call(), asked(start_to_close_timeout_ns=SECOND_NS), 0)
    assert enough is not None
    assert (enough.ok, enough.latency_ns) == (True, SECOND_NS)
    earlier, _ = settled(call(how="timed_out"), asked(start_to_close_timeout_ns=4_500_000_000), 0)
    assert earlier is not None
    assert earlier.latency_ns == SECOND_NS // 2


def test_a_deadline_over_all_attempts_is_kept() -> None:
    found, _ = settled(call(), asked(schedule_to_close_timeout_ns=SECOND_NS // 2), 0)
    assert found is not None
    assert (found.error, found.latency_ns) == ("timeout", SECOND_NS // 2)


def test_what_was_not_answered_or_was_cancelled_is_not_an_answer() -> None:
    (alone,) = recording([activity("charge", 3, {})], {}).calls
    found, _ = settled(alone, asked(), 0)
    assert found is not None
    assert found.open
    held, _ = settled(call(how="canceled"), asked(), 0)
    assert held is not None
    assert held.held
