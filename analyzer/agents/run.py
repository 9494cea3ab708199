"""A run of agents as a list of turns, out of spans with OpenTelemetry's GenAI names.

In: the spans of one flow. Out: a `Run`, in which nothing is left of what was said of it afterwards,
except in `judged`, which no ranking reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from analyzer.conventions import text
from store.model import Attributes, JsonValue, Span

TURN: Final = "retrospan.agent.turn"
TASK: Final = "retrospan.agent.task"
OPERATION: Final = "gen_ai.operation.name"
SPEAKING: Final = frozenset({"chat", "generate_content", "text_completion"})
EVALUATION: Final = "gen_ai.evaluation.result"
TURNS_MAX: Final = 10_000


class By(StrEnum):
    """Who a turn is of."""

    AGENT = "agent"
    TOOL = "tool"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message: `place` is its number in the recording, `calls` the tools it asks for.

    `calls` are (name, arguments) pairs; a tool's own turn has its call as the only one.
    """

    place: int
    by: By
    agent: str
    text: str
    calls: Sequence[tuple[str, str]]
    failed: bool
    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was said of the run afterwards: who erred, and in which place."""

    agent: str
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run; `task` names what it was asked to do, so that runs of one task can be compared."""

    task: str
    turns: Sequence[Turn]
    judged: Judged | None

    @property
    def spoken(self) -> list[Turn]:
        """The turns of agents: those that can have decided something."""
        return [turn for turn in self.turns if turn.by is By.AGENT]


def run_of(spans: Sequence[Span]) -> Run:
    """The turns of a flow in their order; without any where no agent's messages are recorded."""
    ordered = sorted(spans, key=_order)
    turns: list[Turn] = []
    for span in ordered:
        found = _turn(span, len(turns))
        if found is not None and len(turns) < TURNS_MAX:
            turns.append(found)
    root = next((span for span in ordered if span.parent_span_id is None), None)
    return Run(
        task=(text(root.attributes, TASK) or "") if root is not None else "",
        turns=turns,
        judged=_judged(root) if root is not None else None,
    )


def _order(span: Span) -> tuple[int, int, str]:
    place = span.attributes.get(TURN)
    return span.start_ns, place if isinstance(place, int) else -1, span.span_id


def _turn(span: Span, number: int) -> Turn | None:
    attributes = span.attributes
    operation = text(attributes, OPERATION)
    told = attributes.get(TURN)
    place = told if isinstance(told, int) and not isinstance(told, bool) else None
    said = ""
    calls: list[tuple[str, str]] = []
    if operation in SPEAKING:
        by, agent = By.AGENT, text(attributes, "gen_ai.agent.name") or span.service
        said, calls = _message(attributes, "gen_ai.output.messages")
        said = said or text(attributes, "gen_ai.completion") or ""
    elif operation == "execute_tool":
        by, agent = By.TOOL, text(attributes, "gen_ai.tool.name") or span.name
        said = text(attributes, "gen_ai.tool.call.result") or ""
        calls = [(agent, text(attributes, "gen_ai.tool.call.arguments") or "")]
    elif place is not None:
        by, agent = By.OTHER, ""
        said, _ = _message(attributes, "gen_ai.input.messages")
    else:
        return None
    return Turn(
        place=number if place is None else place,
        by=by,
        agent=agent,
        text=said,
        calls=calls,
        failed=span.status == "error",
        trace_id=span.trace_id,
        span_id=span.span_id,
    )


def _message(attributes: Attributes, name: str) -> tuple[str, list[tuple[str, str]]]:
    """The text of recorded messages, and the tools they ask for."""
    raw = text(attributes, name)
    if raw is None:
        return "", []
    try:
        told: JsonValue = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return raw, []
    texts: list[str] = []
    calls: list[tuple[str, str]] = []
    for message in told if isinstance(told, list) else [told]:
        if isinstance(message, str):
            texts.append(message)
        if not isinstance(message, dict):
            continue
        parts = message.get("parts")
        content = message.get("content")
        for part in parts if isinstance(parts, list) else [content]:
            if isinstance(part, str):
                texts.append(part)
            elif isinstance(part, dict) and part.get("type") == "tool_call":
                calls.append((str(part.get("name")), str(part.get("arguments") or "")))
            elif isinstance(part, dict):
                inner = part.get("content", part.get("text"))
                texts.append(inner if isinstance(inner, str) else "")
    return "\n".join(it for it in texts if it), calls


def _judged(root: Span) -> Judged | None:
    for event in root.events:
        told = event.attributes
        if event.name != EVALUATION or told.get("gen_ai.evaluation.name") != "decisive_step":
            continue
        step = told.get("gen_ai.evaluation.score.value")
        number = int(step) if isinstance(step, int | float) else None
        return Judged(agent=text(told, "gen_ai.evaluation.score.label") or "", place=number)
    return None
