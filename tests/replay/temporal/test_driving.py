"""Changed workflows run to their end on recorded answers, of a real server's histories."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.times import rfc3339
from replay.temporal.engine import TemporalReplay, judged, replay_histories
from replay.temporal.histories import RecordedHistory
from replay.temporal.process import WorkflowChild
from store.conclusions import ReplayResult
from store.errors import DataError

pytest.importorskip("temporalio")

from tests.replay.temporal.mutations import MUTATIONS, UNCHANGED, Mutation
from tests.replay.temporal.recording import WORKFLOWS
from tests.replay.temporal.replaying import code_in, name_of, replayed

ROOT = Path(__file__).parents[3]
LESS_SURE = """
answers:
  - {operation: payments score_risk, fields: {confidence: 0.4, decision: review}}
"""


def changed(name: str) -> Mutation:
    (mutation,) = [one for one in MUTATIONS if one.name == name]
    return mutation


def only(histories: list[RecordedHistory], *names: str) -> list[RecordedHistory]:
    return [one for one in histories if name_of(one) in names]


def kinds(result: ReplayResult) -> list[str]:
    return [one.kind for one in result.divergences]


@pytest.mark.parametrize("module", ["payment_saga", "features"])
def test_unchanged_code_gets_the_very_activations_of_temporals_core(
    module: str, histories: list[RecordedHistory], features: list[RecordedHistory]
) -> None:
    """Where the driver's control equals what the core's replay gave, command for command and at
    the same workflow time, it may stand in for the core."""
    from replay.temporal.donors import Donors
    from replay.temporal.driving import driven

    with WorkflowChild(code_in(WORKFLOWS, module)) as child:
        for history in histories if module == "payment_saga" else features:
            told = child.replay(history.workflow_id, history.events, 60)
            by_core = judged(history, told, child.about).result
            by_driver = driven(child, by_core, None, Donors())
            assert by_core.verdict in ("identical", "equivalent"), history.workflow_id
            assert by_driver.divergences == (), history.workflow_id
            assert by_driver.digest == by_core.digest, history.workflow_id
            assert by_driver.outcome == by_core.outcome
            assert by_driver.virtual_duration_ns == by_core.virtual_duration_ns
            assert by_driver.answers.get("missing", 0) == 0
    assert len(features) == 8


def test_activations_are_the_cores_byte_for_byte(recorded: Path) -> None:
    """Failures are wrapped, flags and patches given, jobs ordered as the core does it."""
    command = [sys.executable, "-m", "tests.replay.temporal.activations", str(recorded)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["compared"] > 100
    assert told["different"] == []


def test_code_that_temporal_stops_at_its_first_event_runs_to_its_end(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    results = replayed(changed("two activities swapped"), histories, tmp_path)
    unchanged = replayed(UNCHANGED, histories, tmp_path)
    for name, one in results.items():
        assert one.temporal_verdict == "incompatible"
        if name != "stock_away":
            assert one.result.outcome == unchanged[name].result.outcome, name
            assert one.result.answers["exact"] == unchanged_calls(unchanged[name]), name
    # Nobody asked for a risk there: the changed code does, and no answer is made up.
    away = results["stock_away"].result
    assert (away.outcome, away.answers["missing"]) == ("unknown", 1)
    assert away.reason.endswith("payments score_risk: nothing recorded answers it")
    assert "answer_rung_lowered" in kinds(away)


def unchanged_calls(one: TemporalReplay) -> int:
    return sum(event["kind"] == "activity" for event in one.result.events)


def test_a_longer_timer_moves_all_that_follows_it(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    (one,) = replayed(changed("timer"), only(histories, "ok"), tmp_path).values()
    (before,) = replayed(UNCHANGED, only(histories, "ok"), tmp_path).values()
    fired = [it for it in before.result.events if it["kind"] in ("timer", "activity")]
    began, then = fired[3]["at_ns"], fired[4]["at_ns"]
    assert isinstance(began, int)
    assert isinstance(then, int)
    longer_ns = 3_000_000_000 - (then - began)
    assert one.result.virtual_duration_ns == before.result.virtual_duration_ns + longer_ns
    assert one.result.outcome == "succeeded"


def test_fewer_attempts_end_with_the_failure_that_was_recorded(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    fewer = Mutation(name="two attempts", differs=frozenset(), old="maximum_attempts=3",
                     new="maximum_attempts=2")  # fmt: skip
    (one,) = replayed(fewer, only(histories, "retried"), tmp_path).values()
    assert (one.temporal_verdict, one.result.outcome) == ("compatible", "failed")
    assert any("ended by the failure of attempt 2" in flag for flag in one.result.flags)
    once = Mutation(name="one attempt", differs=frozenset(), old="maximum_attempts=3",
                    new="maximum_attempts=1")  # fmt: skip
    (one,) = replayed(once, only(histories, "retried"), tmp_path).values()
    assert one.result.outcome == "unknown"
    assert "how attempt 1 failed is not in the history" in one.result.reason


def test_an_attempt_that_was_never_made_has_no_answer(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    (one,) = replayed(changed("retry policy"), only(histories, "stock_away"), tmp_path).values()
    assert one.result.outcome == "unknown"
    assert "payments reserve_stock: attempt 4 was never made" in one.result.reason


def test_a_second_charge_is_counted(histories: list[RecordedHistory], tmp_path: Path) -> None:
    twice = Mutation(
        name="charged twice", differs=frozenset(),
        old="            charge = await _do(charge_card, order)\n",
        new="            charge = await _do(charge_card, order)\n"
            "            await _do(charge_card, order)\n",
    )  # fmt: skip
    (one,) = replayed(twice, only(histories, "ok"), tmp_path).values()
    # Its one recorded answer is given once.
    assert one.result.outcome == "unknown"
    assert "payments charge_card: nothing recorded answers it" in one.result.reason


def test_a_human_who_was_never_asked_is_not_made_up(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    asked = changed("other branch of an AI decision")
    (one,) = replayed(asked, only(histories, "ok"), tmp_path).values()
    assert any(flag.startswith("not identified: a timer ran out") for flag in one.result.flags)
    assert any(flag.startswith("ambiguous: payments notify") for flag in one.result.flags)


def test_a_failing_activity_is_compensated_with_answers_lent_by_others(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    scenario = "answers: [{operation: payments ship, status: CarrierRefused}]"
    results = replayed(UNCHANGED, histories, tmp_path, scenario)
    ok = results["ok"].result
    assert (ok.control_verdict, ok.verdict, ok.outcome, ok.claim) == (
        "identical", "diverged", "failed", "C3",
    )  # fmt: skip
    assert ok.answers["donor"] == 2
    assert "succeeded: payments refund 0 recorded, 1 now" in ok.flags
    assert "succeeded: payments ship 1 recorded, 0 now" in ok.flags
    # Where it failed anyway everything is known.
    failed = results["ship_failed"].result
    assert (failed.claim, failed.outcome, failed.answers["exact"]) == ("C1", "failed", 6)
    declined = results["declined"].result
    assert declined.claim is None
    assert "it never calls payments ship" in declined.reason


def test_alone_a_history_lends_itself_nothing(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    scenario = "answers: [{operation: payments ship, status: CarrierRefused}]"
    (one,) = replayed(UNCHANGED, only(histories, "ok"), tmp_path, scenario).values()
    assert (one.result.outcome, one.result.claim) == ("unknown", None)
    assert "payments refund: nothing recorded answers it" in one.result.reason


def test_another_answer_of_the_model_takes_the_other_branch(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    results = replayed(UNCHANGED, only(histories, "ok", "approved"), tmp_path, LESS_SURE)
    ok = results["ok"].result
    assert (ok.control_verdict, ok.outcome, ok.claim) == ("identical", "failed", None)
    assert any("whether decide would have come" in flag for flag in ok.flags)
    # There a human was asked anyway, and the signal is recorded.
    approved = results["approved"].result
    assert (approved.verdict, approved.claim) == ("identical", "C2")


def took_ns(history: RecordedHistory, name: str) -> int:
    """How long an activity ran in a recording."""
    scheduled, began_ns = "", 0
    for event in history.events:
        assert isinstance(event, dict)
        told = next(value for key, value in event.items() if key.endswith("EventAttributes"))
        if told.get("activityType", {}).get("name") == name:
            scheduled = event["eventId"]
        elif scheduled and told.get("scheduledEventId") == scheduled:
            at_ns = rfc3339(event["eventTime"])
            if began_ns:
                return at_ns - began_ns
            began_ns = at_ns
    raise AssertionError(name)


def test_a_slower_activity_comes_later_or_times_out(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    chosen = only(histories, "ok", "approved")
    slow = "answers: [{operation: payments charge_card, latency_ms: 2000}]"
    results = replayed(UNCHANGED, chosen, tmp_path, slow)
    before = replayed(UNCHANGED, chosen, tmp_path)
    for history in chosen:
        result = results[name_of(history)].result
        assert (result.verdict, result.claim, result.outcome) == ("identical", "C1", "succeeded")
        later_ns = result.virtual_duration_ns - before[name_of(history)].result.virtual_duration_ns
        assert later_ns == 2_000_000_000 - took_ns(history, "charge_card")
    slower = "answers: [{operation: payments charge_card, latency_ms: 6000}]"
    (one,) = replayed(UNCHANGED, only(histories, "ok"), tmp_path, slower).values()
    assert any("each of 3 attempts would time out" in flag for flag in one.result.flags)


def test_a_shorter_timeout_is_applied_to_what_was_recorded(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    scenario = "changes: [{operation: payments *, timeout_ms: 1, max_attempts: 1}]"
    (one,) = replayed(UNCHANGED, only(histories, "ok"), tmp_path, scenario).values()
    assert one.result.outcome == "failed"
    assert any("it would have timed out" in flag for flag in one.result.flags)


def test_a_signal_that_may_come_too_soon_is_tried_both_ways(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    slow = "answers: [{operation: payments reserve_stock, latency_ms: 4000}]"
    (one,) = replayed(UNCHANGED, only(histories, "approved"), tmp_path, slow).values()
    assert one.result.outcome == "succeeded"
    (flag,) = [flag for flag in one.result.flags if flag.startswith("signal decide")]
    assert flag.endswith("the flow ends the same")


def test_changed_code_under_a_scenario_runs_and_claims_nothing(
    histories: list[RecordedHistory], tmp_path: Path
) -> None:
    slow = "answers: [{operation: payments charge_card, latency_ms: 2000}]"
    (one,) = replayed(changed("timer"), only(histories, "ok"), tmp_path, slow).values()
    assert (one.result.control_verdict, one.result.claim) == ("diverged", None)
    assert "without the scenario this code already differs" in one.result.reason
    assert one.result.outcome == "succeeded"


@pytest.mark.parametrize(
    ("scenario", "named"),
    [
        ("changes: [{operation: a, threshold: 0.5}]", "a threshold stands in your workflow's code"),
        ("changes: [{operation: a, capacity: 5}]", "a change of capacity is not applied"),
        ("changes: [{operation: a, backoff: {initial_ms: 5}}]", "a change of backoff"),
        ("version: '2'", "a scenario's version is for inferred programs"),
    ],
)
def test_what_a_scenario_cannot_change_is_refused_by_name(
    scenario: str, named: str, histories: list[RecordedHistory], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=named):
        replayed(UNCHANGED, only(histories, "ok"), tmp_path, scenario)


def test_the_digest_is_one_over_repeats_and_hash_seeds(recorded: Path, tmp_path: Path) -> None:
    changed("other branch of an AI decision").write(tmp_path)
    files = [str(recorded / f"history_{name}.json") for name in ("ok", "approved", "declined")]
    told = set()
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-m", "retrospan", "replay", "run", *files, "--json",
             "--temporal", "payment_saga", "--python", sys.executable],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.returncode == 3, done.stderr
        told.add(done.stdout)
    assert len(told) == 1


def test_a_workflow_that_hangs_costs_only_its_own_history(
    histories: list[RecordedHistory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.temporal.driving.WALL_S_MAX", 1.0)
    # It hangs where the core does not get to: at the answer to a call that it makes anew.
    hangs = Mutation(
        name="hangs", differs=frozenset(),
        old="            charge = await _do(charge_card, order)\n",
        new="            await workflow.sleep(0.2)\n"
            "            while order.amount == 3:\n"
            "                pass\n"
            "            charge = await _do(charge_card, order)\n",
    )  # fmt: skip
    results = replayed(hangs, only(histories, "ok", "small"), tmp_path)
    assert results["small"].result.verdict == "unreplayable"
    assert "did not get on" in results["small"].result.reason
    assert results["ok"].result.outcome == "succeeded"


def test_features_changed_are_driven_past_the_change(
    features: list[RecordedHistory], tmp_path: Path
) -> None:
    source = (WORKFLOWS / "features.py").read_text()
    for old, new in (
        ('said = await _say(text)', 'said = await _say(text)\n        await workflow.sleep(1)'),
        ('own, told = workflow.info().workflow_id, []',
         'own, told = workflow.info().workflow_id, []\n        await workflow.sleep(1)'),
    ):  # fmt: skip
        assert source.count(old) == 1
        source = source.replace(old, new)
    (tmp_path / "features.py").write_text(source)
    chosen = only(features, "updated", "parent")
    results = dict(
        zip(map(name_of, chosen), replay_histories(chosen, code_in(tmp_path, "features")),
            strict=True)
    )  # fmt: skip
    updated, parent = results["updated"].result, results["parent"].result
    # Updates, a signal, children, a cancellation and messages to others come after the new timer.
    assert (updated.verdict, updated.outcome) == ("diverged", "succeeded")
    assert (parent.verdict, parent.outcome) == ("diverged", "succeeded")
    assert kinds(parent).count("extra_call") == 1
    assert "missing" not in parent.answers


def test_a_fix_behind_a_patch_is_tried_as_if_the_workflow_began_today(
    features: list[RecordedHistory], tmp_path: Path
) -> None:
    source = (WORKFLOWS / "features.py").read_text()
    old = '        workflow.deprecate_patch("old")\n'
    assert source.count(old) == 1
    fixed = '        if workflow.patched("fix"):\n            await workflow.sleep(1)\n'
    (tmp_path / "features.py").write_text(source.replace(old, fixed + old))
    chosen, code = only(features, "patched"), code_in(tmp_path, "features")
    (before,) = replay_histories(chosen, code)
    # Temporal lets it go on, on its old branch; that is said.
    assert (before.temporal_verdict, before.result.verdict) == ("compatible", "identical")
    assert before.result.flags == (
        "patch fix: the history is older, so the code took its old branch; --as-new takes the new "
        "one",
    )
    (after,) = replay_histories(chosen, code, as_new=True)
    assert (after.temporal_verdict, after.result.verdict) == ("compatible", "diverged")
    assert after.result.outcome == "succeeded"
    assert [one.kind for one in after.result.divergences if one.kind == "extra_call"] == [
        "extra_call", "extra_call",
    ]  # fmt: skip
    longer_ns = after.result.virtual_duration_ns - before.result.virtual_duration_ns
    assert longer_ns == 1_000_000_000
