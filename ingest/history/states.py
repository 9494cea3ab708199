"""One execution of AWS Step Functions as spans: states, their attempts, Map iterations.

Events name the event that led to them, so each is placed by its chain, not by its time: a branch
stays inside its Parallel state, an attempt inside its state.
"""

from collections.abc import Iterator

from ingest.history.events import Object, integer, object_in, text_in
from ingest.history.executions import Execution, StateEvent
from ingest.history.failures import timeout_type
from ingest.history.operations import PEER, REQUEST, RESPONSE, STEP_KEY, STEP_KIND
from ingest.jsonstream import UndecodableError, decode_plain
from ingest.limits import Limits
from ingest.span_draft import SOURCE, SYNTHETIC_TIME, SpanDraft, span_id_of, trace_id_of
from store.model import AttributeValue, Rejected, Span

Path = tuple[SpanDraft, ...]
"""The open spans an event stands in, the outermost first."""

CALLS = ("Task", "LambdaFunction", "Activity")
_ENDS = ("Succeeded", "Failed", "TimedOut", "Aborted", "ScheduleFailed", "StartFailed")
_CAUGHT = "retrospan.catch.error"
_CAUGHT_FROM = "retrospan.catch.from"
_CAUGHT_NEXT = "retrospan.catch.next"


def spans_of(execution: Execution, limits: Limits) -> Iterator[Span | Rejected]:
    """Every span of one execution."""
    yield from _States(execution, limits).run()


class _States:
    """The spans of one execution while its events are read in order."""

    def __init__(self, execution: Execution, limits: Limits) -> None:
        self._execution, self._limits = execution, limits
        self._trace_id = trace_id_of("step_functions", execution.key)
        self._service, self._name = _machine(execution.arn)
        self._drafts: list[SpanDraft] = []
        self._failed: dict[int, str] = {}  # span under way by identity: its last error
        self._exits: dict[int, SpanDraft] = {}  # exit event: the state that a Catch left
        first = execution.events[0]
        self._root = self._draft(first, self._name, "server", ())
        self._root.put("retrospan.flow.name", self._name)
        if execution.arn:
            self._root.put("retrospan.flow.id", execution.arn)
        self._paths: dict[int, Path] = {0: (self._root,)}

    def run(self) -> Iterator[Span | Rejected]:
        for event in self._execution.events:
            path = self._paths.get(event.previous)
            if path is None:  # the event before it was refused, or has no id of its own
                path = self._by_name(event)
            self._paths[event.id] = self._after(event, path)
        resource: dict[str, AttributeValue] = {"service.name": self._service}
        root = self._root
        for draft in self._drafts:
            if draft.end_ns is None and root.end_ns is not None and root.status == "error":
                # A failed execution stops what its branches still did, without a word for each.
                draft.fail(root.end_ns, "Cancelled")
            yield draft.span(resource)

    def _draft(self, event: StateEvent, name: str, kind: str, path: Path) -> SpanDraft:
        span_id = span_id_of("step_functions", self._execution.key, event.id)
        draft = SpanDraft(self._limits, self._trace_id, span_id, name, kind, event.time_ns)
        draft.service = self._service
        draft.put(SOURCE, "step_functions_history")
        draft.put("retrospan.history.event_id", event.id)
        if self._execution.synthetic:
            draft.put(SYNTHETIC_TIME, True)
        if path:
            draft.parent_span_id = path[-1].span_id
        self._drafts.append(draft)
        return draft

    def _by_name(self, event: StateEvent) -> Path:
        """The state of the event's name that is still open, else the execution."""
        for draft in reversed(self._drafts):
            if event.name is not None and draft.name == event.name and draft.end_ns is None:
                return (self._root, draft)
        return (self._root,)

    def _after(self, event: StateEvent, path: Path) -> Path:
        """Take the event in; the path that events after it stand in."""
        kind = event.type
        if kind.startswith("Execution"):
            self._execution_event(event, path)
            return path
        if kind.endswith("StateEntered"):
            return (*path, self._entered(event, path))
        if kind.endswith(("StateExited", "StateAborted")):
            return self._exited(event, path)
        if kind == "MapIterationStarted":
            return (*path, self._iteration(event, path))
        if kind.startswith("MapIteration"):
            return self._iterated(event, path)
        if kind.endswith("Scheduled") and kind.startswith(CALLS):
            return (*path, self._scheduled(event, path))
        if kind.startswith(CALLS) and path[-1].kind == "client":
            return self._called(event, path)
        return self._noted(event, path)

    def _execution_event(self, event: StateEvent, path: Path) -> None:
        root, details = self._root, event.details
        if event.type == "ExecutionStarted":
            root.body("retrospan.flow.input", _json(details.get("input")))
            root.put("aws.step_functions.role", text_in(details, "roleArn"))
        elif event.type == "ExecutionSucceeded":
            root.body("retrospan.flow.output", _json(details.get("output")))
            root.close(event.time_ns)
        elif event.type.endswith(("Failed", "Aborted", "TimedOut")):
            word, message = _error(event)
            # The states that failed end with the execution: nothing exits them.
            for draft in (*reversed(path[1:]), root):
                if draft.end_ns is None:
                    draft.fail(event.time_ns, word, message)
            if root.end_ns is None:
                root.fail(event.time_ns, word, message)
        else:
            root.event(event.type, event.time_ns)

    def _entered(self, event: StateEvent, path: Path) -> SpanDraft:
        sort = event.type.removesuffix("StateEntered")
        draft = self._draft(event, event.name or "unknown", "internal", path)
        draft.put("aws.step_functions.state", sort)
        if sort == "Task":
            draft.put(STEP_KEY, draft.name)
        elif sort == "Wait":
            draft.put(STEP_KIND, "timer")
            draft.put(STEP_KEY, draft.name)
        draft.body(REQUEST, _json(event.details.get("input")))
        left = self._exits.get(event.previous)
        if left is not None:
            draft.put(_CAUGHT_FROM, left.name)
            draft.put(_CAUGHT, left.attributes.get(_CAUGHT))
            draft.link(left.trace_id, left.span_id, "caught")
            left.put(_CAUGHT_NEXT, draft.name)
        return draft

    def _exited(self, event: StateEvent, path: Path) -> Path:
        if all(draft.name != event.name for draft in path[1:]):
            path = self._by_name(event)
        named = [i for i, draft in enumerate(path) if i and draft.name == event.name]
        at = named[-1] if named else 0
        aborted = event.type.endswith("Aborted")
        if at == 0 or (path[at].end_ns is not None and not aborted):
            self._root.event(event.type, event.time_ns, {"name": event.name})
            return path
        state = path[at]
        error = next((self._failed[id(d)] for d in path[at:] if id(d) in self._failed), None)
        if aborted:
            if state.end_ns is None:
                state.fail(event.time_ns, "Cancelled")
            return path[:at]
        state.body(RESPONSE, _json(event.details.get("output")))
        state.close(event.time_ns)
        if error is not None:
            # It failed and was left all the same: a Catch took the error.
            state.put(_CAUGHT, error)
            self._exits[event.id] = state
        return path[:at]

    def _iteration(self, event: StateEvent, path: Path) -> SpanDraft:
        index = integer(event.details.get("index"))
        name = event.name or "Map"
        draft = self._draft(event, f"{name} iteration", "internal", path)
        draft.put("aws.step_functions.iteration", index)
        return draft

    def _iterated(self, event: StateEvent, path: Path) -> Path:
        at = next(
            (i for i in range(len(path) - 1, 0, -1) if path[i].name.endswith(" iteration")), None
        )
        if at is None:
            return self._noted(event, path)
        if event.type.endswith("Succeeded"):
            path[at].close(event.time_ns)
        elif event.type.endswith("Failed"):
            error = next(
                (self._failed[id(d)] for d in path[at:] if id(d) in self._failed), "Failed"
            )
            path[at].fail(event.time_ns, error)
            self._fail_open(path[at + 1 :], event, error)
            self._failed[id(path[at - 1])] = error
        else:
            path[at].fail(event.time_ns, "Cancelled")
            self._fail_open(path[at + 1 :], event, "Cancelled")
        return path[:at]

    def _fail_open(self, path: Path, event: StateEvent, word: str) -> None:
        for draft in path:
            if draft.end_ns is None:
                draft.fail(event.time_ns, word)

    def _scheduled(self, event: StateEvent, path: Path) -> SpanDraft:
        details, state = event.details, path[-1]
        draft = self._draft(event, state.name, "client", path)
        resource = text_in(details, "resource") or "unknown"
        sort = text_in(details, "resourceType")
        parameters = _json(details.get("parameters", details.get("input")))
        draft.put(PEER, _callee(sort, resource, parameters))
        draft.put("aws.step_functions.resource", f"{sort}:{resource}" if sort else resource)
        seconds = integer(details.get("timeoutInSeconds"))
        draft.put("retrospan.call.timeout_ms", seconds * 1000 if seconds else None)
        draft.body(REQUEST, parameters)
        self._failed.pop(id(state), None)  # a retry: the earlier error was not the last word
        return draft

    def _called(self, event: StateEvent, path: Path) -> Path:
        attempt, details = path[-1], event.details
        if not event.type.endswith(_ENDS):
            attempt.event(event.type, event.time_ns)
            if details.get("output") is not None:
                attempt.body("aws.step_functions.submitted", _json(details["output"]))
            return path
        if event.type.endswith("Succeeded"):
            attempt.body(RESPONSE, _json(details.get("output")))
            attempt.close(event.time_ns)
        else:
            word, message = _error(event)
            attempt.fail(event.time_ns, word, message)
            attempt.put("retrospan.failure.cause", message)
            self._failed[id(path[-2])] = word
        return path[:-1]

    def _noted(self, event: StateEvent, path: Path) -> Path:
        """A note inside the state; one that tells of a failure makes it a failed state."""
        if event.type.endswith(("Failed", "TimedOut")):
            word, message = _error(event)
            inside = path[-1]
            if "error" in event.details or id(inside) not in self._failed:
                self._failed[id(inside)] = word
            told: Object = {"exception.type": word, "exception.message": message}
            inside.event("exception", event.time_ns, told)
        else:
            path[-1].event(event.type, event.time_ns)
        return path


def _error(event: StateEvent) -> tuple[str, str]:
    if event.type.endswith("TimedOut"):
        word = text_in(event.details, "error") or timeout_type(None)
    elif event.type.endswith("Aborted"):
        word = text_in(event.details, "error") or "Cancelled"
    else:
        word = text_in(event.details, "error") or "Failed"
    cause = _json(event.details.get("cause"))
    if isinstance(cause, dict):
        cause = text_in(cause, "errorMessage") or cause
    return word, cause if isinstance(cause, str) else "" if cause is None else str(cause)


def _callee(sort: str | None, resource: str, parameters: object) -> str:
    """The function that was called where it is named, else the service."""
    named = text_in(object_in({"p": parameters}, "p"), "FunctionName")
    if named is not None:
        return named.rsplit(":function:", 1)[-1]
    return sort or resource.rsplit(":function:", 1)[-1].rsplit(":activity:", 1)[-1]


def _json(raw: object) -> object:
    """Inputs and outputs are JSON inside text; recorded test suites hold them decoded."""
    if not isinstance(raw, str):
        return raw
    try:
        return decode_plain(raw.encode("utf-8", "replace"))
    except UndecodableError:
        return raw


def _machine(arn: str | None) -> tuple[str, str]:
    """Service with flow name: the state machine of `arn:…:execution:MACHINE:NAME`."""
    parts = arn.split(":") if arn else []
    if len(parts) >= 7 and parts[5] in ("execution", "express") and parts[6]:
        return parts[6], parts[6]
    return "unknown_service", "StepFunctionsExecution"
