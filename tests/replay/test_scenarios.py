"""Counterfactuals against the true program, run with the same changes.

Cannot prove more than these worlds hold: what a claim of class C1 or C2 says must be exact there.
"""

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from replay.engine import Folds, replay_flows, replay_recording
from replay.match import Answer
from replay.recording import RecordedAttempt, recording_of
from replay.scenario import AlteredAnswer, Change, Scenario, load_scenario, parse_scenario
from replay.settings import ReplaySettings
from replay.timeouts import Timeouts
from replay.whatif import doubts_of, ends_of
from store.conclusions import Flow, ReplayResult
from store.errors import DataError
from tests.replay.kinds import CHARGE_EU, SCORE, SHIP, payment_world, true_flow, true_flows
from tests.replay.worlds import MS, Answering, Reply

EU = "gateway-eu POST /charges"
World = Callable[[int], Answering]


@cache
def kind_of(count: int) -> Folds:
    """The programs of the first payments, made once for all scenarios."""
    return Folds([recording_of(flow) for flow in true_flows("payment", count)], ReplaySettings())


def what_if(flows: list[Flow], scenario: Scenario) -> list[ReplayResult]:
    kind = kind_of(len(flows))
    return [replay_recording(recording_of(flow), kind, scenario=scenario) for flow in flows]


def true_shape(flow: Flow) -> Counter[tuple[str, str, int]]:
    """Operations with keys and numbers of attempts."""
    return Counter(
        (
            f"{step.callee} {step.operation}" if step.callee else f"gate {step.operation}",
            step.key,
            len(step.attempts),
        )
        for step in flow.steps
        if step.parent_step_id is None
    )


def shape(result: ReplayResult) -> Counter[tuple[str, str, int]]:
    calls = Counter((e["op"], e["key"]) for e in result.events if e["event"] == "call")
    return Counter((str(op), str(key), count) for (op, key), count in calls.items())


def changed_world(change: Callable[[tuple[str, str], int, Reply], Reply]) -> World:
    def world(index: int) -> Answering:
        base = payment_world(1, index)
        return lambda op, key, number: change(op, number, base(op, key, number))

    return world


def waiting(limit_ms: int) -> World:
    """The same callees, with another timeout at gateway-eu."""

    def change(op: tuple[str, str], number: int, reply: Reply) -> Reply:
        if op != CHARGE_EU:
            return reply
        limit = limit_ms * MS
        if reply.status == "timeout":
            if reply.true_ns is not None and reply.true_ns <= limit:
                return Reply(status="ok", latency=reply.true_ns, body={"charge_id": "late"})
            return Reply(status="timeout", latency=limit)
        return Reply(status="timeout", latency=limit) if reply.latency > limit else reply

    return changed_world(change)


def scoring(score: float) -> World:
    def change(op: tuple[str, str], number: int, reply: Reply) -> Reply:
        if op == SCORE and reply.status == "ok":
            reply.body["score"] = score
        return reply

    return changed_world(change)


def first_answer(of: tuple[str, str], status: str) -> World:
    def change(op: tuple[str, str], number: int, reply: Reply) -> Reply:
        if op == of and number == 1:
            reply.status = status
        return reply

    return changed_world(change)


def change(operation: str, **settings: object) -> Scenario:
    made = Change(operation=operation, **settings)  # type: ignore[arg-type]
    return Scenario(name="what if", changes=(made,))


def answer(operation: str, **settings: object) -> Scenario:
    made = AlteredAnswer(operation=operation, **settings)  # type: ignore[arg-type]
    return Scenario(name="what if", answers=(made,))


CASES: list[tuple[Scenario, World | None, dict[str, object], int]] = [
    (change("gate risk-limit", threshold=0.6), None, {"threshold": 0.6}, 50),
    (change("gate risk-limit", threshold=0.9), None, {"threshold": 0.9}, 50),
    (change(EU, timeout_ms=150), waiting(150), {}, 50),
    (change(EU, timeout_ms=5_000), waiting(5_000), {}, 50),
    (change(EU, max_attempts=1), None, {"attempts": 1}, 50),
    (change(EU, max_attempts=5), None, {"attempts": 5}, 50),
    (answer("risk POST /score", fields={"score": 0.95}), scoring(0.95), {}, 20),
    (answer("risk POST /score", fields={"score": 0.1}), scoring(0.1), {}, 50),
    (answer("shipping POST /shipments", status="409"), first_answer(SHIP, "409"), {}, 4),
    (answer(EU, status="503"), first_answer(CHARGE_EU, "503"), {}, 20),
]


@pytest.mark.parametrize(("scenario", "world", "options", "least"), CASES)
def test_what_is_claimed_exactly_is_what_the_true_program_does(
    payments: list[Flow],
    scenario: Scenario,
    world: World | None,
    options: dict[str, object],
    least: int,
) -> None:
    exact = 0
    for index, result in enumerate(what_if(payments, scenario)):
        if result.claim not in ("C1", "C2"):
            continue
        answering = None if world is None else world(index)
        truth = true_flow("payment", index, answering=answering, **options)  # type: ignore[arg-type]
        exact += 1
        assert result.outcome == truth.outcome.value, result
        assert shape(result) == true_shape(truth), result
    assert exact >= least


def test_borrowed_answers_are_labelled_and_mostly_right(payments: list[Flow]) -> None:
    scenario = answer("risk POST /score", fields={"score": 0.95})
    results = what_if(payments, scenario)
    borrowed = [(i, r) for i, r in enumerate(results) if r.claim == "C3"]
    assert len(borrowed) > 50
    right = 0
    for index, result in borrowed:
        assert result.answers["donor"] > 0
        assert "donors" in result.reason
        truth = true_flow("payment", index, answering=scoring(0.95)(index))
        right += result.outcome == truth.outcome.value
    assert right >= 0.8 * len(borrowed)


def test_a_longer_timeout_uses_the_callees_own_end_where_it_is_known(
    payments: list[Flow],
) -> None:
    results = what_if(payments, change(EU, timeout_ms=5_000))
    known = [r for r in results if "callee's own span" in r.reason and r.claim == "C2"]
    assert known
    for result in known:
        assert result.control_verdict in ("identical", "equivalent")
        assert result.control_digest != result.digest


def test_without_a_donor_a_longer_timeout_is_not_identified_but_says_so(
    payments: list[Flow],
) -> None:
    results = what_if(payments, change("stock POST /reservations", timeout_ms=60_000))
    said = [r for r in results if "Kaplan-Meier" in r.reason or "no donor" in r.reason]
    assert said
    assert {r.claim for r in said} <= {"C3", None}


def test_a_status_never_seen_is_forked_and_claims_nothing(payments: list[Flow]) -> None:
    results = what_if(payments, answer("shipping POST /shipments", status="418"))
    forked = [r for r in results if "if the unseen answer is retried" in r.reason]
    assert len(forked) > 50
    assert all(r.claim is None for r in forked)
    assert all(any(flag.startswith("novel_status") for flag in r.flags) for r in forked)


def test_a_scenario_that_changes_nothing_read_says_which_answer_was_not_read(
    payments: list[Flow],
) -> None:
    results = what_if(payments, answer("risk POST /score", fields={"model": "risk-9"}))
    same = [r for r in results if r.verdict == "identical"]
    assert len(same) > 100
    for result in same:
        assert {(d.kind, d.path) for d in result.divergences} == {
            ("unread_answer", "response.model")
        }


def test_no_counterfactual_is_shown_when_the_control_replay_fails(payments: list[Flow]) -> None:
    scenario = change(EU, max_attempts=1)
    controls = {r.flow_id: r for r in replay_flows(payments, [f.flow_id for f in payments])}
    failed = [f for f in payments if controls[f.flow_id].verdict == "diverged"]
    assert failed
    for result in replay_flows(payments, [f.flow_id for f in failed], scenario=scenario):
        assert result.claim is None
        assert result.reason.startswith("the control replay diverged")
        assert result.digest == controls[result.flow_id].digest


def test_under_a_hundred_recordings_only_the_control_runs(payments: list[Flow]) -> None:
    few = payments[:99]
    for result in what_if(few, change(EU, max_attempts=1))[:10]:
        assert result.claim is None
        assert result.reason.startswith("control only: 99 recordings")


def test_for_a_whole_population_claims_are_qualitative(payments: list[Flow]) -> None:
    scenario = Scenario(
        name="all", changes=(Change(operation=EU, max_attempts=1),), population=True
    )
    assert {r.claim for r in what_if(payments, scenario)} <= {"C4", None}


def test_backoff_changes_move_times_and_nothing_else(payments: list[Flow]) -> None:
    scenario = change(EU, backoff_initial_ms=5_000, backoff_coefficient=1.0)
    moved = [r for r in what_if(payments, scenario) if r.claim == "C1" and r.divergences]
    assert moved
    for result in moved:
        assert {d.kind for d in result.divergences} == {"timing_changed"}


def test_an_unknown_operation_lists_the_known_ones(payments: list[Flow]) -> None:
    with pytest.raises(DataError, match=r"gateway-eu POST /charges"):
        replay_flows(
            payments,
            [payments[0].flow_id],
            scenario=change("gateway-eu POST /charge", max_attempts=1),
        )


def test_a_threshold_that_nobody_compares_claims_nothing(payments: list[Flow]) -> None:
    results = what_if(payments, change("mail POST /messages", threshold=0.5))
    passed = [r for r in results if r.control_verdict == "identical"]
    assert {r.claim for r in passed} == {None}
    assert all("no numeric threshold" in r.reason for r in passed)


def test_a_threshold_can_be_named_by_where_it_stands_now(payments: list[Flow]) -> None:
    plain = what_if(payments, change("gate risk-limit", threshold=0.6))
    named = what_if(payments, change("gate risk-limit", threshold=0.6, threshold_from=0.8))
    assert [r.digest for r in named] == [r.digest for r in plain]
    other = what_if(payments, change("gate risk-limit", threshold=0.6, threshold_from=0.1))
    assert {r.claim for r in other} == {None}


GOOD = """
schema: retrospan.scenario/1
name: wait longer
changes:
  - operation: gateway-eu POST /charges
    timeout_ms: 3000
    backoff: {initial_ms: 100, coefficient: 2}
answers:
  - operation: risk POST /score
    nth: 1
    fields: {score: 0.95, model: risk-9}
"""


def test_a_scenario_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wait.yaml"
    path.write_text(GOOD, encoding="utf-8")
    scenario = load_scenario(path)
    assert scenario.name == "wait longer"
    assert scenario.changes[0].timeout_ms == 3000
    assert scenario.changes[0].backoff_coefficient == 2
    assert scenario.answers[0].fields == {"score": 0.95, "model": "risk-9"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("scenario/1", "scenario/2", "retrospan.scenario/2"),
        ("timeout_ms: 3000", "timeout_ms: -1", "timeout_ms"),
        ("timeout_ms: 3000", "timeout: 3000", "'timeout' was unexpected.*there are .*timeout_ms"),
        ("name: wait longer\n", "", "'name' is a required property"),
        ("nth: 1", "nth: first", "nth"),
        ("schema:", "{schema", "not YAML"),
    ],
)
def test_a_scenario_that_does_not_fit_its_schema_says_where(old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parse_scenario(GOOD.replace(old, new))


def test_a_missing_scenario_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        load_scenario(tmp_path / "none.yaml")


def file_of(*lines: str) -> Scenario:
    head = ("schema: retrospan.scenario/1", "name: what if")
    return parse_scenario("\n".join((*head, *lines)))


def sent(result: ReplayResult) -> list[dict[str, Any]]:
    """The charges that left the caller: an open breaker refuses the others."""
    calls = [dict(event) for event in result.events if event.get("op") == EU]
    return [call for call in calls if call["status"] != "breaker_open"]


def test_a_lost_service_fails_every_call_also_those_that_were_not_recorded(
    payments: list[Flow],
) -> None:
    scenario = file_of("lost:", "  - {services: [gateway-eu], status: '503', latency_ms: 5}")
    results = what_if(payments, scenario)
    claimed = [r for r in results if r.claim is not None]
    assert len(claimed) > 30
    for result in claimed:
        calls = sent(result)
        assert {e["status"] for e in calls} <= {"503"}
        assert all(e["end_ns"] - e["start_ns"] == 5 * MS for e in calls)


def test_a_lost_service_ends_flows_as_in_the_true_world(payments: list[Flow]) -> None:
    def gone(op: tuple[str, str], number: int, reply: Reply) -> Reply:
        return Reply(status="503", latency=5 * MS) if op == CHARGE_EU else reply

    scenario = answer(EU, nth=None, status="503", latency_ms=5)
    results = what_if(payments, scenario)
    claimed = [(i, r) for i, r in enumerate(results) if r.claim in ("C1", "C2")]
    assert len(claimed) > 5
    for index, result in claimed:
        truth = true_flow("payment", index, answering=changed_world(gone)(index))
        assert result.outcome == truth.outcome.value


def test_an_answer_slower_than_the_callers_timeout_is_a_timeout(payments: list[Flow]) -> None:
    scenario = Scenario(
        name="slow under a timeout",
        changes=(Change(operation=EU, timeout_ms=50),),
        answers=(AlteredAnswer(operation=EU, nth=None, latency_percent=10_000),),
    )
    seen = 0
    for result in what_if(payments, scenario):
        if result.control_verdict != "identical":
            continue
        for event in sent(result):
            seen += 1
            assert event["status"] == "timeout"
            assert event["end_ns"] - event["start_ns"] == 50 * MS
    assert seen > 50


def test_every_answer_of_a_model_can_be_replaced(payments: list[Flow]) -> None:
    scenario = file_of("answers:", "  - {operation: 'risk *', nth: every, fields: {score: 0.1}}")
    once = file_of("answers:", "  - {operation: risk POST /score, fields: {score: 0.1}}")
    pairs = zip(what_if(payments, scenario), what_if(payments, once), strict=True)
    same = [one.outcome == other.outcome for one, other in pairs if one.claim and other.claim]
    assert len(same) > 50
    assert all(same)


def test_another_version_of_the_program_runs_on_the_same_answers() -> None:
    flows = [*true_flows("payment", 150), *true_flows("payment", 150, version="2")]
    old = [flow for flow in flows if flow.version == "1"]
    scenario = file_of("version: '2'")
    results = replay_flows(flows, [flow.flow_id for flow in old], scenario=scenario)
    undone = [r for r in results if r.claim == "C2" and "reordered" in kinds_of(r)]
    assert undone
    assert all("version 2" in r.reason for r in results if r.claim)


def kinds_of(result: ReplayResult) -> set[str]:
    return {divergence.kind for divergence in result.divergences}


def test_a_version_nobody_recorded_claims_nothing(payments: list[Flow]) -> None:
    results = what_if(payments, Scenario(name="none", version="9"))
    assert {r.claim for r in results} == {None}
    assert any("version '9'" in r.reason for r in results)


def test_a_wait_that_only_others_tell_of_gives_both_ends(payments: list[Flow]) -> None:
    results = what_if(payments, change(EU, timeout_ms=5_000))
    said = [r for r in results if "Kaplan-Meier" in r.reason]
    assert said
    for result in said:
        assert result.claim in ("C3", None)
        assert "answers from others" in result.reason
        assert result.virtual_low_ns < result.virtual_high_ns


def test_an_end_that_lent_answers_decide_is_left_open(payments: list[Flow]) -> None:
    """Whoever gives up after one attempt goes to the other gateway, which no recording answers."""
    once = Scenario(name="once", changes=(Change(operation=EU, max_attempts=1),))
    sure: Counter[bool] = Counter()
    for result in what_if(payments, once):
        if result.claim is None:
            continue
        ends = ends_of(result)
        assert ends[0] == result.outcome
        assert (len(ends) > 1) == ("with bad ones" in result.reason)
        assert len(ends) == 1 or result.claim == "C3"
        sure[len(ends) == 1] += 1
    assert sure[True] > 50
    assert sure[False] > 3


def test_a_good_answer_in_place_of_a_failure_says_what_donors_said(payments: list[Flow]) -> None:
    first_charge = answer(EU, status="ok")
    healed = 0
    for flow, result in zip(payments, what_if(payments, first_charge), strict=True):
        attempts = [a for step in recording_of(flow).steps if step.op == EU for a in step.attempts]
        if not attempts or attempts[0].status not in ("503", "402") or result.claim is None:
            continue
        healed += 1
        assert result.claim == "C3"
        assert "the body of a good answer is lent" in result.reason
        assert sent(result)[0]["response"]
    assert healed > 5


def test_a_failure_in_place_of_a_good_answer_says_nothing(payments: list[Flow]) -> None:
    for result in what_if(payments, answer(EU, status="503")):
        if result.claim is not None and sent(result):
            assert sent(result)[0]["response"] == {}


def test_lent_answers_are_held_to_the_timeout_of_the_scenario(payments: list[Flow]) -> None:
    """The donors took about 150 ms, so nobody who gives up after 20 ms hears of them."""
    lent = 0
    for result in what_if(payments, change(EU, timeout_ms=20)):
        if result.control_verdict == "diverged":
            continue
        for event in sent(result):
            lent += event["rung"] == "donor"
            assert (event["status"], event["end_ns"] - event["start_ns"]) == ("timeout", 20 * MS)
    assert lent > 20


def test_a_scenario_that_does_not_reach_a_flow_says_so(payments: list[Flow]) -> None:
    other = "gateway-us POST /charges"
    for flow, result in zip(
        payments, what_if(payments, change(other, max_attempts=5)), strict=True
    ):
        if result.claim is None or result.digest != result.control_digest:
            continue
        calls = {step.op for step in recording_of(flow).steps}
        said = f"never calls {other}" if other not in calls else "makes no difference"
        assert said in result.reason


def test_a_status_never_seen_says_which_were(payments: list[Flow]) -> None:
    results = what_if(payments, answer(EU, nth=None, status="unavailable", latency_ms=5))
    told = [r.reason for r in results if f"{EU} was recorded with" in r.reason]
    assert len(told) > 50
    assert all("503, breaker_open, ok, timeout" in reason for reason in told)
    assert any("if the unseen answer is retried" in reason for reason in told)


def test_what_the_recording_itself_bears_out_is_claimed_whatever_the_program_doubts(
    payments: list[Flow],
) -> None:
    untouched = [
        result
        for result in what_if(payments, change("gateway-us POST /charges", max_attempts=5))
        if result.control_digest == result.digest and result.control_verdict != "diverged"
    ]
    assert {result.claim for result in untouched} == {"C1"}
    assert any(doubts_of(result.flags) for result in untouched)


def late_failure(failures: tuple[str, ...], failed_as: str | None = None) -> tuple[str, Timeouts]:
    """The status of a call its caller gave up on, and whose callee says that it failed."""
    attempt = RecordedAttempt(
        span_id="s", start_ns=0, end_ns=300 * MS, status="timeout", request={}, response={},
        callee_outcome="error", callee_end_ns=700 * MS,
    )  # fmt: skip
    timeouts = Timeouts(
        (Change(operation=EU, timeout_ms=1_000),), {}, None, {EU: failures}, failed_as
    )
    wait = attempt.latency_ns
    answer = Answer("timeout", {}, wait, wait, wait, "explicit")
    return timeouts.reshape(EU, attempt, answer).status, timeouts


def test_a_late_failure_has_the_one_status_that_failures_have() -> None:
    status, timeouts = late_failure(("503",))
    assert (status, timeouts.unnamed, timeouts.classes) == ("503", {}, {"C2", "C3"})


def test_a_late_failure_that_may_have_had_several_statuses_is_tried_with_each() -> None:
    for failed_as in ("402", "503"):
        status, timeouts = late_failure(("402", "503"), failed_as)
        assert (status, timeouts.unnamed) == (failed_as, {EU: ("402", "503")})
    assert late_failure(())[0] == "error"
