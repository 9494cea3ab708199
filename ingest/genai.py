"""Decisions that spans, or the GenAI events of logs, tell of: a gate, a model's answer.

A span that only refers to a decision by its id tells none: the decision log holds that one. Derived
records say so (`derived_from`), so that a decision log's record of the same span can be preferred.
What a log event tells is judged by itself, wherever its span is: so the order of loading, and how
it is cut, change nothing.
"""

import datetime
import hashlib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from ingest.genai_output import Answer, answer_in, parsed, short
from store.model import AttributeValue, Decision, JsonValue, LogRecord, Span, SpanEvent

DECISION_ID = "retrospan.decision.id"
CHOSEN = "retrospan.decision.chosen"
DERIVED_FROM = "derived_from"

_FINISH = ("gen_ai.response.finish_reasons", "ai.response.finishReason")
# Without any of these a span tells of no decision.
SIGNS = frozenset(
    {
        CHOSEN,
        "gen_ai.operation.name",
        "gen_ai.completion",
        "gen_ai.output.messages",
        "openinference.span.kind",
        *_FINISH,
    }
)

# Operations in which a model chooses; a tool that runs or an agent around it chooses nothing new.
_CHOOSING = frozenset({"chat", "generate_content", "text_completion", "apply_guardrail"})
_OPENINFERENCE = frozenset({"LLM", "GUARDRAIL", "EVALUATOR"})
_OUTPUTS = (
    "gen_ai.output.messages",
    "gen_ai.completion",
    "ai.response.toolCalls",
    "ai.response.text",
    "ai.response.object",
    "output.value",
    "output",
)
_INPUTS = ("gen_ai.input.messages", "gen_ai.prompt", "input.value", "ai.prompt.messages", "input")
_MODEL = ("gen_ai.request.model", "llm.model_name", "ai.model.id", "gen_ai.response.model")
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "ai.model.provider")
_AGENT = ("gen_ai.agent.name", "agent.name", "gen_ai.agent.id")
_POLICY = ("retrospan.decision.policy.id", "gen_ai.agent.governance.ref")
_GATE = (
    "retrospan.decision.gate.outcome",
    "gen_ai.security.decision.type",
    "gen_ai.agent.decision.outcome",
)
_LABELS = ("gen_ai.evaluation.score.label", "annotations.0.annotation.label")
_USAGE = {
    "input_tokens": ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    "output_tokens": ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
}
_CHOICES_MAX = 8
# Names of events that hold what a model answered; others hold what it was asked.
_ANSWERS = ("gen_ai.choice", "gen_ai.content.completion")


def decisions_of_log(log: LogRecord) -> Iterator[Decision]:
    """The decision that an event in a log tells of its span, if any: as that span's event would.

    Of several choices of one answer the first is the one that was made.
    """
    if log.trace_id is None or log.span_id is None or not is_answer(log.event_name):
        return
    body = log.body if isinstance(log.body, dict) else {}
    told = {**body, **log.attributes}
    if told.get("index") not in (None, 0):
        return
    event = SpanEvent(name=log.event_name, time_ns=log.time_ns, attributes=told)
    span = Span(
        trace_id=log.trace_id,
        span_id=log.span_id,
        parent_span_id=None,
        name=log.event_name,
        kind="client",
        service=log.service,
        start_ns=log.time_ns,
        end_ns=log.time_ns,
        attributes={"gen_ai.operation.name": "chat", **log.attributes},
        events=[event],
    )
    yield from decisions_of(span, derived_from="log")


def decisions_of(span: Span, derived_from: str = "span") -> Iterator[Decision]:
    """The decision a span tells of, if any; its id stands for the span unless one was recorded."""
    attributes = span.attributes
    said = _text(attributes, CHOSEN)
    if said is None and DECISION_ID in attributes:
        return
    answer = Answer(text=said) if said else _answer(span)
    chosen = answer.chosen if answer is not None else ""
    if answer is None or not chosen:
        return
    confidence = _exact(attributes.get("retrospan.decision.confidence"))
    threshold = _exact(attributes.get("retrospan.decision.threshold"))
    decision_id = _text(attributes, DECISION_ID) or f"span:{span.trace_id}/{span.span_id}"
    time_ns = span.end_ns if span.end_ns is not None else span.start_ns
    policy = _policy(attributes)
    record: dict[str, JsonValue] = {
        "schema": "retrospan.decision/1",
        "decision_id": decision_id,
        "time": _written(time_ns),
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "chosen": chosen,
        DERIVED_FROM: derived_from,
        **_parts(span, answer),
    }
    for name, value in (("confidence", confidence), ("threshold", threshold)):
        if value is not None:
            record[name] = value
    if policy:
        record["policy"] = {**policy}
    model, version = _text(attributes, *_MODEL), _text(attributes, "gen_ai.response.model")
    yield Decision(
        decision_id=decision_id,
        time_ns=time_ns,
        chosen=chosen,
        trace_id=span.trace_id,
        span_id=span.span_id,
        flow_id=_text(attributes, "retrospan.flow.id"),
        confidence=confidence,
        threshold=threshold,
        model_name=model,
        model_version=version,
        policy_id=policy.get("id"),
        policy_version=policy.get("version"),
        policy_outcome=policy.get("outcome"),
        action_step_key=_text(attributes, "retrospan.step.key"),
        record=record,
    )


def _answer(span: Span) -> Answer | None:
    """What a choosing span answered; None for any other span."""
    attributes = span.attributes
    sort = str(attributes.get("openinference.span.kind") or "").upper()
    operation = _text(attributes, "gen_ai.operation.name")
    choosing = operation in _CHOOSING or sort in _OPENINFERENCE
    if not choosing and (operation or sort or not _is_generation(attributes)):
        return None
    if sort in ("GUARDRAIL", "EVALUATOR") or operation == "apply_guardrail":
        judged = _text(attributes, *_GATE, *_LABELS)
        if judged is not None:
            return Answer(text=short(judged))
    finish = answer_in({"finish_reason": _plain(_first(attributes, _FINISH))}).finish
    found = [answer_in(_plain(attributes[name])) for name in _OUTPUTS if attributes.get(name)]
    found += [_indexed(attributes), *_from_events(span)]
    tools = next((answer.tools for answer in found if answer.tools), ())
    text = next((answer.text for answer in found if answer.text), "")
    ended = finish or next((answer.finish for answer in found if answer.finish), "")
    return Answer(tools=tools, text=text, finish=ended)


def _is_generation(attributes: Mapping[str, AttributeValue]) -> bool:
    """Whether a span without an operation is a model's all the same: older emitters name none."""
    return any(name in attributes for name in ("gen_ai.completion", "gen_ai.output.messages")) or (
        "gen_ai.request.model" in attributes and _first(attributes, _FINISH) is not None
    )


def _indexed(attributes: Mapping[str, AttributeValue]) -> Answer:
    """Messages that are spread over numbered attributes."""
    tools: list[str] = []
    texts: list[str] = []
    for i in range(_CHOICES_MAX):
        for j in range(_CHOICES_MAX):
            message = f"llm.output_messages.{i}.message"
            for name in (
                f"{message}.tool_calls.{j}.tool_call.function.name",
                f"gen_ai.completion.{i}.tool_calls.{j}.name",
            ):
                found = _text(attributes, name)
                tools += [found] if found else []
            texts.append(_text(attributes, f"{message}.contents.{j}.message_content.text") or "")
        said = (f"llm.output_messages.{i}.message.content", f"gen_ai.completion.{i}.content")
        texts.append(_text(attributes, *said) or "")
    text = next((text for text in texts if text), "")
    finish = _text(attributes, "gen_ai.completion.0.finish_reason") or ""
    return Answer(tools=tuple(tools), text=short(text), finish=finish)


def _from_events(span: Span) -> Iterator[Answer]:
    for event in span.events:
        if is_answer(event.name):
            told = {key: parsed(_plain(value)) for key, value in event.attributes.items()}
            yield answer_in(told)


def is_answer(event_name: str) -> bool:
    """Whether events of that name hold what a model answered."""
    return event_name in _ANSWERS or event_name.startswith("gen_ai.client.inference")


def _parts(span: Span, answer: Answer) -> dict[str, JsonValue]:
    """Actor, model, prompt, usage, what was asked: whatever the span says of them."""
    attributes = span.attributes
    actor: dict[str, JsonValue] = {"service": span.service}
    model: dict[str, JsonValue] = {}
    usage: dict[str, JsonValue] = {}
    for into, name, names in (
        (actor, "agent", _AGENT),
        (model, "name", _MODEL),
        (model, "version", ("gen_ai.response.model",)),
        (model, "provider", _PROVIDER),
    ):
        found = _text(attributes, *names)
        if found is not None:
            into[name] = found
    for name, counts in _USAGE.items():
        count = _first(attributes, counts)
        if isinstance(count, int | float) and not isinstance(count, bool):
            usage[name] = count
    parts: dict[str, JsonValue] = {"actor": actor}
    for name, part in (("model", model), ("usage", usage)):
        if part:
            parts[name] = part
    asked = _text(attributes, *_INPUTS)
    if asked is not None:  # the span holds what was asked; the decision holds its digest
        parts["input_sha256"] = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()
    if answer.finish:
        parts["finish_reason"] = answer.finish
    return parts


def _policy(attributes: Mapping[str, AttributeValue]) -> dict[str, str]:
    found = {
        "id": _text(attributes, *_POLICY),
        "version": _text(attributes, "retrospan.decision.policy.version"),
        "outcome": _text(attributes, *_GATE),
    }
    return {name: value for name, value in found.items() if value is not None}


def _first(attributes: Mapping[str, AttributeValue], names: tuple[str, ...]) -> AttributeValue:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _text(attributes: Mapping[str, AttributeValue], *names: str) -> str | None:
    return next((v for name in names if isinstance(v := attributes.get(name), str) and v), None)


def _plain(value: AttributeValue) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _exact(value: AttributeValue) -> str | None:
    """Decimal text of a finite number; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return str(value).strip() if Decimal(str(value)).is_finite() else None
    except InvalidOperation:
        return None


def _written(time_ns: int) -> str:
    """RFC 3339 with nanoseconds."""
    at = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09d}Z"
