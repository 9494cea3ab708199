"""How commands are compared, without Temporal."""

from typing import Any

from replay.temporal.commands import Command
from replay.temporal.compare import compare


def activity(name: str, task: int, **fields: Any) -> Command:
    return Command(kind="activity", name=name, task=task, fields=fields, place=f"event {task + 2}")


def kinds(recorded: list[Command], issued: list[Command], **more: Any) -> list[tuple[str, str]]:
    found = compare(recorded, issued, **more)
    return [(one.kind, one.path) for one in found.divergences]


def test_equal_commands_are_the_same() -> None:
    both = [activity("charge", 3, arguments=[{"amount": 1}]), activity("ship", 9, arguments=[])]
    found = compare(both, both)
    assert (found.divergences, found.doubts) == ((), ())


def test_a_number_as_a_decimal_is_the_same_and_true_is_not_one() -> None:
    assert kinds([activity("a", 3, arguments=[1])], [activity("a", 3, arguments=[1.0])]) == []
    changed = kinds([activity("a", 3, arguments=[1])], [activity("a", 3, arguments=[True])])
    assert changed == [("args_changed", "arguments[0]")]


def test_the_leaf_that_changed_is_named_with_both_values() -> None:
    (one,) = compare(
        [activity("a", 3, arguments=[{"amount": 1, "to": "x"}])],
        [activity("a", 3, arguments=[{"amount": 2, "to": "x"}])],
    ).divergences
    assert (one.path, one.recorded, one.replayed) == ("arguments[0].amount", 1, 2)
    assert one.step_id == "event 5 activity a"


def test_swapped_activities_are_reordered_not_missing() -> None:
    recorded = [activity("a", 3), activity("b", 9)]
    assert kinds(recorded, [activity("b", 3), activity("a", 9)]) == [
        ("concurrency_changed", "task"),
        ("reordered", ""),
    ]


def test_what_was_not_reached_is_not_missing() -> None:
    recorded = [activity("a", 3), activity("b", 9)]
    assert kinds(recorded, [activity("a", 3)], reached=3) == []
    assert kinds(recorded, [activity("a", 3)]) == [("missing_call", "")]


def test_commands_of_another_workflow_task_show_concurrency() -> None:
    recorded = [activity("a", 3), activity("b", 9)]
    assert kinds(recorded, [activity("a", 3), activity("b", 3)]) == [
        ("concurrency_changed", "task")
    ]


def test_a_failure_that_became_a_result_is_one_difference() -> None:
    failed = Command(kind="fail", name="", task=9, fields={"failure": [{"message": "no"}]})
    done = Command(kind="complete", name="", task=9, fields={"result": ["yes"]})
    (one,) = compare([failed], [done]).divergences
    assert one.kind == "exception_changed"
    assert one.replayed == {"ends": "succeeded", "result": ["yes"]}


def test_what_is_encrypted_is_in_doubt_and_accuses_nobody() -> None:
    closed = {"opaque": "binary/encrypted", "size_bytes": 9, "sha256": "ab"}
    found = compare([activity("a", 3, arguments=[closed])], [activity("a", 3, arguments=[1])])
    assert found.divergences == ()
    assert "binary/encrypted cannot be read" in found.doubts[0]


def test_bytes_that_are_repeatable_are_compared_by_digest() -> None:
    left = {"opaque": "binary/plain", "size_bytes": 1, "sha256": "ab"}
    right = {"opaque": "binary/plain", "size_bytes": 1, "sha256": "cd"}
    found = kinds([activity("a", 3, arguments=[left])], [activity("a", 3, arguments=[right])])
    assert found == [("args_changed", "arguments[0]")]


def test_retries_left_to_the_server_are_in_doubt_where_its_default_is_unusual() -> None:
    usual = {
        "initial_interval_ns": 10**9, "backoff_coefficient": 2.0,
        "maximum_interval_ns": 10**11, "maximum_attempts": 0, "non_retryable_error_types": [],
    }  # fmt: skip
    assert compare([activity("a", 3, retry=usual)], [activity("a", 3, retry=None)]).doubts == ()
    unusual = {**usual, "maximum_attempts": 3}
    found = compare([activity("a", 3, retry=unusual)], [activity("a", 3, retry=None)])
    assert found.divergences == ()
    assert "leaves retries to the server" in found.doubts[0]


def test_timers_are_known_by_their_order_and_cancelled_by_their_number() -> None:
    def timer(name: str) -> Command:
        return Command(kind="timer", name=name, task=3, fields={"start_to_fire_timeout_ns": 5})

    def cancel(name: str) -> Command:
        return Command(kind="cancel_timer", name=name, task=9, fields={})

    assert kinds([timer("7"), cancel("7")], [timer("1"), cancel("1")]) == []
    two = [timer("1"), timer("2")]
    assert kinds([*two, cancel("1")], [*two, cancel("2")]) == [("args_changed", "timer")]


def test_a_patch_that_is_only_deprecated_is_no_difference() -> None:
    old = Command(kind="patch", name="fee", task=3, fields={"deprecated": False})
    new = Command(kind="patch", name="fee", task=3, fields={"deprecated": True})
    assert kinds([old], [new]) == []
    assert kinds([], [new]) == []
    assert kinds([], [old]) == [("extra_call", "")]


def test_local_activities_are_compared_by_their_number() -> None:
    def local(name: str, seq: int) -> Command:
        return Command(kind="local_activity", name=name, seq=seq, task=0, fields={})

    # The second ended first.
    recorded = [local("b", 2), local("a", 1)]
    found = compare(recorded, [local("a", 1), local("b", 2)])
    assert found.divergences == ()
    assert "local activities" in found.doubts[0]
    assert kinds(recorded, [local("a", 1), local("c", 2)]) == [
        ("missing_call", ""),
        ("extra_call", ""),
    ]
