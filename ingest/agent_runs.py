"""Recorded runs of agents, message by message, as spans with OpenTelemetry's GenAI names.

Such recordings have no times, so the messages get a made-up order, marked as such. What people or a
benchmark said of the run afterwards is kept as `gen_ai.evaluation.result` events of the root span:
it is no part of what the agents did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.limits import Limits
from ingest.reader import Item
from ingest.span_draft import (
    SOURCE,
    SYNTHETIC_TIME,
    SpanDraft,
    json_text,
    span_id_of,
    trace_id_of,
)
from store.model import AttributeValue

TURN = "retrospan.agent.turn"
TASK = "retrospan.agent.task"
EVALUATION = "gen_ai.evaluation.result"
SECOND = 10**9
MILLISECOND = 10**6
ROUNDS_MAX = 100_000
"""More messages than this are of no run: a file of another kind, or a broken one."""

By = Literal["agent", "tool", "person", "instructions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool that an agent called, with its arguments as text."""

    name: str
    arguments: str
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a run: who said it and what; `failed` is what a tool answers that failed."""

    by: By
    name: str
    text: str
    calls: Sequence[Call] = ()
    answers: Call | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What was said of a run afterwards."""

    name: str
    score: float | None = None
    label: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A run with its messages in order; `succeeded` is None where nobody judged it."""

    source: str
    name: str
    task: str
    key: str
    question: str
    messages: Sequence[Message]
    evaluations: Sequence[Evaluation]
    succeeded: bool | None


def spans_of(run: Recorded, limits: Limits) -> Iterator[Item]:
    """The span of the run, then one for each message."""
    key = json_text([run.key, run.question, [[it.name, it.text] for it in run.messages]])
    trace_id, root_id = trace_id_of(run.source, key), span_id_of(run.source, key, "run")
    root = SpanDraft(limits, trace_id, root_id, run.name, "internal", 2 * SECOND)
    root.put(SOURCE, run.source)
    root.put(SYNTHETIC_TIME, True)
    root.put("retrospan.flow.name", run.name)
    root.put(TASK, run.task)
    root.put("gen_ai.operation.name", "invoke_workflow")
    if run.question:
        root.text_body("retrospan.flow.input", run.question)
    if run.succeeded is not None:
        root.put("retrospan.flow.outcome", "succeeded" if run.succeeded else "failed")
    end_ns = SECOND * (2 + len(run.messages))
    for it in run.evaluations:
        told: dict[str, object] = {
            "gen_ai.evaluation.name": it.name,
            "gen_ai.evaluation.score.value": it.score,
            "gen_ai.evaluation.score.label": it.label,
            "gen_ai.evaluation.explanation": it.explanation,
        }
        root.event(EVALUATION, end_ns, told)
    root.close(end_ns, "unset")
    resource: dict[str, AttributeValue] = {"service.name": run.source}
    root.service = run.source
    yield root.span(resource)
    for index, message in enumerate(run.messages):
        draft = _message(run, index, message, limits, trace_id, span_id_of(run.source, key, index))
        draft.parent_span_id = root_id
        draft.service = run.source
        yield draft.span(resource)


def _message(
    run: Recorded, index: int, message: Message, limits: Limits, trace_id: str, span_id: str
) -> SpanDraft:
    start = SECOND * (2 + index)
    draft = SpanDraft(limits, trace_id, span_id, _name(message), "client", start)
    draft.put(SOURCE, run.source)
    draft.put(SYNTHETIC_TIME, True)
    draft.put(TURN, index)
    if message.by == "agent":
        _agent(draft, message)
    elif message.by == "tool":
        _tool(draft, message)
    else:
        draft.kind = "internal"
        said = "system" if message.by == "instructions" else "user"
        draft.text_body("gen_ai.input.messages", json_text([_told(said, message)]))
    if message.failed:
        draft.fail(start + MILLISECOND, "tool_error", message.text[:200])
    else:
        draft.close(start + MILLISECOND, "unset")
    return draft


def _name(message: Message) -> str:
    operation = {"agent": "chat", "tool": "execute_tool", "person": "message"}
    return f"{operation.get(message.by, 'instructions')} {message.name}".strip()


def _agent(draft: SpanDraft, message: Message) -> None:
    draft.kind = "internal"
    draft.put("retrospan.step.kind", "decision")
    draft.put("gen_ai.operation.name", "chat")
    draft.put("gen_ai.agent.name", message.name)
    draft.text_body("gen_ai.output.messages", json_text([_told("assistant", message)]))


def _tool(draft: SpanDraft, message: Message) -> None:
    draft.put("gen_ai.operation.name", "execute_tool")
    draft.put("gen_ai.tool.name", message.name)
    draft.put("service.peer.name", message.name)
    if message.answers is not None:
        draft.put("gen_ai.tool.call.id", message.answers.call_id)
        draft.text_body("gen_ai.tool.call.arguments", message.answers.arguments)
    draft.text_body("gen_ai.tool.call.result", message.text)


def _told(role: str, message: Message) -> dict[str, object]:
    """A message in the shape of the GenAI conventions."""
    parts: list[dict[str, object]] = []
    if message.text:
        parts.append({"type": "text", "content": message.text})
    parts += [
        {"type": "tool_call", "id": it.call_id, "name": it.name, "arguments": it.arguments}
        for it in message.calls
    ]
    return {"role": role, "parts": parts}
