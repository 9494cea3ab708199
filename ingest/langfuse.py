"""Observations of Langfuse as spans with GenAI names."""

from collections.abc import Iterator
from typing import TypeAlias

from ingest.genai_output import parsed
from ingest.ids import BadIdError, Id, Ids
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import SOURCE, SpanDraft, json_text
from ingest.times import BadTimeError, rfc3339
from store.model import AttributeValue, Rejected

Object: TypeAlias = dict[str, object]
DEPTH_MAX = 4

_OPERATIONS = {
    "GENERATION": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "RETRIEVER": "retrieval",
    "GUARDRAIL": "apply_guardrail",
}
# Names of the exports are camelCase; of a blob storage export, snake_case.
_START = ("startTime", "start_time")
_END = ("endTime", "end_time")
_PARENT = ("parentObservationId", "parent_observation_id")
_TRACE = ("traceId", "trace_id")
_STATUS = ("statusMessage", "status_message")


class Export:
    """One export; keeps the ids it has seen, since a trace may hold an observation twice."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._ids = limits, Ids()
        self._seen: set[tuple[str, str]] = set()

    def read(self, value: object, place: str, trace: Object, depth: int = 0) -> Iterator[Item]:
        """Every observation of a document: a trace, an observation, a page or a list of them."""
        if depth > DEPTH_MAX:
            yield Rejected(record=place, reason="observations nested deeper than an export nests")
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.read(item, f"{place} [{index}]", trace, depth + 1)
        elif not isinstance(value, dict):
            yield Rejected(record=place, reason="not a JSON object")
        elif _first(value, _START) is not None:
            yield from self._observation(value, place, trace)
        else:
            yield from self._container(value, place, trace, depth)

    def _container(self, value: Object, place: str, trace: Object, depth: int) -> Iterator[Item]:
        inner = value.get("trace")
        about = inner if isinstance(inner, dict) else value if "observations" in value else trace
        # Beside the trace the observations stand whole; inside it, without their bodies.
        held = [(name, value.get(name)) for name in ("observations", "data")]
        if about is not value:
            held.append(("trace observations", about.get("observations")))
        found = False
        for name, items in held:
            if isinstance(items, list):
                found = True
                for index, item in enumerate(items):
                    yield from self.read(item, f"{place} {name}[{index}]", about, depth + 2)
        if not found:
            keys = ", ".join(sorted(value)[:5])[:120]
            yield Rejected(record=place, reason=f"no observation: has {keys}; expected startTime")

    def _observation(self, raw: Object, place: str, trace: Object) -> Iterator[Item]:
        try:
            draft = self._draft(raw, trace)
        except (BadTimeError, BadIdError) as error:
            began = json_text(raw)[:200].encode("utf-8", "replace")
            yield Rejected(record=place, reason=str(error), excerpt=excerpt_of(began))
            return
        key = (draft.trace_id, draft.span_id)
        if key in self._seen:  # exports hold the list inside the trace and beside it
            return
        self._seen.add(key)
        resource = _resource(raw)
        service = resource.get("service.name")
        draft.service = service if isinstance(service, str) and service else draft.service
        yield draft.span(resource)

    def _draft(self, raw: Object, trace: Object) -> SpanDraft:
        ids = self._ids
        trace_id = _required(ids.trace(_first(raw, _TRACE) or trace.get("id")), "trace id")
        span_id = _required(ids.span(raw.get("id")), "observation id")
        parent = ids.span(_first(raw, _PARENT))
        start = rfc3339(_first(raw, _START), "startTime")
        ended = _first(raw, _END)
        name = raw.get("name")
        sort = str(raw.get("type") or "SPAN").upper()
        kind = "client" if sort in ("GENERATION", "EMBEDDING") else "internal"
        draft = SpanDraft(
            self._limits,
            trace_id.hex,
            span_id.hex,
            name if isinstance(name, str) and name else sort,
            kind,
            start,
        )
        draft.parent_span_id = None if parent is None else parent.hex
        _describe(draft, raw, sort)
        for what, found in (("trace_id", trace_id), ("span_id", span_id)):
            draft.put(f"retrospan.original.{what}", found.original)
        if parent is None:
            _describe_trace(draft, trace)
        end = start if sort == "EVENT" else None if ended is None else rfc3339(ended, "endTime")
        message = _first(raw, _STATUS)
        if end is not None and raw.get("level") == "ERROR":
            draft.fail(end, "error", message if isinstance(message, str) else "")
        elif end is not None:
            draft.close(end, "unset")
        return draft


def _describe(draft: SpanDraft, raw: Object, sort: str) -> None:
    draft.put(SOURCE, "langfuse")
    draft.put("langfuse.observation.type", sort)
    draft.put("gen_ai.operation.name", _OPERATIONS.get(sort))
    for name, value in _object(_metadata(raw).get("attributes")).items():
        draft.put(name, value)  # what the instrumentation wrote, before Langfuse took it apart
    if sort in ("TOOL", "GUARDRAIL", "GENERATION"):
        draft.put("gen_ai.operation.name", _OPERATIONS[sort])
    generation = sort == "GENERATION"
    for name, into in (
        ("input", "gen_ai.input.messages" if generation else "input.value"),
        ("output", "gen_ai.output.messages" if generation else "output.value"),
    ):
        value = raw.get(name)
        if value not in (None, ""):
            draft.text_body(into, value if isinstance(value, str) else json_text(value))
    draft.put("gen_ai.request.model", raw.get("model") or raw.get("provided_model_name"))
    usage = _object(raw.get("usageDetails") or raw.get("usage_details"))
    draft.put("gen_ai.usage.input_tokens", _number(usage.get("input")))
    draft.put("gen_ai.usage.output_tokens", _number(usage.get("output")))
    cost = raw.get("totalCost") or raw.get("total_cost")
    draft.put("retrospan.decision.cost_usd", _number(cost))
    for name in ("promptName", "promptVersion", "environment", "version", "level"):
        draft.put(f"langfuse.{name}", raw.get(name))
    if sort == "TOOL":
        draft.put("gen_ai.tool.name", raw.get("name"))


def _describe_trace(draft: SpanDraft, trace: Object) -> None:
    draft.put("retrospan.flow.name", trace.get("name"))
    for name, into in (("sessionId", "session.id"), ("userId", "user.id")):
        draft.put(into, trace.get(name))
    for name in ("input", "output"):
        value = trace.get(name)
        if value not in (None, ""):
            text = value if isinstance(value, str) else json_text(value)
            draft.text_body(f"retrospan.flow.{name}", text)


def _resource(raw: Object) -> dict[str, AttributeValue]:
    told = _object(_metadata(raw).get("resourceAttributes"))
    return {name: value for name, value in list(told.items())[:256] if isinstance(value, str)}


def _metadata(raw: Object) -> Object:
    return _object(raw.get("metadata"))


def _object(value: object) -> Object:
    value = parsed(value)
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value or None


def _first(raw: Object, names: tuple[str, ...]) -> object:
    return next((raw[name] for name in names if raw.get(name) is not None), None)


def _required(found: Id | None, what: str) -> Id:
    if found is None:
        raise BadIdError(f"{what} is missing, empty or all zero")
    return found
