"""What a workflow engine's history tells of a flow beside its steps: signals, updates, patches."""

import json
from collections.abc import Sequence

from retrospan.documents import Document
from retrospan.text import shortened, visible
from retrospan.timespan import humane
from store import read
from store.conclusions import Flow
from store.lease import Session
from store.model import Attributes, JsonValue

SHOWN_MAX = 40
_KINDS = {
    "WorkflowExecutionSignaled": "signal",
    "WorkflowExecutionCancelRequested": "cancel",
    "WorkflowExecutionUpdateAccepted": "update",
    "WorkflowExecutionUpdateCompleted": "updated",
    "WorkflowExecutionContinuedAsNew": "goes on as",
    "marker core_patch": "patch",
    "marker Version": "version",
}
_NAMES = ("signal_name", "update_name", "patch_id", "cause", "reason")


def workflow_events(session: Session, flow: Flow) -> list[Document]:
    """Every such event in the order of time: `{at_ns, kind, name, value}`; times since 1970."""
    if not flow.flow_id.startswith("wf:"):
        return []
    found: list[Document] = []
    for span in read.read_spans(session, flow.trace_ids):
        ids = [str(span.attributes.get(it, "")) for it in ("temporalWorkflowID", "temporalRunID")]
        if f"wf:{'/'.join(ids)}" != flow.flow_id or "retrospan.flow.name" not in span.attributes:
            continue
        for event in span.events:
            kind = _KINDS.get(event.name)
            if kind is not None:
                value = event.attributes.get("input", event.attributes.get("output"))
                found.append({
                    "at_ns": event.time_ns, "kind": kind, "value": _plain(value),
                    "name": _name(kind, event.attributes, span.attributes),
                })  # fmt: skip
    return found


def event_lines(events: Sequence[Document], start_ns: int) -> list[str]:
    """The events for a person, one a line."""
    lines = []
    for event in events[:SHOWN_MAX]:
        at_ns, value = event["at_ns"], event["value"]
        assert isinstance(at_ns, int)
        told = "" if value is None else f": {shortened(str(value))}"
        lines.append(f"{event['kind']:<13} {event['name']} after {humane(at_ns - start_ns)}{told}")
    if len(events) > SHOWN_MAX:
        lines.append(f"and {len(events) - SHOWN_MAX} more signals, updates and patches; see --json")
    return [visible(line) for line in lines]


def _name(kind: str, told: Attributes, root: Attributes) -> str:
    if kind == "goes on as":
        return f"run {root.get('retrospan.workflow.continued_as', 'unknown')!s}"
    for name in _NAMES:
        if told.get(name):
            return str(told[name])
    return "the workflow"


def _plain(value: object) -> JsonValue:
    """A value of an event: text as it is, all else as JSON text."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
