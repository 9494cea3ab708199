"""The commands that the code issued, in the words that `recorded.py` has for a history's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .payloads import failure_of, value_of, values_of
from .recorded import ACTIVITY_TIMEOUTS, TIMER_TIMEOUTS, Command, retry_of, timeouts_of
from .sdk import ABANDON, Task

_ENDS = ("complete", "fail", "canceled", "continue_as_new")
_CANCELS = {"cancel_timer": "timer", "cancel_activity": "activity"}


class Issued:
    """Reads the commands of one run; what the server would fill in comes from the start event."""

    def __init__(self, start: Any) -> None:
        self._queue = start.task_queue.name
        self._run_ns = start.workflow_run_timeout.ToNanoseconds()
        self._names: dict[tuple[str, int], str] = {}
        self._ids: dict[int, str] = {}
        self._abandoned: set[int] = set()

    def commands(self, tasks: Sequence[Task]) -> list[Command]:
        """Every command that would have become an event, by the workflow task."""
        found: list[Command] = []
        for task in tasks:
            told = [
                {**one, "task": 0 if one["kind"] == "local_activity" else task.event_id,
                 "place": "", "line": line, "at_ns": task.at_ns}
                for command, line in task.commands
                for one in self._told(command)
            ]  # fmt: skip
            found += _sent(told)
        return found

    def _told(self, command: Any) -> list[Command]:
        kind = command.WhichOneof("variant")
        a = getattr(command, kind)
        read = getattr(self, f"_{kind}", None)
        return read(a) if read is not None else []

    def _schedule_activity(self, a: Any) -> list[Command]:
        self._names["activity", a.seq] = a.activity_type
        if a.cancellation_type == ABANDON:
            self._abandoned.add(a.seq)
        return [_command("activity", a.activity_type, {
            "arguments": values_of(a.arguments), "activity_id": a.activity_id,
            "task_queue": self._queued(a.task_queue),
            **_filled(timeouts_of(a, ACTIVITY_TIMEOUTS), self._run_ns), "retry": retry_of(a),
        }, a.seq)]  # fmt: skip

    def _request_cancel_activity(self, a: Any) -> list[Command]:
        if a.seq in self._abandoned:
            return []  # the server is not told
        return [_command("cancel_activity", self._names.get(("activity", a.seq), ""), {}, a.seq)]

    def _start_timer(self, a: Any) -> list[Command]:
        return [_command("timer", str(a.seq), timeouts_of(a, TIMER_TIMEOUTS), a.seq)]

    def _cancel_timer(self, a: Any) -> list[Command]:
        return [_command("cancel_timer", str(a.seq), {}, a.seq)]

    def _start_child_workflow_execution(self, a: Any) -> list[Command]:
        self._ids[a.seq] = a.workflow_id
        return [_command("child_workflow", a.workflow_type, {
            "arguments": values_of(a.input), "workflow_id": a.workflow_id,
            "task_queue": self._queued(a.task_queue),
            "parent_close_policy": int(a.parent_close_policy),
        }, a.seq)]  # fmt: skip

    def _cancel_child_workflow_execution(self, a: Any) -> list[Command]:
        return [_command("cancel_workflow", self._ids.get(a.child_workflow_seq, ""), {})]

    def _request_cancel_external_workflow_execution(self, a: Any) -> list[Command]:
        return [_command("cancel_workflow", a.workflow_execution.workflow_id, {})]

    def _signal_external_workflow_execution(self, a: Any) -> list[Command]:
        target = a.child_workflow_id or a.workflow_execution.workflow_id
        fields = {"arguments": values_of(a.args), "workflow_id": target}
        return [_command("signal", a.signal_name, fields, a.seq)]

    def _modify_workflow_properties(self, a: Any) -> list[Command]:
        fields = a.upserted_memo.fields
        memo = {name: value_of(fields[name]) for name in sorted(fields)}
        return [_command("memo", "", {"memo": memo})]

    def _schedule_nexus_operation(self, a: Any) -> list[Command]:
        name = f"{a.service}/{a.operation}"
        self._names["nexus", a.seq] = name
        fields = {"input": value_of(a.input), "endpoint": a.endpoint}
        return [_command("nexus_operation", name, fields, a.seq)]

    def _request_cancel_nexus_operation(self, a: Any) -> list[Command]:
        return [_command("cancel_nexus_operation", self._names.get(("nexus", a.seq), ""), {})]

    def _set_patch_marker(self, a: Any) -> list[Command]:
        return [_command("patch", a.patch_id, {"deprecated": a.deprecated})]

    def _schedule_local_activity(self, a: Any) -> list[Command]:
        if a.attempt > 1:
            return []  # one marker stands for all attempts
        return [_command("local_activity", a.activity_type, {}, a.seq)]

    def _update_response(self, a: Any) -> list[Command]:
        if a.HasField("accepted"):
            return [_command("update_accepted", a.protocol_instance_id, {})]
        if a.HasField("completed"):
            result = {"result": values_of([a.completed])}
            return [_command("update_completed", a.protocol_instance_id, result)]
        # One that was not accepted leaves no event; one that was ends with its failure.
        return [_command("update_failed", a.protocol_instance_id,
                         {"failure": failure_of(a.rejected)})]  # fmt: skip

    def _complete_workflow_execution(self, a: Any) -> list[Command]:
        result = values_of([a.result]) if a.HasField("result") else []
        return [_command("complete", "", {"result": result})]

    def _fail_workflow_execution(self, a: Any) -> list[Command]:
        return [_command("fail", "", {"failure": failure_of(a.failure)})]

    def _cancel_workflow_execution(self, a: Any) -> list[Command]:
        return [_command("canceled", "", {})]

    def _continue_as_new_workflow_execution(self, a: Any) -> list[Command]:
        fields = {"arguments": values_of(a.arguments), "task_queue": self._queued(a.task_queue)}
        return [_command("continue_as_new", a.workflow_type, fields)]

    def _queued(self, queue: str) -> str:
        """The Replayer puts a queue of its own in the place of the workflow's."""
        return self._queue if not queue or queue.startswith("replay-") else queue


def _command(kind: str, name: str, fields: dict[str, Any], seq: int = 0) -> Command:
    return {"kind": kind, "name": name, "fields": fields, "seq": seq}


def _sent(commands: list[Command]) -> list[Command]:
    """What the core sends on of one task's commands.

    Nothing after the workflow's end but answers to updates; and what was begun and cancelled in
    one task never leaves the worker.
    """
    begun = {(one["kind"], one["seq"]) for one in commands if one["kind"] in _CANCELS.values()}
    never = {
        (kind, one["seq"])
        for one in commands
        for kind in [_CANCELS.get(one["kind"])]
        if kind is not None and (kind, one["seq"]) in begun
    }
    accepted = {one["name"] for one in commands if one["kind"] == "update_accepted"}
    kept: list[Command] = []
    ended = False
    for one in commands:
        kind = one["kind"]
        if (_CANCELS.get(kind, kind), one["seq"]) in never:
            continue
        if kind == "update_failed":
            if one["name"] not in accepted:
                continue
            one = {**one, "kind": "update_completed"}
        if ended and not kind.startswith("update_"):
            continue
        ended = ended or kind in _ENDS
        kept.append(one)
    return kept


def _filled(timeouts: dict[str, int], run_ns: int) -> dict[str, int]:
    """The timeouts as the server stores them: none longer than another that bounds it.

    From the attribute validation of Temporal's server (`validateActivityScheduleAttributes`).
    """
    close, wait, run, beat = (timeouts[f"{name}_ns"] for name in ACTIVITY_TIMEOUTS)
    if close:
        wait, run = min(wait or close, close), min(run or close, close)
    else:
        close, wait = run_ns, wait or run_ns
    if run_ns:
        close, wait, run = min(close, run_ns), min(wait, run_ns), min(run, run_ns)
    beat = min(beat, run) if run else beat
    filled = zip(ACTIVITY_TIMEOUTS, (close, wait, run, beat), strict=True)
    return {f"{name}_ns": value for name, value in filled}
