"""What a child tells of a history, and a child that plays a workflow, without Temporal."""

from collections.abc import Callable, Mapping
from typing import Any

from replay.temporal.recording import Recording, recording_of

SECOND_NS = 1_000_000_000
RETRY = {
    "initial_interval_ns": SECOND_NS, "backoff_coefficient": 2.0,
    "maximum_interval_ns": 100 * SECOND_NS, "maximum_attempts": 3, "non_retryable_error_types": [],
}  # fmt: skip


def activity(name: str, task: int, argument: object, seq: int = 0, **fields: Any) -> dict[str, Any]:
    """A command to run an activity; `event` is the task's with 2 more."""
    told = {
        "arguments": [argument], "task_queue": "q", "activity_id": "1", "retry": RETRY,
        "start_to_close_timeout_ns": 5 * SECOND_NS, **fields,
    }  # fmt: skip
    return {"kind": "activity", "name": name, "fields": told, "task": task, "seq": seq,
            "place": f"event {task + 2}", "event": task + 2}  # fmt: skip


def answered(task: int, at_ns: int, **more: Any) -> dict[str, Any]:
    """An answer that reached the code in a workflow task; it ran a tenth of a second."""
    return {
        "how": "completed", "event": task - 1, "task": task, "at_ns": at_ns, "attempt": 1,
        "began_ns": at_ns - SECOND_NS // 5, "ended_ns": at_ns - SECOND_NS // 10,
        "started_event": task - 2, "result": ["fine"], **more,
    }  # fmt: skip


def recording(
    commands: list[dict[str, Any]], answers: Mapping[int, Mapping[str, Any]], **more: Any
) -> Recording:
    """The recording that a child tells."""
    return recording_of(told_of(commands, answers, **more))


def told_of(
    commands: list[dict[str, Any]], answers: Mapping[int, Mapping[str, Any]], **more: Any
) -> dict[str, Any]:
    """Workflow tasks started by the events 3, 9, 15, ... a second apart."""
    tasks = [
        {"event": 3 + 6 * n, "at_ns": n * SECOND_NS, "size": n, "suggested": False, "flags": []}
        for n in range(6)
    ]
    return {
        "tasks": tasks, "commands": commands,
        "answers": {str(event): answer for event, answer in answers.items()},
        "arrivals": [], "patches": [], "refused": [], "listens": [], "queue": "q",
        "given": [], "end_ns": 6 * SECOND_NS, **more,
    }  # fmt: skip


Code = Callable[[Mapping[str, Any]], list[dict[str, Any]]]


def playing(code: Code) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A child whose code answers jobs with commands."""

    def activate(message: Mapping[str, Any]) -> dict[str, Any]:
        commands = [
            {**one, "at_ns": message["at_ns"], "task": message["task"], "place": ""}
            for one in code(message)
        ]
        return {"kind": "activated", "commands": commands, "cancels": [], "unsupported": [],
                "failure": "", "waits": False}  # fmt: skip

    return activate


COMPLETE = {"kind": "complete", "name": "", "fields": {"result": []}, "seq": 0}
