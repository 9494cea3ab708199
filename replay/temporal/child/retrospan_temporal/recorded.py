"""The commands a history recorded, by the workflow task that issued them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .payloads import failure_of, value_of, values_of

Command = dict[str, Any]

# Events that a command of the workflow's code made, with the kind the command has here.
_KINDS = {
    "activity_task_scheduled": "activity",
    "activity_task_cancel_requested": "cancel_activity",
    "timer_started": "timer",
    "timer_canceled": "cancel_timer",
    "start_child_workflow_execution_initiated": "child_workflow",
    "request_cancel_external_workflow_execution_initiated": "cancel_workflow",
    "signal_external_workflow_execution_initiated": "signal",
    "workflow_properties_modified": "memo",
    "nexus_operation_scheduled": "nexus_operation",
    "nexus_operation_cancel_requested": "cancel_nexus_operation",
    "workflow_execution_update_accepted": "update_accepted",
    "workflow_execution_update_completed": "update_completed",
    "workflow_execution_completed": "complete",
    "workflow_execution_failed": "fail",
    "workflow_execution_canceled": "canceled",
    "workflow_execution_continued_as_new": "continue_as_new",
}


def recorded_commands(events: Sequence[Any]) -> list[Command]:
    """Every command in the order recorded.

    `task` is the event id of the started workflow task whose code issued it, 0 where a history
    does not tell, as for local activities, whose markers come when they end.
    """
    found: list[Command] = []
    names: dict[int, str] = {}
    updates: dict[int, str] = {}
    task = 0
    for event in events:
        attributes: Any = getattr(event, event.WhichOneof("attributes") or "", None)
        kind = (event.WhichOneof("attributes") or "").removesuffix("_event_attributes")
        if kind == "workflow_task_completed":
            task = attributes.started_event_id
        elif kind == "marker_recorded":
            command = _marker(attributes)
            if command is not None:
                found.append(
                    {
                        **command,
                        "task": 0 if command["kind"] == "local_activity" else task,
                        "place": f"event {event.event_id}",
                        "event": event.event_id,
                    }
                )
        elif kind in _KINDS:
            if kind == "workflow_execution_update_accepted":
                updates[event.event_id] = attributes.protocol_instance_id
            name, fields = _told(kind, attributes, names, updates)
            names[event.event_id] = name
            found.append(
                {
                    "kind": _KINDS[kind],
                    "name": name,
                    "fields": fields,
                    "task": task,
                    "place": f"event {event.event_id}",
                    "event": event.event_id,
                }
            )
    return found


def _told(
    kind: str, a: Any, names: dict[int, str], updates: dict[int, str]
) -> tuple[str, dict[str, Any]]:
    if kind == "activity_task_scheduled":
        return a.activity_type.name, {
            "arguments": values_of(a.input.payloads),
            "activity_id": a.activity_id,
            "task_queue": a.task_queue.name,
            **timeouts_of(a, ACTIVITY_TIMEOUTS),
            "retry": retry_of(a),
        }
    if kind == "timer_started":
        return a.timer_id, timeouts_of(a, TIMER_TIMEOUTS)
    if kind == "timer_canceled":
        return a.timer_id, {}
    if kind in ("activity_task_cancel_requested", "nexus_operation_cancel_requested"):
        return names.get(a.scheduled_event_id, "unknown"), {}
    if kind == "start_child_workflow_execution_initiated":
        return a.workflow_type.name, {
            "arguments": values_of(a.input.payloads),
            "workflow_id": a.workflow_id,
            "task_queue": a.task_queue.name,
            "parent_close_policy": int(a.parent_close_policy),
        }
    if kind == "request_cancel_external_workflow_execution_initiated":
        return a.workflow_execution.workflow_id, {}
    if kind == "signal_external_workflow_execution_initiated":
        return a.signal_name, {
            "arguments": values_of(a.input.payloads),
            "workflow_id": a.workflow_execution.workflow_id,
        }
    return _told_further(kind, a, updates)


def _told_further(kind: str, a: Any, updates: dict[int, str]) -> tuple[str, dict[str, Any]]:
    if kind == "workflow_properties_modified":
        return "", {"memo": fields_of(a.upserted_memo.fields)}
    if kind == "nexus_operation_scheduled":
        return f"{a.service}/{a.operation}", {"input": value_of(a.input), "endpoint": a.endpoint}
    if kind == "workflow_execution_update_accepted":
        return a.protocol_instance_id, {}
    if kind == "workflow_execution_update_completed":
        return updates.get(a.accepted_event_id, a.meta.update_id), outcome_of(a.outcome)
    if kind == "workflow_execution_completed":
        return "", {"result": values_of(a.result.payloads)}
    if kind == "workflow_execution_failed":
        return "", {"failure": failure_of(a.failure)}
    if kind == "workflow_execution_canceled":
        return "", {}
    return a.workflow_type.name, {
        "arguments": values_of(a.input.payloads),
        "task_queue": a.task_queue.name,
    }


def _marker(a: Any) -> Command | None:
    if a.marker_name == "core_patch":
        told = _detail(a.details, "patch-data")
        return {"kind": "patch", "name": str(told.get("id")), "fields":
                {"deprecated": bool(told.get("deprecated"))}}  # fmt: skip
    if a.marker_name == "core_local_activity":
        told = _detail(a.details, "data")
        return {"kind": "local_activity", "name": str(told.get("activity_type")), "fields": {},
                "seq": int(told.get("seq") or 0)}  # fmt: skip
    return None


def _detail(details: Any, name: str) -> dict[str, Any]:
    payloads = details[name].payloads if name in details else ()
    try:
        told = json.loads(payloads[0].data) if payloads else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


ACTIVITY_TIMEOUTS = (
    "schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout",
    "heartbeat_timeout",
)  # fmt: skip
TIMER_TIMEOUTS = ("start_to_fire_timeout",)


def timeouts_of(attributes: Any, names: Sequence[str]) -> dict[str, int]:
    """Timeouts in nanoseconds; 0 is none."""
    return {f"{name}_ns": getattr(attributes, name).ToNanoseconds() for name in names}


def retry_of(attributes: Any) -> dict[str, Any] | None:
    """The retry policy with the server's defaults filled in; None where none was given."""
    if not attributes.HasField("retry_policy"):
        return None
    policy = attributes.retry_policy
    initial = policy.initial_interval.ToNanoseconds() or 10**9
    return {
        "initial_interval_ns": initial,
        "backoff_coefficient": policy.backoff_coefficient or 2.0,
        "maximum_interval_ns": policy.maximum_interval.ToNanoseconds() or 100 * initial,
        "maximum_attempts": policy.maximum_attempts,
        "non_retryable_error_types": sorted(policy.non_retryable_error_types),
    }


def outcome_of(outcome: Any) -> dict[str, Any]:
    """How an update ended."""
    if outcome.HasField("failure"):
        return {"failure": failure_of(outcome.failure)}
    return {"result": values_of(outcome.success.payloads)}


def fields_of(fields: Any) -> dict[str, Any]:
    """A map of payloads."""
    return {name: value_of(fields[name]) for name in sorted(fields)}
