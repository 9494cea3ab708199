"""What one event of a history opens: an activity, a timer, a child workflow, a message."""

from collections.abc import Callable

from ingest.history.events import Event, object_in, text_in
from ingest.history.payloads import arguments_of, traceparent_of
from ingest.history.run import Run, queue_of
from ingest.span_draft import SpanDraft
from ingest.times import duration_ms

REQUEST = "retrospan.step.request"
RESPONSE = "retrospan.step.response"
STEP_KEY = "retrospan.step.key"
STEP_KIND = "retrospan.step.kind"
PEER = "service.peer.name"
ATTEMPT = "retrospan.attempt"

Opener = Callable[[SpanDraft, Event, Run], None]


def _activity(draft: SpanDraft, event: Event, run: Run) -> None:
    attributes = event.attributes
    draft.name = f"RunActivity:{text_in(attributes, 'activityType', 'name') or 'unknown'}"
    draft.put("temporalActivityID", text_in(attributes, "activityId") or str(event.id))
    draft.service = queue_of(attributes) or draft.service
    draft.body(REQUEST, arguments_of(attributes.get("input")))
    put_settings(draft, event, run)


def put_settings(draft: SpanDraft, event: Event, run: Run) -> None:
    """Timeouts with the retry policy; Cadence retries nothing that names no policy."""
    attributes = event.attributes
    for name in ("startToCloseTimeout", "scheduleToCloseTimeout", "workflowRunTimeout"):
        found = duration_ms(attributes.get(name) or attributes.get(f"{name}Seconds"))
        if found is not None:
            draft.put("retrospan.call.timeout_ms", found)
            break
    policy = object_in(attributes, "retryPolicy")
    draft.put("retrospan.call.max_attempts", policy.get("maximumAttempts") or None)
    initial = policy.get("initialInterval") or policy.get("initialIntervalInSeconds")
    draft.put("retrospan.call.backoff_initial_ms", duration_ms(initial))
    draft.put("retrospan.call.backoff_coefficient", policy.get("backoffCoefficient") or None)
    if not policy and "startToCloseTimeoutSeconds" in attributes:
        draft.put("retrospan.call.max_attempts", 1)


def _timer(draft: SpanDraft, event: Event, run: Run) -> None:
    fires = event.attributes.get("startToFireTimeout") or event.attributes.get(
        "startToFireTimeoutSeconds"
    )
    draft.name, draft.kind = "Timer", "internal"
    draft.put(STEP_KIND, "timer")
    draft.put(STEP_KEY, f"timer {text_in(event.attributes, 'timerId') or event.id}")
    draft.body(REQUEST, {"fires_after_ms": duration_ms(fires)})


def _child(draft: SpanDraft, event: Event, run: Run) -> None:
    attributes = event.attributes
    kind = text_in(attributes, "workflowType", "name") or "unknown"
    draft.name = f"RunChildWorkflow:{kind}"
    draft.put("retrospan.child.workflow_id", text_in(attributes, "workflowId"))
    draft.put(PEER, f"workflow {kind}")
    draft.body(REQUEST, arguments_of(attributes.get("input")))
    put_settings(draft, event, run)


def _message(word: str) -> Opener:
    def opened(draft: SpanDraft, event: Event, run: Run) -> None:
        attributes = event.attributes
        target = text_in(attributes, "workflowExecution", "workflowId") or "unknown"
        name = text_in(attributes, "signalName")
        draft.name, draft.kind = f"{word}:{name}" if name else word, "producer"
        draft.put(PEER, f"workflow {target}")
        draft.body(REQUEST, arguments_of(attributes.get("input")))

    return opened


def _nexus(draft: SpanDraft, event: Event, run: Run) -> None:
    attributes = event.attributes
    service = text_in(attributes, "service") or "unknown"
    draft.name = f"RunNexusOperation:{service}/{text_in(attributes, 'operation') or 'unknown'}"
    draft.put(PEER, text_in(attributes, "endpoint") or service)
    draft.put("retrospan.call.timeout_ms", duration_ms(attributes.get("scheduleToCloseTimeout")))
    draft.body(REQUEST, arguments_of(attributes.get("input")))


OPENERS: dict[str, Opener] = {
    "ActivityTaskScheduled": _activity,
    "TimerStarted": _timer,
    "StartChildWorkflowExecutionInitiated": _child,
    "SignalExternalWorkflowExecutionInitiated": _message("SendSignal"),
    "RequestCancelExternalWorkflowExecutionInitiated": _message("RequestCancel"),
    "NexusOperationScheduled": _nexus,
}
"""Type of the opening event, and what it makes of a span."""


def opened(draft: SpanDraft, event: Event, run: Run) -> None:
    """Make of a draft the operation that the event opens."""
    OPENERS[event.type](draft, event, run)
    draft.put("retrospan.history.event_id", event.id)
    decided = event.attributes.get("workflowTaskCompletedEventId") or event.attributes.get(
        "decisionTaskCompletedEventId"
    )
    # Operations that one workflow task asked for were asked for at once.
    draft.put("retrospan.history.workflow_task", decided)
    caller = traceparent_of(event.attributes)
    if caller is not None:
        draft.link(*caller, "scheduled_by")
