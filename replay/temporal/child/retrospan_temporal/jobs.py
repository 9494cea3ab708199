"""What the engine says comes next, as the jobs of an activation.

In: words of the engine, which name a recorded event or declare an answer. Out: protobufs. How a
failure is wrapped follows the core, byte for byte, which a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import attributes_of, kind_of

_SAYS = {
    "failed": "Activity task failed",
    "timed_out": "Activity task timed out",
    "canceled": "Activity cancelled",
}
_CHILD_SAYS = {
    "failed": "Child Workflow execution failed",
    "timed_out": "Child Workflow execution timed out",
    "canceled": "Child Workflow execution cancelled",
    "terminated": "Child Workflow execution terminated",
}
# Of the enumerations TimeoutType and RetryState.
_START_TO_CLOSE, _NON_RETRYABLE, _CANCEL_REQUESTED = 1, 2, 7


class Jobs:
    """The jobs of one history's workflow; a method for each kind that the engine names."""

    def __init__(self, start: Any, events: Mapping[int, Any], namespace: str) -> None:
        self._start, self._events, self._namespace = start, events, namespace

    def put(self, job: Any, told: Mapping[str, Any]) -> None:
        """Write what the engine told into a job."""
        getattr(self, f"_{told['job']}")(job, told)

    def _initialize(self, job: Any, told: Mapping[str, Any]) -> None:
        job.initialize_workflow.CopyFrom(self._start)

    def _patch(self, job: Any, told: Mapping[str, Any]) -> None:
        job.notify_has_patch.patch_id = told["id"]

    def _timer(self, job: Any, told: Mapping[str, Any]) -> None:
        job.fire_timer.seq = told["seq"]

    def _signal(self, job: Any, told: Mapping[str, Any]) -> None:
        a, signal = attributes_of(self._events[told["event"]]), job.signal_workflow
        signal.signal_name, signal.identity = a.signal_name, a.identity
        signal.input.extend(a.input.payloads)
        signal.originating_event_id = told["event"]
        for name in a.header.fields:
            signal.headers[name].CopyFrom(a.header.fields[name])

    def _cancel(self, job: Any, told: Mapping[str, Any]) -> None:
        job.cancel_workflow.reason = attributes_of(self._events[told["event"]]).cause

    def _update(self, job: Any, told: Mapping[str, Any]) -> None:
        a, update = attributes_of(self._events[told["event"]]), job.do_update
        request = a.accepted_request
        update.id, update.protocol_instance_id = request.meta.update_id, a.protocol_instance_id
        update.name = request.input.name
        update.input.extend(request.input.args.payloads)
        update.meta.CopyFrom(request.meta)
        for name in request.input.header.fields:
            update.headers[name].CopyFrom(request.input.header.fields[name])

    def _activity(self, job: Any, told: Mapping[str, Any]) -> None:
        """An answer as recorded, or as the engine declares it."""
        resolve = job.resolve_activity
        resolve.seq = told["seq"]
        event = self._events.get(told.get("event", 0))
        if event is not None and kind_of(event) == "marker_recorded":
            self._local(resolve, attributes_of(event))
            return
        if told.get("local"):
            resolve.is_local = True
        if event is None:
            self._declared(resolve.result, told)
            return
        kind, a = kind_of(event), attributes_of(event)
        how = kind.removeprefix("activity_task_")
        if kind == "activity_task_started":  # the attempt before it was to be the last one
            self._wrapped(resolve.result.failed.failure, "failed", told, a.last_failure)
            return
        if how == "completed":
            _completed(resolve.result, a.result.payloads)
            return
        outcome = resolve.result.cancelled if how == "canceled" else resolve.result.failed
        failure = outcome.failure
        failure.message = _SAYS[how]
        info = failure.activity_failure_info
        scheduled = attributes_of(self._events[a.scheduled_event_id])
        info.scheduled_event_id, info.started_event_id = a.scheduled_event_id, a.started_event_id
        info.activity_type.CopyFrom(scheduled.activity_type)
        info.activity_id = scheduled.activity_id
        if how == "canceled":
            _canceled(failure, a)
            info.retry_state = _CANCEL_REQUESTED
        else:
            failure.cause.CopyFrom(a.failure)
            info.retry_state = a.retry_state
        if how != "timed_out":
            info.identity = a.identity

    def _local(self, resolve: Any, a: Any) -> None:
        resolve.is_local = True
        if a.HasField("failure"):
            resolve.result.failed.failure.CopyFrom(a.failure)
        else:
            given = a.details["result"].payloads if "result" in a.details else ()
            _completed(resolve.result, given)

    def _declared(self, result: Any, told: Mapping[str, Any]) -> None:
        if "result" in told:
            _json(result.completed.result, told["result"])
        elif told.get("cancelled"):
            failure = result.cancelled.failure
            failure.message = _SAYS["canceled"]
            failure.cause.canceled_failure_info.SetInParent()
            failure.activity_failure_info.activity_type.name = told["name"]
            failure.activity_failure_info.activity_id = told["id"]
            failure.activity_failure_info.retry_state = _CANCEL_REQUESTED
        elif told.get("local"):
            _failure(result.failed.failure, told)
        else:
            how = "timed_out" if told["type"] == "timeout" else "failed"
            self._wrapped(result.failed.failure, how, told, None)

    def _wrapped(self, failure: Any, how: str, told: Mapping[str, Any], cause: Any) -> None:
        failure.message = _SAYS[how]
        info = failure.activity_failure_info
        info.activity_type.name, info.activity_id = told["name"], told["id"]
        info.retry_state = _NON_RETRYABLE
        if cause is not None:
            failure.cause.CopyFrom(cause)
        else:
            _failure(failure.cause, told)

    def _child_started(self, job: Any, told: Mapping[str, Any]) -> None:
        resolve = job.resolve_child_workflow_execution_start
        resolve.seq = told["seq"]
        event = self._events[told["event"]]
        a = attributes_of(event)
        if kind_of(event) == "start_child_workflow_execution_failed":
            resolve.failed.workflow_id = a.workflow_id
            resolve.failed.workflow_type = a.workflow_type.name
            resolve.failed.cause = a.cause
        else:
            resolve.succeeded.run_id = a.workflow_execution.run_id

    def _child(self, job: Any, told: Mapping[str, Any]) -> None:
        resolve = job.resolve_child_workflow_execution
        resolve.seq = told["seq"]
        if "event" not in told:
            if "result" in told:
                _json(resolve.result.completed.result, told["result"])
            else:
                failure = resolve.result.failed.failure
                failure.message = _CHILD_SAYS["failed"]
                failure.child_workflow_execution_failure_info.workflow_type.name = told["name"]
                _failure(failure.cause, told)
            return
        event = self._events[told["event"]]
        a = attributes_of(event)
        how = kind_of(event).removeprefix("child_workflow_execution_")
        if how == "completed":
            _completed(resolve.result, a.result.payloads)
            return
        outcome = resolve.result.cancelled if how == "canceled" else resolve.result.failed
        failure = outcome.failure
        failure.message = _CHILD_SAYS[how]
        info = failure.child_workflow_execution_failure_info
        info.namespace = self._namespace
        info.workflow_execution.CopyFrom(a.workflow_execution)
        info.workflow_type.CopyFrom(a.workflow_type)
        info.initiated_event_id, info.started_event_id = a.initiated_event_id, a.started_event_id
        info.retry_state = _NON_RETRYABLE
        if how == "canceled":
            _canceled(failure, a)
        elif how == "failed":
            failure.cause.CopyFrom(a.failure)
            info.retry_state = a.retry_state
        elif how == "timed_out":
            failure.cause.message = "Timeout"
            failure.cause.timeout_failure_info.timeout_type = _START_TO_CLOSE
            info.retry_state = a.retry_state
        else:
            failure.cause.terminated_failure_info.SetInParent()

    def _signalled(self, job: Any, told: Mapping[str, Any]) -> None:
        self._messaged(job.resolve_signal_external_workflow, told, "signal")

    def _cancel_requested(self, job: Any, told: Mapping[str, Any]) -> None:
        self._messaged(job.resolve_request_cancel_external_workflow, told, "cancel")

    def _messaged(self, resolve: Any, told: Mapping[str, Any], word: str) -> None:
        resolve.seq = told["seq"]
        event = self._events[told["event"]]
        if not kind_of(event).endswith("_failed"):
            return
        resolve.failure.message = f"Unable to {word} external workflow because it was not found"
        resolve.failure.application_failure_info.type = "ExternalWorkflowExecutionNotFound"
        resolve.cause = attributes_of(event).cause


def _completed(result: Any, payloads: Sequence[Any]) -> None:
    if payloads:
        result.completed.result.CopyFrom(payloads[0])
    else:
        result.completed.SetInParent()


def _canceled(failure: Any, a: Any) -> None:
    failure.cause.canceled_failure_info.SetInParent()
    if a.HasField("details"):
        failure.cause.canceled_failure_info.details.CopyFrom(a.details)


def _json(payload: Any, value: Any) -> None:
    payload.metadata["encoding"] = b"json/plain"
    payload.data = json.dumps(value, separators=(",", ":")).encode()


def _failure(failure: Any, told: Mapping[str, Any]) -> None:
    failure.message = told["message"]
    if told["type"] == "timeout":
        failure.timeout_failure_info.timeout_type = _START_TO_CLOSE
    else:
        failure.application_failure_info.type = told["type"]
        failure.application_failure_info.non_retryable = True
