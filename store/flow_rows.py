"""Flows, steps and attempts as rows, and back.

A field that is stored as it is stands in a `*_FIELDS` table under its own name, which is also its
column's; the others are handled one by one, on both ways side by side. Sequences come back as
tuples, decimals with the digits they were written with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from operator import attrgetter
from typing import Any

import pyarrow as pa

from store.conclusions import Attempt, CriticalSegment, Flow, FlowOutcome, Step, StepOutcome
from store.rows import Row, number, trace_text
from store.values import from_json, to_json

_TEXT, _INT, _SMALL, _BOOL, _ID = pa.string(), pa.int64(), pa.int32(), pa.bool_(), pa.uint64()
_TEXTS = pa.list_(pa.string())

_FLOW_FIELDS = {
    "flow_id": _TEXT,
    "name": _TEXT,
    "version": _TEXT,
    "start_ns": _INT,
    "end_ns": _INT,
    "service": _TEXT,
    "span_count": _INT,
    "architecture": _TEXT,
    "replayability": _TEXT,
    "complete": _BOOL,
    "sampling": _TEXT,
    "variant": _TEXT,
}
_FLOW_LISTS = ("services", "trace_ids", "decision_ids", "ties", "evidence_gaps")
_FLOW_JSON = ("input", "output", "draws", "critical_path")
_STEP_FIELDS = {
    "step_id": _TEXT,
    "key": _TEXT,
    "name": _TEXT,
    "kind": _TEXT,
    "service": _TEXT,
    "callee": _TEXT,
    "operation": _TEXT,
    "start_ns": _INT,
    "end_ns": _INT,
    "parent_step_id": _TEXT,
    "saga_id": _TEXT,
    "saga_step": _TEXT,
    "role": _TEXT,
    "role_grade": _SMALL,
    "compensates": _TEXT,
    "compensates_grade": _SMALL,
    "resource": _TEXT,
    "currency": _TEXT,
    "max_attempts": _INT,
    "backoff_initial_ms": _INT,
}
_ATTEMPT_FIELDS = {
    "start_ns": _INT,
    "end_ns": _INT,
    "status": _TEXT,
    "error": _TEXT,
    "http_status": _INT,
    "has_request": _BOOL,
    "has_response": _BOOL,
    "idempotency_key": _TEXT,
    "breaker_state": _TEXT,
    "timeout_ms": _INT,
    "callee_start_ns": _INT,
    "callee_end_ns": _INT,
    "took_effect": _BOOL,
    "external_ref": _TEXT,
}
FLOW_COUNTS = ("step_count", "attempt_count", "compensation_count")
FLOW_SCHEMA = pa.schema(
    {
        **_FLOW_FIELDS,
        "outcome": _TEXT,
        "sampling_weight": _TEXT,
        **dict.fromkeys(_FLOW_LISTS, _TEXTS),
        **dict.fromkeys(_FLOW_JSON, _TEXT),
        **dict.fromkeys(FLOW_COUNTS, _INT),
    }
)
STEP_SCHEMA = pa.schema(
    {
        **_STEP_FIELDS,
        "outcome": _TEXT,
        "amount_text": _TEXT,
        "backoff_text": _TEXT,
        "flow_id": _TEXT,
        "ordinal": _SMALL,
        "attempt_count": _INT,
    }
)
ATTEMPT_SCHEMA = pa.schema(
    {
        **_ATTEMPT_FIELDS,
        "outcome": _TEXT,
        "callee_outcome": _TEXT,
        "trace_id": _TEXT,
        "span_id": _ID,
        "callee_span_id": _ID,
        "request_sha256": _TEXT,
        "response_sha256": _TEXT,
        "flow_id": _TEXT,
        "step_id": _TEXT,
        "step_ordinal": _SMALL,
        "ordinal": _SMALL,
    }
)
MEMBER_SCHEMA = pa.schema({"flow_id": _TEXT, "trace_id": _TEXT, "span_id": _ID})
ALIAS_SCHEMA = pa.schema({"alias": _TEXT, "flow_id": _TEXT})
BODY_KEYS = pa.schema({"sha256": _TEXT})
UNDOING_SCHEMA = pa.schema({"flow_id": _TEXT, "contents": _TEXT, "times_ns": pa.list_(_INT)})
PAYLOAD_SCHEMA = pa.schema({"sha256": _TEXT, "body": _TEXT})

_flow_fields = attrgetter(*_FLOW_FIELDS)
_flow_lists = attrgetter(*_FLOW_LISTS)
_step_fields = attrgetter(*_STEP_FIELDS)
_attempt_fields = attrgetter(*_ATTEMPT_FIELDS)


def flow_row(flow: Flow) -> Row:
    """One row of `FLOW_SCHEMA`."""
    critical_path = [[segment.span_id, segment.self_ns] for segment in flow.critical_path]
    return (
        *_flow_fields(flow),
        flow.outcome,
        None if flow.sampling_weight is None else str(flow.sampling_weight),
        *_flow_lists(flow),
        *map(to_json, (flow.input, flow.output, flow.draws, critical_path)),
        len(flow.steps),
        flow.attempt_count,
        flow.compensation_count,
    )


def flow_of(row: Sequence[Any], steps: Sequence[Step]) -> Flow:
    """The flow of a row of `read/flows`."""
    fields: dict[str, Any] = dict(zip(_FLOW_FIELDS, row, strict=False))
    outcome, weight, *rest = row[len(fields) :]
    lists: dict[str, Any] = {
        name: tuple(value) for name, value in zip(_FLOW_LISTS, rest, strict=False)
    }
    texts = rest[len(lists) :]
    given, result, draws, critical_path = map(from_json, texts)
    return Flow(
        **fields,
        **lists,
        outcome=FlowOutcome(outcome),
        sampling_weight=None if weight is None else Fraction(weight),
        input=given,
        output=result,
        draws=tuple(draws),
        critical_path=tuple(CriticalSegment(span_id=i, self_ns=ns) for i, ns in critical_path),
        steps=tuple(steps),
    )


def step_rows(flow: Flow) -> Iterator[Row]:
    """Rows of `STEP_SCHEMA`, in the flow's order."""
    for ordinal, step in enumerate(flow.steps):
        yield (
            *_step_fields(step),
            step.outcome,
            decimal_text(step.amount),
            decimal_text(step.backoff_coefficient),
            flow.flow_id,
            ordinal,
            len(step.attempts),
        )


def step_of(row: Sequence[Any], attempts: Sequence[Attempt]) -> Step:
    """The step of a row of `read/steps`."""
    fields: dict[str, Any] = dict(zip(_STEP_FIELDS, row, strict=False))
    outcome, amount, backoff_coefficient = row[len(fields) :]
    return Step(
        **fields,
        outcome=StepOutcome(outcome),
        amount=decimal_of(amount),
        backoff_coefficient=decimal_of(backoff_coefficient),
        attempts=tuple(attempts),
    )


def attempt_rows(flow: Flow, bodies: dict[str, str]) -> Iterator[Row]:
    """Rows of `ATTEMPT_SCHEMA`; their bodies are added to `bodies` by SHA-256."""

    def key_of(body: object) -> str | None:
        if body is None:
            return None
        text = to_json(body)
        key = sha256(text.encode()).hexdigest()
        bodies[key] = text
        return key

    for step_ordinal, step in enumerate(flow.steps):
        for ordinal, attempt in enumerate(step.attempts):
            callee = attempt.callee_span_id
            yield (
                *_attempt_fields(attempt),
                attempt.outcome,
                attempt.callee_outcome,
                trace_text(attempt.trace_id),
                number(attempt.span_id),
                None if callee is None else number(callee),
                key_of(attempt.request),
                key_of(attempt.response),
                flow.flow_id,
                step.step_id,
                step_ordinal,
                ordinal,
            )


def attempt_of(row: Sequence[Any]) -> Attempt:
    """The attempt of a row of `read/attempts`."""
    fields: dict[str, Any] = dict(zip(_ATTEMPT_FIELDS, row, strict=False))
    outcome, callee_outcome, trace_id, span_id, callee, request, response = row[len(fields) :]
    return Attempt(
        **fields,
        outcome=StepOutcome(outcome),
        callee_outcome=None if callee_outcome is None else StepOutcome(callee_outcome),
        trace_id=trace_id,
        span_id=span_id,
        callee_span_id=callee,
        request=None if request is None else from_json(request),
        response=None if response is None else from_json(response),
    )


def decimal_text(value: Decimal | None) -> str | None:
    """The digits of a decimal, scale included."""
    return None if value is None else str(value)


def decimal_of(text: str | None) -> Decimal | None:
    """The decimal `decimal_text` wrote."""
    return None if text is None else Decimal(text)


def member_rows(members: Mapping[str, Iterable[tuple[str, str]]]) -> Iterator[Row]:
    """Rows of `MEMBER_SCHEMA`."""
    for flow_id, spans in members.items():
        for trace_id, span_id in spans:
            yield flow_id, trace_text(trace_id), number(span_id)


def alias_rows(aliases: Mapping[str, Iterable[str]]) -> Iterator[Row]:
    """Rows of `ALIAS_SCHEMA`."""
    for flow_id, others in aliases.items():
        for alias in others:
            yield alias, flow_id
