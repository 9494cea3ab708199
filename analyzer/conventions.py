"""Attribute names we read, and small typed ways to read them.

Each tuple lists the stable OpenTelemetry spelling first, then previous ones; the first name that
holds a usable value wins. A value of the wrong type counts as absent: data from outside is never
trusted to follow its own convention.
"""

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from store.model import Attributes, AttributeValue, JsonValue, Span

BODY_CHARACTERS_MAX: Final = 262_144
"""A longer body stays text: parsing it would cost more than any question about it is worth."""

FLOW_ID: Final = "retrospan.flow.id"
FLOW_NAME: Final = "retrospan.flow.name"
FLOW_VERSION: Final = "retrospan.flow.version"
FLOW_INPUT: Final = "retrospan.flow.input"
FLOW_OUTPUT: Final = "retrospan.flow.output"
FLOW_OUTCOME: Final = "retrospan.flow.outcome"

STEP_KEY: Final = "retrospan.step.key"
STEP_KIND: Final = "retrospan.step.kind"
REQUEST: Final = (
    "retrospan.step.request",
    "http.request.body.content",
    "http.request.body",
    "rpc.request.body",
    "gen_ai.tool.call.arguments",
)
RESPONSE: Final = (
    "retrospan.step.response",
    "http.response.body.content",
    "http.response.body",
    "rpc.response.body",
    "gen_ai.tool.call.result",
)
BODY_TRUNCATED: Final = "retrospan.body.truncated"
IDEMPOTENCY_KEY: Final = (
    "retrospan.idempotency_key",
    "http.request.header.idempotency-key",
    "http.request.header.idempotency_key",
)
TIMEOUT_MS: Final = "retrospan.call.timeout_ms"
MAX_ATTEMPTS: Final = "retrospan.call.max_attempts"
BACKOFF_INITIAL_MS: Final = "retrospan.call.backoff_initial_ms"
BACKOFF_COEFFICIENT: Final = "retrospan.call.backoff_coefficient"
RESEND_COUNT: Final = "http.request.resend_count"
BREAKER_STATE: Final = "retrospan.breaker.state"

SAGA_ID: Final = "retrospan.saga.id"
SAGA_STEP: Final = "retrospan.saga.step"
SAGA_ROLE: Final = "retrospan.saga.role"
SAGA_COMPENSATES: Final = "retrospan.saga.compensates"
SAGA_RESOURCE: Final = "retrospan.saga.resource"
SAGA_AMOUNT: Final = "retrospan.saga.amount"
SAGA_CURRENCY: Final = "retrospan.saga.currency"
SAGA_EXTERNAL_REF: Final = "retrospan.saga.external_ref"
SAGA_ROLES: Final = frozenset({"compensatable", "pivot", "retriable", "compensation"})

DECISION_ID: Final = "retrospan.decision.id"
DECISION_CONFIDENCE: Final = "retrospan.decision.confidence"
DECISION_THRESHOLD: Final = "retrospan.decision.threshold"
DECISION_CHOSEN: Final = "retrospan.decision.chosen"
DECISION_POLICY_ID: Final = "retrospan.decision.policy.id"
DECISION_POLICY_VERSION: Final = "retrospan.decision.policy.version"
DECISION_GATE_OUTCOME: Final = "retrospan.decision.gate.outcome"

EFFECT_EVENT: Final = "retrospan.effect"

HTTP_METHOD: Final = ("http.request.method", "http.method")
HTTP_STATUS: Final = ("http.response.status_code", "http.status_code")
URL_TEMPLATE: Final = ("url.template", "http.route")
URL_PATH: Final = ("url.path", "http.target", "url.full", "http.url")
PEER: Final = ("service.peer.name", "peer.service")
ADDRESS: Final = ("server.address", "net.peer.name", "http.host")
PORT: Final = ("server.port", "net.peer.port")
RPC_SERVICE: Final = ("rpc.service",)
RPC_METHOD: Final = ("rpc.method",)
RPC_STATUS: Final = ("rpc.response.status_code", "rpc.grpc.status_code")
DB_SYSTEM: Final = ("db.system.name", "db.system")
DB_OPERATION: Final = ("db.operation.name", "db.operation")
MESSAGING_SYSTEM: Final = ("messaging.system",)
MESSAGING_DESTINATION: Final = ("messaging.destination.name", "messaging.destination")
MESSAGING_OPERATION: Final = (
    "messaging.operation.name",
    "messaging.operation.type",
    "messaging.operation",
)
MESSAGE_ID: Final = ("messaging.message.id", "messaging.message_id")
CONVERSATION_ID: Final = (
    "messaging.message.conversation_id",
    "messaging.message_conversation_id",
    "messaging.conversation_id",
)
BAGGAGE_PREFIX: Final = "baggage."
BAGGAGE_HEADER: Final = ("http.request.header.baggage", "rpc.grpc.request.metadata.baggage")
ERROR_TYPE: Final = ("error.type",)
EXCEPTION_TYPE: Final = ("exception.type",)
EXCEPTION_MESSAGE: Final = ("exception.message",)

EVENT_NAME: Final = "event.name"  # before log records had a field for it

SAMPLING_MARKS: Final = ("sampling.priority", "tailsampling.", "meta.refinery.")
"""Beginnings of attributes of samplers that do not tell their probability."""
SAMPLING_RATES: Final = (
    "SampleRate",
    "SamplingRate",
    "sampling.rate",
    "sampling.probability",
    "_dd.agent_psr",
    "_dd.rule_psr",
    "_dd.limit_psr",
)
"""Rates a sampler left on some spans: of them only 1 says what is missing, nothing."""
SAMPLER_TYPE: Final = "sampler.type"
SAMPLER_PARAM: Final = "sampler.param"

WORKFLOW_ID: Final = ("temporalWorkflowID",)
RUN_ID: Final = ("temporalRunID",)
ACTIVITY_ID: Final = ("temporalActivityID",)
SOURCE: Final = "retrospan.source"
HISTORY_SOURCES: Final = frozenset({"temporal_history", "cadence_history"})
HISTORY_SCHEDULED_NS: Final = "retrospan.history.scheduled_ns"
HISTORY_ATTEMPT: Final = "retrospan.attempt"
LINK_KIND: Final = "retrospan.link"
"""What a link that a reader made of a history stands for."""
CAUGHT_FROM: Final = "retrospan.catch.from"
STATE_SORT: Final = "aws.step_functions.state"
ENGINE_ACTIVITY_PREFIX: Final = "RunActivity:"
ENGINE_MARKER_PREFIXES: Final = (
    "StartActivity:",
    "StartWorkflow:",
    "StartChildWorkflow:",
    "RunWorkflow:",
    "CompleteWorkflow:",
    "SignalWorkflow:",
    "QueryWorkflow:",
)

GRPC_CODES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)

SpanKey = tuple[str, str]


def key_of(span: Span) -> SpanKey:
    """What identifies a span among all traces."""
    return (span.trace_id, span.span_id)


def text(attributes: Attributes, *names: str) -> str | None:
    """The first non-empty text under one of the names; numbers are written out."""
    for name in names:
        value = attributes.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            if value:
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        elif isinstance(value, list) and value and isinstance(value[0], str) and value[0]:
            return value[0]  # captured HTTP headers are lists
    return None


def integer(attributes: Attributes, *names: str) -> int | None:
    """The first whole number under one of the names, written as a number or as text."""
    for name in names:
        value = attributes.get(name)
        if value is None or isinstance(value, bool):
            continue
        if isinstance(value, int):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and value.lstrip("-").isascii():
            try:
                return int(value)
            except ValueError:
                continue
    return None


def decimal(attributes: Attributes, *names: str) -> Decimal | None:
    """The first finite decimal under one of the names."""
    for name in names:
        value = attributes.get(name)
        if value is None:
            continue
        if not isinstance(value, bool) and isinstance(value, int | float | str):
            number = decimal_of(str(value))
            if number is not None:
                return number
    return None


def decimal_of(written: str | None) -> Decimal | None:
    """A finite decimal from its text, None when it is none."""
    if not written:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def document(attributes: Attributes, *names: str) -> tuple[bool, JsonValue]:
    """Whether a body was recorded under one of the names, and the body."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return True, parsed(value)
    return False, None


def parsed(value: AttributeValue) -> JsonValue:
    """A body as JSON where it is JSON, else as text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        if len(value) > BODY_CHARACTERS_MAX or not value:
            return value
        try:
            decoded: JsonValue = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return value
        return decoded
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _plain(value: AttributeValue) -> JsonValue:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
