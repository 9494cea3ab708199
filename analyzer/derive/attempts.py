"""One attempt as it is remembered, effects at the callee included."""

from analyzer.conventions import (
    BREAKER_STATE,
    DECISION_CHOSEN,
    DECISION_GATE_OUTCOME,
    HTTP_METHOD,
    RESPONSE,
    SAGA_EXTERNAL_REF,
    SAGA_ROLE,
    SAGA_ROLES,
    TIMEOUT_MS,
    document,
    integer,
    text,
)
from analyzer.derive.calls import LOCAL_KINDS, Call
from analyzer.derive.outcomes import Ending, ending_of
from store.conclusions import Attempt, StepOutcome
from store.model import JsonValue

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
REFUSED_WITHOUT_EFFECT = frozenset({501, 503})
"""Server errors that say the request was not worked on; other 5xx leave its effect unknown."""


def attempt_of(call: Call) -> Attempt:
    """The attempt a call was."""
    span, callee, ending = call.span, call.callee_span, call.ending
    callee_ending = ending_of(callee) if callee is not None else None
    has_response, response = _response(call)
    return Attempt(
        trace_id=span.trace_id,
        span_id=span.span_id,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        outcome=ending.outcome,
        status=ending.status,
        error=ending.error,
        http_status=ending.http_status,
        request=call.request,
        response=response,
        has_request=call.has_request,
        has_response=has_response,
        idempotency_key=call.idempotency_key,
        breaker_state=text(call.attributes, BREAKER_STATE),
        timeout_ms=integer(call.attributes, TIMEOUT_MS),
        callee_outcome=callee_ending.outcome if callee_ending is not None else None,
        callee_span_id=callee.span_id if callee is not None else None,
        callee_start_ns=callee.start_ns if callee is not None else None,
        callee_end_ns=callee.end_ns if callee is not None else None,
        took_effect=_took_effect(call, callee_ending),
        external_ref=_external_ref(call),
    )


def _response(call: Call) -> tuple[bool, JsonValue]:
    has_response, response = document(call.attributes, *RESPONSE)
    if has_response or call.kind not in LOCAL_KINDS:
        return has_response, response
    told: dict[str, JsonValue] = {}
    for field, name in (("outcome", DECISION_GATE_OUTCOME), ("chosen", DECISION_CHOSEN)):
        value = text(call.attributes, name)
        if value is not None:
            told[field] = value
    return bool(told), told or None


def _external_ref(call: Call) -> str | None:
    found = text(call.span.attributes, SAGA_EXTERNAL_REF)
    if found is None and call.callee_span is not None:
        found = text(call.callee_span.attributes, SAGA_EXTERNAL_REF)
    return found


def _may_change(call: Call) -> bool | None:
    """Whether a call of this sort changes anything outside; None when nothing tells."""
    if call.kind in LOCAL_KINDS:
        return False
    if text(call.attributes, SAGA_ROLE) in SAGA_ROLES or call.kind in ("compensation", "message"):
        return True
    method = text(call.span.attributes, *HTTP_METHOD)
    if method is None:
        return None
    return method.upper() not in READING_METHODS


def _took_effect(call: Call, callee: Ending | None) -> bool | None:
    changes = _may_change(call)
    if changes is False:
        return False
    done = True if changes else None
    if call.ending.outcome is StepOutcome.OK:
        return done
    if call.ending.not_sent:
        return False
    if callee is not None:
        return _at_callee(call, callee, done)
    http = call.ending.http_status
    if http is not None and (400 <= http < 500 or http in REFUSED_WITHOUT_EFFECT):
        return False
    return None


def _at_callee(call: Call, callee: Ending, done: bool | None) -> bool | None:
    """What the callee's own span says of an attempt that failed for the caller."""
    if callee.outcome is StepOutcome.OK:
        return done
    if callee.outcome is StepOutcome.UNKNOWN:
        return None
    span = call.callee_span
    # A callee that named its effect before it failed has made it.
    made = span is not None and text(span.attributes, SAGA_EXTERNAL_REF) is not None
    return done if made else False
