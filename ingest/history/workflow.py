"""One history of Temporal or Cadence as the spans of its run."""

from collections.abc import Iterator

from ingest.history.events import Event, History, Object, events_of, integer, object_in, text_in
from ingest.history.failures import failure_of, failures_of, timeout_type
from ingest.history.kept import HISTORY, LEFT_OUT, keep
from ingest.history.local import LOCAL_MARKERS, local_activity
from ingest.history.operations import ATTEMPT, OPENERS, RESPONSE, opened
from ingest.history.payloads import answer_of, arguments_of, values_of
from ingest.history.run import execution_in, run_of
from ingest.limits import Limits
from ingest.span_draft import SOURCE, SpanDraft, span_id_of, trace_id_of
from store.model import AttributeValue, Rejected, Span

# How workflow code was driven: nothing of what the flow did.
BOOKKEEPING = frozenset({"WorkflowTaskScheduled", "WorkflowTaskStarted", "WorkflowTaskCompleted"})
_ENDS = {
    "WorkflowExecutionCompleted": "ok",
    "WorkflowExecutionContinuedAsNew": "ok",
    "WorkflowExecutionFailed": "error",
    "WorkflowExecutionTimedOut": "Timeout",
    "WorkflowExecutionTerminated": "Terminated",
    "WorkflowExecutionCanceled": "Cancelled",
}
TEMPORAL = "temporal_history"
_OPENED_BY = ("scheduledEventId", "initiatedEventId", "startedEventId")
_OPERATIONS = (
    "ActivityTask",
    "Timer",
    "ChildWorkflowExecution",
    "StartChildWorkflowExecution",
    "ExternalWorkflowExecution",
    "SignalExternalWorkflowExecution",
    "RequestCancelExternalWorkflowExecution",
    "NexusOperation",
)


def spans_of(history: History, engine: str, limits: Limits) -> Iterator[Span | Rejected]:
    """Every span of one history; events that cannot be read or placed, as Rejected."""
    events: list[Event] = []
    for found in events_of(history):
        if isinstance(found, Rejected):
            yield found
        else:
            events.append(found)
    if not events:
        yield Rejected(record=history.place, reason="the history has no event that can be read")
        return
    yield from _Workflow(history, sorted(events, key=lambda e: e.id), engine, limits).run()


class _Workflow:
    """The spans of one run while its events are read in order."""

    def __init__(self, history: History, events: list[Event], engine: str, limits: Limits) -> None:
        self._events, self._limits, self._place = events, limits, history.place
        self._history = history.events
        self._run = run_of(history, events)
        self._source = f"{engine}_history"
        self._open: dict[int, SpanDraft] = {}
        self._updates: dict[int, str] = {}
        self._root = self._started(events[0])

    def run(self) -> Iterator[Span | Rejected]:
        for event in self._events:
            if event.type in OPENERS:
                draft = self._draft(event)
                opened(draft, event, self._run)
                self._open[event.id] = draft
            elif event.type == "MarkerRecorded":
                self._marker(event)
            elif event.type.startswith(_OPERATIONS):
                yield from self._continued(event)
            elif event.type in _ENDS:
                self._ended(event)
            elif event.type not in BOOKKEEPING and event.type != "WorkflowExecutionStarted":
                self._noted(event)
        if self._source == TEMPORAL:
            self._keep()
        for draft in (self._root, *self._open.values()):
            if draft.end_ns is None and draft.name == "Timer" and self._root.end_ns is not None:
                # The engine drops timers with their workflow; activities may still run.
                draft.put("retrospan.timer.outcome", "abandoned")
                draft.close(self._root.end_ns, "unset")
            # Histories name no service: the task queue says which workers ran it.
            resource: dict[str, AttributeValue] = {"service.name": draft.service}
            yield draft.span(resource)

    def _keep(self) -> None:
        """Keep the history itself, so that its workflow can be replayed without the file."""
        text, why = keep(self._history)
        if len(text) > self._limits.attribute_chars:
            text, why = "", f"it is longer than {self._limits.attribute_chars} characters"
        self._root.put(HISTORY, text)
        self._root.put(LEFT_OUT, why)

    def _draft(self, event: Event, name: str = "", kind: str = "client") -> SpanDraft:
        run = self._run
        draft = SpanDraft(
            self._limits, run.trace_id, run.span_id(event.id), name, kind, event.time_ns
        )
        draft.put("temporalWorkflowID", run.workflow_id)
        draft.put("temporalRunID", run.run_id)
        draft.put(SOURCE, self._source)
        if run.queue:
            draft.service = run.queue
        if event is not self._events[0]:
            draft.parent_span_id = run.span_id(self._events[0].id)
        return draft

    def _started(self, first: Event) -> SpanDraft:
        run, attributes = self._run, self._run.started
        root = self._draft(first, f"RunWorkflow:{run.type}", "server")
        root.put("retrospan.flow.name", run.type)
        if attributes:
            root.body("retrospan.flow.input", arguments_of(attributes.get("input")))
        else:
            root.put("retrospan.start_missing", True)
        if run.derived:
            root.put("retrospan.workflow_id.derived", True)
        for name in ("firstExecutionRunId", "continuedExecutionRunId", "cronSchedule", "attempt"):
            root.put(f"retrospan.workflow.{_snake(name)}", attributes.get(name))
        if run.caller is not None:
            # A link, no parent: the caller's span stands in other data, and may never come.
            root.link(run.trace_id, run.caller, "started_by")
        parent = execution_in(attributes, "parentWorkflowExecution")
        initiated = integer(attributes.get("parentInitiatedEventId"))
        if parent[0] and parent[1] and initiated:
            trace = run.trace_id if run.caller else trace_id_of(*parent)
            root.link(trace, span_id_of(*parent, initiated), "child_of")
        return root

    def _continued(self, event: Event) -> Iterator[Rejected]:
        draft = self._opener_of(event)
        if draft is None:
            reason = f"{event.type} of an operation that this history does not open"
            yield Rejected(record=f"{self._place} event {event.id}", reason=reason)
            return
        ending = event.type
        if ending.endswith("CancelRequested") and not ending.startswith("External"):
            draft.event(ending, event.time_ns)
        elif ending.endswith("Started"):
            _began(draft, event)
        elif ending.endswith(("Completed", "Fired", "Signaled", "CancelRequested")):
            if not ending.startswith(("Timer", "External")):
                draft.body(RESPONSE, answer_of(event.attributes.get("result")))
            draft.close(event.time_ns)
        elif ending == "TimerCanceled":
            draft.put("retrospan.timer.outcome", "cancelled")
            draft.close(event.time_ns, "unset")
        else:
            _failed(draft, event)

    def _opener_of(self, event: Event) -> SpanDraft | None:
        for name in _OPENED_BY:
            number = integer(event.attributes.get(name))
            if number is not None and number in self._open:
                return self._open[number]
        return None

    def _marker(self, event: Event) -> None:
        name = text_in(event.attributes, "markerName") or "unknown"
        if name in LOCAL_MARKERS:
            draft = self._draft(event)
            local_activity(draft, event)
            self._open[event.id] = draft
            return
        details = {
            key: answer_of(value) for key, value in object_in(event.attributes, "details").items()
        }
        raw = event.attributes.get("details")
        told: object = details or (values_of(raw) if isinstance(raw, str) else None)
        self._root.event(
            f"marker {name}", event.time_ns, {"details": told, "patch_id": _patch(details)}
        )

    def _ended(self, event: Event) -> None:
        word, root, attributes = _ENDS[event.type], self._root, event.attributes
        if event.type == "WorkflowExecutionContinuedAsNew":
            root.put("retrospan.workflow.continued_as", text_in(attributes, "newExecutionRunId"))
            root.event(event.type, event.time_ns, {"input": arguments_of(attributes.get("input"))})
        if word == "ok":
            if event.type == "WorkflowExecutionCompleted":
                root.body("retrospan.flow.output", answer_of(attributes.get("result")))
            root.close(event.time_ns)
            return
        failure = failure_of(attributes, "Failed" if word == "error" else word)
        kind = failure.type if word == "error" else word
        root.fail(event.time_ns, kind, failure.message or text_in(attributes, "reason") or "")
        _note_causes(root, event)

    def _noted(self, event: Event) -> None:
        """An event of the workflow itself: a signal, an update, a request to cancel."""
        attributes = event.attributes
        told: Object = {"event_id": event.id}
        for name in ("signalName", "identity", "cause", "reason"):
            told[_snake(name)] = text_in(attributes, name)
        if "input" in attributes:
            told["input"] = arguments_of(attributes["input"])
        if event.type == "WorkflowExecutionUpdateAccepted":
            request = object_in(attributes, "acceptedRequest", "input")
            self._updates[event.id] = text_in(request, "name") or "unknown"
            told.update(update_name=self._updates[event.id],
                        input=arguments_of(request.get("args")))  # fmt: skip
        elif event.type == "WorkflowExecutionUpdateCompleted":
            accepted = integer(attributes.get("acceptedEventId")) or 0
            outcome = object_in(attributes, "outcome")
            told.update(update_name=self._updates.get(accepted, "unknown"),
                        output=_outcome_of(outcome))  # fmt: skip
        self._root.event(event.type, event.time_ns, told)


def _patch(details: Object) -> str | None:
    """The name of a change that a marker tells of: core's patches, Java's versions."""
    data = details.get("patch-data")
    found = data.get("id") if isinstance(data, dict) else details.get("changeId")
    return str(found) if found else None


def _outcome_of(outcome: Object) -> object:
    """What an update answered, or how it failed."""
    if object_in(outcome, "failure"):
        failure = failure_of(outcome, "Failed")
        return f"{failure.type}: {failure.message}"
    return answer_of(outcome.get("success"))


def _began(draft: SpanDraft, event: Event) -> None:
    attributes = event.attributes
    if event.type == "ActivityTaskStarted":
        draft.put("retrospan.history.scheduled_ns", draft.start_ns)
        draft.start_ns = event.time_ns
        attempt = integer(attributes.get("attempt"))
        draft.put(ATTEMPT, attempt)
        if object_in(attributes, "lastFailure"):
            # Only the last attempt has events of its own; the one before left its failure here.
            last = failure_of({"failure": attributes["lastFailure"]}, "Failed")
            told: Object = {"exception.type": last.type, "exception.message": last.message}
            draft.event("retrospan.attempt.failed", event.time_ns, told)
    elif event.type == "ChildWorkflowExecutionStarted":
        _, run_id = execution_in(attributes, "workflowExecution")
        draft.put("retrospan.child.run_id", run_id)
    else:
        draft.event(event.type, event.time_ns)


def _failed(draft: SpanDraft, event: Event) -> None:
    attributes = event.attributes
    if event.type.endswith("Canceled"):
        draft.fail(event.time_ns, "Cancelled")
    elif event.type.endswith("TimedOut"):
        inner = text_in(attributes, "failure", "timeoutFailureInfo", "timeoutType")
        kind = timeout_type(text_in(attributes, "timeoutType") or inner)
        draft.fail(event.time_ns, kind, text_in(attributes, "failure", "message") or kind)
    elif event.type.endswith("Terminated"):
        draft.fail(event.time_ns, "Terminated")
    elif event.type.endswith("Failed"):
        cause = text_in(attributes, "cause") or "Failed"
        failure = failure_of(attributes, cause)
        draft.fail(event.time_ns, failure.type, failure.message)
    else:
        draft.event(event.type, event.time_ns)
        return
    draft.put("retrospan.retry_state", text_in(attributes, "retryState"))
    _note_causes(draft, event)


def _note_causes(draft: SpanDraft, event: Event) -> None:
    if not object_in(event.attributes, "failure"):
        return
    for failure in failures_of(event.attributes, "Failed"):
        draft.event(
            "exception",
            event.time_ns,
            {"exception.type": failure.type, "exception.message": failure.message},
        )


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
