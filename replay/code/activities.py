"""What a flow's activities gave: functions of the team's own that were recorded whole.

In: a flow and its spans; the child's `activity` marks a span with its name. Out: an exchange for
each, so that an activity is matched and judged as a call is. What an activity called inside is not
called in a replay.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.conventions import (
    ERROR_TYPE,
    EXCEPTION_MESSAGE,
    EXCEPTION_TYPE,
    REQUEST,
    RESPONSE,
    text,
)
from replay.exchange import Exchange
from store.conclusions import Attempt, Flow, StepOutcome
from store.model import Span

ACTIVITY, RUN = "activity", "RUN"
NAME = "retrospan.activity"
INNER_DEPTH_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Activities:
    """`exchanges` by start; `attempts` by span id; `inner` are the ids of all spans below them;
    `running` names those of which neither result nor error was recorded."""

    exchanges: Sequence[Exchange] = ()
    attempts: Mapping[str, Attempt] = field(default_factory=dict)
    inner: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()


def activities_of(flow: Flow, spans: Iterable[Span]) -> Activities:
    """The activities that the flow's own service ran."""
    spans = list(spans)
    marked = [span for span in spans if span.service == flow.service and NAME in span.attributes]
    if not marked:
        return Activities()
    running = frozenset(_name(span) for span in marked if not _ended(span))
    whole = {span.span_id: span for span in marked if _name(span) not in running}
    inner = _below(spans, whole)
    outer = sorted(
        (span for span_id, span in whole.items() if span_id not in inner),
        key=lambda it: (it.start_ns, it.span_id),
    )
    steps = {attempt.span_id: step for step in flow.steps for attempt in step.attempts}
    made = []
    for span in outer:
        step = steps.get(span.span_id)
        made.append(_exchange(flow, span, span.span_id if step is None else step.step_id))
    attempts = {span.span_id: _attempt(span) for span in outer}
    return Activities(exchanges=made, attempts=attempts, inner=inner, running=running)


def _name(span: Span) -> str:
    return text(span.attributes, NAME) or span.name


def _ended(span: Span) -> bool:
    return text(span.attributes, *RESPONSE) is not None or span.status == "error"


def _below(spans: Sequence[Span], above: Mapping[str, Span]) -> frozenset[str]:
    parents = {span.span_id: span.parent_span_id for span in spans}
    found = set()
    for span in spans:
        at, depth = span.parent_span_id, 0
        while at is not None and depth < INNER_DEPTH_MAX:
            if at in above:
                found.add(span.span_id)
                break
            at, depth = parents.get(at), depth + 1
    return frozenset(found)


def _exchange(flow: Flow, span: Span, step_id: str) -> Exchange:
    error = _error(span)
    end_ns = span.start_ns if span.end_ns is None else span.end_ns
    return Exchange(
        span_id=span.span_id,
        step_id=step_id,
        op=f"{ACTIVITY} {RUN} {_name(span)}",
        key="",
        callee=ACTIVITY,
        host=ACTIVITY,
        method=RUN,
        path=_name(span),
        query="",
        start_ns=span.start_ns - flow.start_ns,
        answer_after_ns=end_ns - span.start_ns,
        request_body=text(span.attributes, *REQUEST),
        status=None if error else 200,
        error=error or None,
        response_body=_message(span) if error else text(span.attributes, *RESPONSE),
    )


def _error(span: Span) -> str:
    if span.status != "error":
        return ""
    told = [text(event.attributes, *EXCEPTION_TYPE) for event in span.events]
    raised = next((it for it in reversed(told) if it), None)
    return raised or text(span.attributes, *ERROR_TYPE) or "RuntimeError"


def _message(span: Span) -> str:
    told = [text(event.attributes, *EXCEPTION_MESSAGE) for event in span.events]
    return next((it for it in reversed(told) if it), span.status_message)


def _attempt(span: Span) -> Attempt:
    error = _error(span) or None
    return Attempt(
        trace_id=span.trace_id,
        span_id=span.span_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        outcome=StepOutcome.ERROR if error else StepOutcome.OK,
        status=error or "ok",
        error=error,
        http_status=None if error else 200,
    )
