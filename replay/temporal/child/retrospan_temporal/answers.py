"""What a history tells of how each command was answered, and what came in from outside.

Times are workflow time: an answer reaches the code in the workflow task that starts next, so its
moment is that task's. Events are named by their ids.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from .payloads import failure_of, values_of
from .recorded import recorded_commands

Told = dict[str, Any]

# Ends of what a command began, by the field that names the event it began with.
_ENDS = {
    "activity_task_completed": ("scheduled_event_id", "completed"),
    "activity_task_failed": ("scheduled_event_id", "failed"),
    "activity_task_timed_out": ("scheduled_event_id", "timed_out"),
    "activity_task_canceled": ("scheduled_event_id", "canceled"),
    "timer_fired": ("started_event_id", "completed"),
    "timer_canceled": ("started_event_id", "canceled"),
    "child_workflow_execution_completed": ("initiated_event_id", "completed"),
    "child_workflow_execution_failed": ("initiated_event_id", "failed"),
    "child_workflow_execution_timed_out": ("initiated_event_id", "timed_out"),
    "child_workflow_execution_canceled": ("initiated_event_id", "canceled"),
    "child_workflow_execution_terminated": ("initiated_event_id", "terminated"),
    "start_child_workflow_execution_failed": ("initiated_event_id", "not_started"),
    "external_workflow_execution_signaled": ("initiated_event_id", "completed"),
    "signal_external_workflow_execution_failed": ("initiated_event_id", "failed"),
    "external_workflow_execution_cancel_requested": ("initiated_event_id", "completed"),
    "request_cancel_external_workflow_execution_failed": ("initiated_event_id", "failed"),
}
_ARRIVALS = {
    "workflow_execution_signaled": "signal",
    "workflow_execution_cancel_requested": "cancel",
    "workflow_execution_update_accepted": "update",
}


def kind_of(event: Any) -> str:
    """What an event is, as its attributes are called."""
    return (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")


def attributes_of(event: Any) -> Any:
    """What an event tells."""
    return getattr(event, event.WhichOneof("attributes") or "", None)


def recording_of(events: Sequence[Any]) -> Told:
    """The workflow tasks that ran, the answers by opening event, the arrivals, what was patched;
    `refused` names what the driver cannot do of this history."""
    reading = _Reading(events)
    for event in events:
        reading.take(event)
    reading.close()
    return {
        "tasks": reading.tasks,
        "answers": reading.answers,
        "arrivals": reading.arrivals,
        "patches": reading.patches,
        "refused": sorted(set(reading.refused)),
        "end_ns": events[-1].event_time.ToNanoseconds(),
        "queue": attributes_of(events[0]).task_queue.name,
        "given": values_of(attributes_of(events[0]).input.payloads),
        "commands": recorded_commands(events),
    }


class _Reading:
    def __init__(self, events: Sequence[Any]) -> None:
        completed = {
            attributes_of(event).started_event_id: attributes_of(event)
            for event in events
            if kind_of(event) == "workflow_task_completed"
        }
        self.tasks: list[Told] = []
        self.by_completion: dict[int, Told] = {}
        flags: set[int] = set()
        for event in events:
            if kind_of(event) == "workflow_task_started" and event.event_id in completed:
                flags |= set(completed[event.event_id].sdk_metadata.lang_used_flags)
                began = attributes_of(event)
                self.tasks.append({
                    "event": event.event_id, "at_ns": event.event_time.ToNanoseconds(),
                    "size": began.history_size_bytes, "suggested": began.suggest_continue_as_new,
                    "flags": sorted(flags),
                })  # fmt: skip
            elif kind_of(event) == "workflow_task_completed" and self.tasks:
                self.by_completion[event.event_id] = self.tasks[-1]
        self._started = [task["event"] for task in self.tasks]
        self.answers: dict[int, Told] = {}
        self.arrivals: list[Told] = []
        self.patches: list[str] = []
        self.refused: list[str] = []
        self._began: dict[int, Any] = {}

    def take(self, event: Any) -> None:
        kind, a = kind_of(event), attributes_of(event)
        if kind in _ENDS:
            name, how = _ENDS[kind]
            self._ended(self.answers.setdefault(getattr(a, name), {}), event, a, how)
        elif kind == "activity_task_started":
            self._began[a.scheduled_event_id] = event
        elif kind == "child_workflow_execution_started":
            answer = self.answers.setdefault(a.initiated_event_id, {})
            answer.update(start_event=event.event_id, start=self._delivered(event))
        elif kind == "activity_task_cancel_requested":
            asked = self.by_completion.get(a.workflow_task_completed_event_id, {})
            self.answers.setdefault(a.scheduled_event_id, {})["cancel_ns"] = asked.get("at_ns", 0)
        elif kind in _ARRIVALS:
            self._arrived(event, a, _ARRIVALS[kind])
        elif kind == "marker_recorded":
            self._marker(event, a)
        elif kind.startswith("nexus_operation"):
            self.refused.append("Nexus operations")
        elif kind == "workflow_task_failed" and a.new_run_id:
            self.refused.append("a run that was reset")

    def close(self) -> None:
        """Say of activities which attempt was the last and how long it ran."""
        for number, started in self._began.items():
            a = attributes_of(started)
            answer = self.answers.setdefault(number, {})
            answer.update(
                attempt=a.attempt,
                began_ns=started.event_time.ToNanoseconds(),
                started_event=started.event_id,
                last_failure=failure_of(a.last_failure) if a.HasField("last_failure") else [],
            )

    def _ended(self, answer: Told, event: Any, a: Any, how: str) -> None:
        answer.update(how=how, event=event.event_id, ended_ns=event.event_time.ToNanoseconds(),
                      **self._delivered(event))  # fmt: skip
        fields = a.DESCRIPTOR.fields_by_name
        if "result" in fields and a.HasField("result"):
            answer["result"] = values_of(a.result.payloads)
        if "failure" in fields and a.HasField("failure"):
            answer["failure"] = failure_of(a.failure)
        if "retry_state" in fields:
            answer["retry_state"] = int(a.retry_state)

    def _delivered(self, event: Any) -> Told:
        """The task that the event reached the code in; none has the event's own time."""
        at = bisect_right(self._started, event.event_id)
        if at < len(self.tasks):
            return {"task": self.tasks[at]["event"], "at_ns": self.tasks[at]["at_ns"]}
        return {"task": 0, "at_ns": event.event_time.ToNanoseconds()}

    def _arrived(self, event: Any, a: Any, kind: str) -> None:
        told = {"kind": kind, "event": event.event_id, "name": "", **self._delivered(event)}
        if kind == "signal":
            told["name"] = a.signal_name
        elif kind == "update":
            task = self._task_before(event.event_id)
            told.update(name=a.accepted_request.input.name, task=task["event"],
                        at_ns=task["at_ns"])  # fmt: skip
        self.arrivals.append(told)

    def _task_before(self, event_id: int) -> Told:
        """The workflow task whose answer wrote an event."""
        return self.tasks[max(bisect_right(self._started, event_id) - 1, 0)]

    def _marker(self, event: Any, a: Any) -> None:
        if a.marker_name == "core_patch":
            told = _detail(a, "patch-data")
            self.patches.append(str(told.get("id")))
        elif a.marker_name == "core_local_activity":
            told = _detail(a, "data")
            if told.get("backoff"):
                self.refused.append("local activities that wait on a timer for their next attempt")
            when = told.get("complete_time") or {}
            ended_ns = int(when.get("seconds", 0)) * 10**9 + int(when.get("nanos", 0))
            failed = a.HasField("failure")
            self.answers[event.event_id] = {
                "how": "failed" if failed else "completed", "event": event.event_id,
                "task": self._task_before(event.event_id)["event"], "at_ns": ended_ns,
                "ended_ns": ended_ns, "attempt": int(told.get("attempt") or 1),
                "result": values_of(a.details["result"].payloads) if "result" in a.details else [],
                **({"failure": failure_of(a.failure)} if failed else {}),
            }  # fmt: skip


def _detail(a: Any, name: str) -> Told:
    payloads = a.details[name].payloads if name in a.details else ()
    try:
        told = json.loads(payloads[0].data) if payloads else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
