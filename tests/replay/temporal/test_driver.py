"""What comes when in a run that is driven, without Temporal."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.scenario import parse_scenario
from replay.temporal.alterations import Alterations, with_fields
from replay.temporal.answering import Answers
from replay.temporal.donors import Donors, donors_of
from replay.temporal.driver import Driver, Run
from replay.temporal.driving import driven
from replay.temporal.effects import effects_told
from replay.temporal.recording import Recording
from store.conclusions import ReplayResult
from tests.replay.temporal.histories_told import (
    COMPLETE,
    SECOND_NS,
    Code,
    activity,
    answered,
    playing,
    recording,
    told_of,
)

PAID = recording(
    [activity("charge", 3, {"order": 1}), activity("ship", 9, {"order": 1})],
    {5: answered(9, SECOND_NS), 11: answered(15, 3 * SECOND_NS)},
)


def run(told: Recording, code: Code, scenario: str = "", lenders: tuple[Recording, ...] = (),
        **more: Any) -> Run:  # fmt: skip
    text = f"schema: retrospan.scenario/1\nname: what if\n{scenario}"
    alterations = Alterations(parse_scenario(text) if scenario else None, donors_of(lenders))
    return Driver(told, Answers(told, alterations), **more).go(playing(code))


def script(*steps: list[dict[str, Any]]) -> Code:
    """Code that issues one list of commands an activation."""
    left = list(steps)
    return lambda message: left.pop(0) if left else []


def test_answers_come_when_they_came_and_name_their_rung() -> None:
    found = run(PAID, script([activity("charge", 0, {"order": 1}, 1)],
                             [activity("ship", 0, {"order": 1}, 2)], [COMPLETE]))  # fmt: skip
    assert (found.outcome, found.end_ns, found.missing) == ("succeeded", 3 * SECOND_NS, [])
    assert found.answers.counts() == {"ambiguous": 0, "exact": 2}
    assert [one.at_ns for one in found.issued] == [0, SECOND_NS, 3 * SECOND_NS]
    assert [one.task for one in found.issued] == [3, 9, 15]


def test_calls_made_at_once_are_answered_in_the_order_of_their_latencies() -> None:
    seen: list[int] = []

    def code(message: Mapping[str, Any]) -> list[dict[str, Any]]:
        seen.extend(job["seq"] for job in message["jobs"] if job["job"] == "activity")
        if len(seen) == 2:
            return [COMPLETE]
        first = message["jobs"][0]["job"] == "initialize"
        return [activity("ship", 0, {"order": 1}, 1), activity("charge", 0, {"order": 1}, 2)] * (
            first
        )

    found = run(PAID, code)
    # Shipping took two seconds from where it was asked for, charging one.
    assert (seen, found.end_ns) == ([2, 1], 2 * SECOND_NS)


def test_a_call_that_was_not_recorded_ends_the_run_there() -> None:
    found = run(PAID, script([activity("refund", 0, {"order": 1}, 1)]))
    assert found.missing == ["q refund: nothing recorded answers it"]
    assert found.answers.counts() == {"ambiguous": 0, "missing": 1}


def test_a_call_that_was_never_answered_ends_the_run_when_the_history_does() -> None:
    told = recording([activity("charge", 3, {"order": 1})], {})
    timer = {"kind": "timer", "name": "1", "fields": {"start_to_fire_timeout_ns": SECOND_NS},
             "seq": 1}  # fmt: skip
    found = run(told, script([activity("charge", 0, {"order": 1}, 1), timer], []))
    assert found.missing == ["q charge had not been answered when the history ended"]
    assert found.activations == 2


def test_a_timer_of_another_length_runs_its_own_length() -> None:
    timer = {"kind": "timer", "name": "1", "fields": {"start_to_fire_timeout_ns": 7 * SECOND_NS},
             "seq": 1}  # fmt: skip
    found = run(PAID, script([timer], [COMPLETE]))
    assert (found.outcome, found.end_ns) == ("succeeded", 7 * SECOND_NS)


def test_a_signal_keeps_its_time_or_its_distance_to_what_it_followed() -> None:
    signal = {"kind": "signal", "name": "go", "event": 10, "task": 9, "at_ns": SECOND_NS}
    told = recording(
        [activity("charge", 3, {"order": 1})], {5: answered(9, SECOND_NS)}, arrivals=[signal]
    )
    slow = "answers: [{operation: q charge, latency_ms: 1600}]"

    def ending() -> Code:
        def code(message: Mapping[str, Any]) -> list[dict[str, Any]]:
            jobs = [job["job"] for job in message["jobs"]]
            if jobs == ["initialize"]:
                return [activity("charge", 0, {"order": 1}, 1)]
            return [COMPLETE] if "signal" in jobs else []

        return code

    found = run(told, ending(), slow)
    assert (found.end_ns, found.strayed) == (SECOND_NS, [])
    anchored = run(told, ending(), slow, anchored=True)
    assert (anchored.end_ns, anchored.strayed) == (2_500_000_000, ["signal go"])


def test_a_signal_that_follows_nothing_keeps_its_time_in_either_way() -> None:
    signal = {"kind": "signal", "name": "go", "event": 6, "task": 9, "at_ns": SECOND_NS}
    told = recording([], {}, arrivals=[signal])

    def code(message: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [COMPLETE] if message["jobs"][0]["job"] == "signal" else []

    for anchored in (False, True):
        found = run(told, code, anchored=anchored)
        assert (found.outcome, found.end_ns, found.undelivered) == ("succeeded", SECOND_NS, [])


def test_a_declared_failure_and_a_lent_answer_are_told_apart() -> None:
    lender = recording(
        [activity("refund", 3, {"order": 2}), activity("refund", 9, {"order": 3})],
        {5: answered(9, SECOND_NS, result=["back"]),
         11: answered(15, 2 * SECOND_NS, how="failed", failure=[{"type": "Away"}])},
    )  # fmt: skip
    refund = [activity("refund", 0, {"order": 3}, 2)]
    code = script([activity("charge", 0, {"order": 1}, 1)], refund, [COMPLETE])
    found = run(PAID, code, "answers: [{operation: q charge, status: Declined}]", (lender,))
    declared, lent = found.answers.given
    assert declared.settled is not None
    assert (declared.settled.ok, declared.settled.error, declared.rung) == (
        False, "Declined", "exact",
    )  # fmt: skip
    assert lent.settled is not None
    assert (lent.rung, lent.settled.value) == ("donor", "back")
    assert "1 of 2 succeeded (9.5 to 90.5 %)" in lent.settled.note
    told = effects_told(PAID, found.answers.given, whole=True)
    assert told == [
        "succeeded: q charge 1 recorded, 0 now",
        "succeeded: q refund 0 recorded, 1 now",
        "succeeded: q ship 1 recorded, 0 now",
    ]


def test_calls_with_one_idempotency_key_count_once() -> None:
    def keyed(key: str) -> dict[str, Any]:
        return {"order": 1, "idempotency_key": key}

    told = recording(
        [activity("charge", 3, keyed("a")), activity("charge", 9, keyed("a"))],
        {5: answered(9, SECOND_NS), 11: answered(15, 2 * SECOND_NS)},
    )
    once = run(told, script([activity("charge", 0, keyed("a"), 1)], [COMPLETE]))
    assert effects_told(told, once.answers.given, whole=True) == []
    twice = run(told, script([activity("charge", 0, keyed("a"), 1)],
                             [activity("charge", 0, keyed("b"), 2)], [COMPLETE]))  # fmt: skip
    assert effects_told(told, twice.answers.given, whole=False) == [
        "succeeded: q charge 1 recorded, 2 now by idempotency key, if they are honoured "
        "up to where the run ends"
    ]


def test_polls_one_after_the_other_are_told_apart_by_their_order_and_others_are_not() -> None:
    polled = recording(
        [activity("status", 3, {"order": 1}), activity("status", 9, {"order": 1})],
        {5: answered(9, SECOND_NS, result=["open"]),
         11: answered(15, 2 * SECOND_NS, result=["done"])},
    )  # fmt: skip
    one, two = (activity("status", 0, {"order": 1}, n) for n in (1, 2))
    in_turn = run(polled, script([one], [two], [COMPLETE]))
    assert [it.call.value for it in in_turn.answers.given if it.call] == ["open", "done"]
    assert in_turn.answers.counts() == {"ambiguous": 0, "exact": 2}
    at_once = run(polled, script([one, two], [], [COMPLETE]))
    assert at_once.answers.counts() == {"ambiguous": 1, "exact": 2}
    overlapping = recording(
        [activity("status", 3, {"order": 1}), activity("status", 9, {"order": 1})],
        {5: answered(15, 2 * SECOND_NS, result=["open"]),
         11: answered(15, 2 * SECOND_NS, result=["done"])},
    )  # fmt: skip
    assert run(overlapping, script([one], [two], [COMPLETE])).answers.counts()["ambiguous"] == 2


def test_a_run_without_end_is_cut() -> None:
    timer = {"kind": "timer", "name": "1", "fields": {"start_to_fire_timeout_ns": 1}, "seq": 1}
    found = run(PAID, lambda message: [timer])
    assert found.missing == ["the run was cut after 20000 activations"]


@pytest.mark.parametrize(
    ("value", "fields", "changed"),
    [
        ({"a": {"b": [1, 2]}}, {"a.b[1]": 5}, {"a": {"b": [1, 5]}}),
        ({"a": 1}, {"c.d": True}, {"a": 1, "c": {"d": True}}),
        ("text", {"$": "other"}, "other"),
        (None, {"x[1]": 2}, {"x": [None, 2]}),
    ],
)
def test_fields_of_an_answer_are_set_by_their_paths(
    value: Any, fields: dict[str, Any], changed: Any
) -> None:
    assert with_fields(value, fields) == changed


@given(st.lists(st.sampled_from(["charge", "ship"]), max_size=8))
def test_any_code_gets_each_recorded_answer_once_and_time_never_goes_back(
    names: list[str],
) -> None:
    commands = [[activity(name, 0, {"order": 1}, n)] for n, name in enumerate(names, 1)]
    found = run(PAID, script(*commands, [COMPLETE]))
    times = [one.at_ns for one in found.issued]
    assert times == sorted(times)
    expected = len(names) == len(set(names))
    assert (found.outcome == "succeeded") is expected
    assert bool(found.missing) is not expected


class Child:
    """A child that has just replayed a history, and tells it."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.ended = 0

    def recording(self, wall_s_max: float) -> dict[str, Any]:
        return self.told

    def end_driving(self) -> None:
        self.ended += 1


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"refused": ["Nexus operations", "a run that was reset"]},
         "not driven: Nexus operations, a run that was reset cannot be driven"),
        ({"tasks": []}, "not driven: no workflow task was completed"),
    ],
)  # fmt: skip
def test_what_cannot_be_driven_is_refused_by_name_and_the_verdict_stays(
    told: dict[str, Any], named: str
) -> None:
    result = ReplayResult(
        flow_id="f", mode="temporal", verdict="diverged", digest="", outcome="unfinished",
        virtual_duration_ns=0, virtual_low_ns=0, virtual_high_ns=0, program_digest="",
        program_flows=0, leave_one_out=False, flags=(), divergences=(), answers={}, reason="x",
    )  # fmt: skip
    child: Any = Child({**told_of([activity("charge", 3, {})], {}), **told})
    found = driven(child, result, None, Donors())
    assert (found.verdict, found.reason) == ("diverged", f"x; {named}")
    assert child.ended == 1


def test_a_command_that_cannot_be_driven_ends_the_run_by_name() -> None:
    def activate(message: Mapping[str, Any]) -> dict[str, Any]:
        return {**playing(lambda _: [])(message), "unsupported": ["Nexus operations"]}

    answers = Answers(PAID, Alterations())
    assert Driver(PAID, answers).go(activate).missing == ["Nexus operations cannot be driven"]
