"""Which run a history is of, and the trace its spans belong to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.history.events import Event, History, Object, object_in, text_in
from ingest.history.payloads import traceparent_of
from ingest.span_draft import json_text, span_id_of, trace_id_of

NEW_RUN_EVENTS = ("WorkflowTaskFailed",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a workflow. `derived` when the history does not name its workflow.

    `caller` is the span that started it, where a tracing interceptor wrote one into the header.
    """

    workflow_id: str
    run_id: str
    derived: bool
    type: str
    queue: str
    trace_id: str
    caller: str | None
    started: Object

    def span_id(self, event_id: int) -> str:
        """The span that an event opened."""
        return span_id_of(self.workflow_id, self.run_id, event_id)


def run_of(history: History, events: Sequence[Event]) -> Run:
    """The run, from its start event; what the history leaves out is derived from its content.

    A history without a workflow id gets `unnamed:` with the id of its first run; one without run
    ids gets the digest of its first event. A reset names the new run in a failed workflow task.
    """
    start = next((e for e in events if e.type == "WorkflowExecutionStarted"), None)
    attributes = start.attributes if start is not None else {}
    first = hashlib.sha256(json_text(history.events[:1]).encode("utf-8", "replace")).hexdigest()
    run_id = (
        _reset_run(events)
        or text_in(attributes, "originalExecutionRunId")
        or _around(history, "runId")
        or text_in(attributes, "firstExecutionRunId")
        or f"unnamed:{first[:32]}"
    )
    workflow_id = text_in(attributes, "workflowId") or _around(history, "workflowId")
    named = workflow_id is not None
    if workflow_id is None:
        workflow_id = f"unnamed:{text_in(attributes, 'firstExecutionRunId') or run_id}"
    caller = traceparent_of(attributes)
    return Run(
        workflow_id=workflow_id,
        run_id=run_id,
        derived=not named,
        type=text_in(attributes, "workflowType", "name") or "unknown",
        queue=queue_of(attributes) or "",
        trace_id=caller[0] if caller else trace_id_of(workflow_id, run_id),
        caller=caller[1] if caller else None,
        started=attributes,
    )


def queue_of(attributes: Object) -> str | None:
    """The task queue, which Cadence calls a task list."""
    return text_in(attributes, "taskQueue", "name") or text_in(attributes, "taskList", "name")


def execution_in(attributes: Object, name: str) -> tuple[str | None, str | None]:
    """Workflow id with run id of an execution that an event names."""
    found = object_in(attributes, name)
    return text_in(found, "workflowId"), text_in(found, "runId")


def _reset_run(events: Sequence[Event]) -> str | None:
    found = None
    for event in events:
        if event.type in NEW_RUN_EVENTS:
            found = text_in(event.attributes, "newRunId") or found
    return found


def _around(history: History, name: str) -> str | None:
    """An id that stands beside the events, as in what a workflow's description wraps."""
    for path in ((name,), ("execution", name), ("workflowExecution", name)):
        found = text_in(history.around, *path)
        if found is not None:
            return found
    return None
