"""Flows recorded by hand, and the code that made them, run on them."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replay.code.engine import Subject, replay_code
from replay.code.settings import Code, CodeSettings
from store.conclusions import Attempt, Flow, FlowOutcome, ReplayResult, Step, StepOutcome
from store.model import Span

MS = 1_000_000
EPOCH_NS = 1_700_000_000 * 1_000_000_000
PROGRAMS = Path(__file__).parent / "programs"
TRACE = "0" * 31 + "1"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One recorded call of the shop; `status` 0 is the `error`. `event_ms` is when each event of a
    stream came, from the call's start."""

    path: str
    start_ms: float
    end_ms: float
    request: Any
    response: Any = None
    status: int = 200
    timeout_ms: int | None = None
    callee_end_ms: float | None = None
    raw: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    event_ms: Sequence[float] = ()
    error: str = "timeout"


def subject(
    calls: Sequence[Call], *, given: Any, output: Any, end_ms: float, draws: Sequence[Any] = ()
) -> Subject:
    """A flow of these calls."""
    steps, spans = [], []
    for number, call in enumerate(calls, 1):
        span_id = f"{number:016x}"
        start, end = EPOCH_NS + round(call.start_ms * MS), EPOCH_NS + round(call.end_ms * MS)
        attributes: dict[str, Any] = {
            "http.request.method": "POST",
            "url.full": f"http://shop.example:8080{call.path}",
            "server.address": "shop.example",
            "http.request.body.content": json.dumps(call.request),
        }
        if call.status:
            attributes["http.response.body.content"] = call.raw or json.dumps(call.response)
        for name, value in call.headers.items():
            attributes[f"http.response.header.{name}"] = [value]
        if call.event_ms:
            attributes["retrospan.stream.event_ns"] = [round(it * MS) for it in call.event_ms]
        spans.append(_span(span_id, start, end, attributes))
        late = call.callee_end_ms
        attempt = Attempt(
            trace_id=TRACE, span_id=span_id, start_ns=start, end_ns=end,
            outcome=StepOutcome.OK if call.status else StepOutcome.TIMEOUT,
            status="ok" if call.status else call.error,
            error=None if call.status else call.error,
            http_status=call.status or None, request=call.request, response=call.response,
            has_request=True, has_response=bool(call.status), timeout_ms=call.timeout_ms,
            callee_end_ns=None if late is None else EPOCH_NS + round(late * MS),
        )  # fmt: skip
        steps.append(_step(number, call, attempt))
    flow = Flow(
        flow_id="f-1", name="order", service="orders", version="1", trace_ids=(TRACE,),
        start_ns=EPOCH_NS, end_ns=EPOCH_NS + round(end_ms * MS), outcome=FlowOutcome.SUCCEEDED,
        input=given, output=output, steps=tuple(steps), span_count=len(steps) + 1,
        decision_ids=(), architecture="central", replayability="R3", complete=True,
        services=("orders", "shop"), critical_path=(), draws=draws,
    )  # fmt: skip
    return Subject(flow=flow, spans=spans)


def _step(number: int, call: Call, attempt: Attempt) -> Step:
    return Step(
        step_id=f"step-{number}", key="", name=f"POST {call.path}", kind="call", service="orders",
        callee="shop.example", operation=f"POST {call.path}", outcome=attempt.outcome,
        start_ns=attempt.start_ns, end_ns=attempt.end_ns, attempts=(attempt,),
    )  # fmt: skip


def _span(span_id: str, start: int, end: int, attributes: Any) -> Span:
    return Span(
        trace_id=TRACE, span_id=span_id, parent_span_id=None, name="POST", kind="client",
        service="orders", start_ns=start, end_ns=end, attributes=attributes,
    )  # fmt: skip


def code(name: str, python: str = sys.executable, **options: Any) -> Code:
    """A function of `programs/`."""
    environment = {**os.environ, **options.pop("environment", {})}
    return Code(name=name, python=python, path=(str(PROGRAMS),), environment=environment, **options)


def run(subject: Subject, name: str, **options: Any) -> ReplayResult:
    """Replay one flow by one function."""
    explore, scenario = options.pop("explore", 0), options.pop("scenario", None)
    settings = options.pop("settings", CodeSettings())
    what = code(name, **options)
    return next(replay_code([subject], what, settings=settings, explore=explore, scenario=scenario))
