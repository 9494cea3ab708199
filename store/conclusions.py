"""The records analyses and replays produce: flows, steps, verdicts, findings, replays, incidents.

Every id here is derived from content, never from order of arrival or a clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from store.model import JsonValue
from store.replay_results import Divergence as Divergence
from store.replay_results import ReplayResult as ReplayResult


class StepOutcome(StrEnum):
    """How a step or attempt ended, as its caller saw it."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class FlowOutcome(StrEnum):
    """How a flow ended; a handled inner error is not a failed flow."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    COMPENSATED = "compensated"
    PARTIALLY_COMPENSATED = "partially_compensated"
    COMPENSATION_FAILED = "compensation_failed"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """Answer of a check; a saga's verdict is the worst of its checks in this order."""

    VIOLATION = "violation"
    SUSPECTED = "suspected"
    UNKNOWN = "unknown"
    OPEN = "open"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A pointer to what was recorded. `kind` is span, log, decision or payload."""

    kind: str
    trace_id: str | None = None
    span_id: str | None = None
    decision_id: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of a step: one caller-side span.

    `status` is the word a program branches on: "ok", an HTTP status such as "503", or an error
    type such as "timeout". `callee_outcome` is what the callee's own span says (None when its data
    is absent): a call that timed out for the caller may have succeeded at the callee.
    `took_effect` is True or False where that is known, None where it is not. `request` and
    `response` are parsed JSON, or text, or None when no body was recorded.
    """

    trace_id: str
    span_id: str
    start_ns: int
    end_ns: int | None
    outcome: StepOutcome
    status: str
    error: str | None = None
    http_status: int | None = None
    request: JsonValue = None
    response: JsonValue = None
    has_request: bool = False
    has_response: bool = False
    idempotency_key: str | None = None
    breaker_state: str | None = None
    timeout_ms: int | None = None
    callee_outcome: StepOutcome | None = None
    callee_span_id: str | None = None
    callee_start_ns: int | None = None
    callee_end_ns: int | None = None
    took_effect: bool | None = None
    external_ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One logical unit of a flow.

    `kind` is call, decision, gate, timer, message or compensation. `key` tells instances of one
    operation apart ("" when there is one). `callee` is the logical name of the service called, ""
    for local steps. `parent_step_id` is set when the step ran inside another step's callee. `role`
    is compensatable, pivot, retriable or compensation; `role_grade` 1 (explicit) to 5 (name only)
    as in DESIGN section 6. `compensates` is the step_id this compensation undoes;
    `compensates_grade` how we know.
    """

    step_id: str
    key: str
    name: str
    kind: str
    service: str
    callee: str
    operation: str
    outcome: StepOutcome
    start_ns: int
    end_ns: int | None
    attempts: Sequence[Attempt]
    parent_step_id: str | None = None
    saga_id: str | None = None
    saga_step: str | None = None
    role: str | None = None
    role_grade: int | None = None
    compensates: str | None = None
    compensates_grade: int | None = None
    resource: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    max_attempts: int | None = None
    backoff_initial_ms: int | None = None
    backoff_coefficient: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalSegment:
    """The time one span alone accounts for on the flow's critical path."""

    span_id: str
    self_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One execution of a business process, rebuilt from spans.

    `name` and `version` together are the flow's kind. `complete` is False when spans are missing or
    unfinished. `ties` says why its traces belong together. `replayability` is R0 to R4.
    `evidence_gaps` lists in words what was not recorded and limits what can be said. `sampling` is
    all (recorded), assumed_all (nothing told of sampling), weighted or unknown; `sampling_weight`
    is how many flows this one stands for, exactly; None when unknown. `variant` names its structure
    ("" when nobody asked for it): flows that did the same steps share it.
    """

    flow_id: str
    name: str
    version: str
    outcome: FlowOutcome
    start_ns: int
    end_ns: int | None
    trace_ids: Sequence[str]
    span_count: int
    decision_ids: Sequence[str]
    architecture: str
    replayability: str
    complete: bool
    service: str
    services: Sequence[str]
    steps: Sequence[Step]
    critical_path: Sequence[CriticalSegment]
    input: JsonValue = None
    output: JsonValue = None
    draws: Sequence[JsonValue] = ()
    ties: Sequence[str] = ()
    evidence_gaps: Sequence[str] = ()
    sampling: str = "assumed_all"
    sampling_weight: Fraction | None = Fraction(1)
    variant: str = ""

    @property
    def attempt_count(self) -> int:
        """Attempts over all steps."""
        return sum(len(step.attempts) for step in self.steps)

    @property
    def compensation_count(self) -> int:
        """Steps that are compensations."""
        return sum(step.role == "compensation" for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What one check says of one flow. `missing` names the data that would settle an unknown."""

    check: str
    verdict: Verdict
    message: str
    evidence: Sequence[Evidence] = ()
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualEffect:
    """An effect left standing that a person may have to undo."""

    step: str
    callee: str
    resource: str | None
    amount: Decimal | None
    currency: str | None
    external_ref: str | None
    idempotency_key: str | None
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaVerdict:
    """All checks of one saga, and its verdict: the worst of them."""

    flow_id: str
    saga_id: str
    name: str
    verdict: Verdict
    checks: Sequence[CheckResult]
    residual_effects: Sequence[ResidualEffect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An answer worth telling.

    `scope` is flow or population; `severity` is info, warning or critical.
    """

    finding_id: str
    detector: str
    scope: str
    severity: str
    verdict: Verdict
    flow_id: str | None
    message: str
    remedy: str
    evidence: Sequence[Evidence] = ()
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A time window with symptoms. Times that behaviour does not show are None."""

    incident_id: str
    start_ns: int
    end_ns: int
    declared_by: str
    title: str
    detected_ns: int | None = None
    mitigated_ns: int | None = None
    recovered_ns: int | None = None
    flow_ids: Sequence[str] = ()
    services: Sequence[str] = ()
