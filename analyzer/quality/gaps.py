"""The kinds of gaps that data can have: what each makes unknowable, and what would settle it."""

from dataclasses import dataclass
from typing import Final

CRITICAL: Final = 40
IMPORTANT: Final = 30
NORMAL: Final = 20
LOW: Final = 10
"""Weights of the impact levels of the Instrumentation Score specification."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A kind of gap. `about` is what is counted, `attribute` what would settle it: the name of an
    attribute where one does, else the data that is missing in words."""

    name: str
    about: str
    makes_unknowable: str
    attribute: str
    weight: int


CATALOGUE: Final = (
    Gap(
        name="missing_service_name",
        about="spans",
        makes_unknowable="who did the work, and for how long this service was heard of: its "
        "silence proves nothing",
        attribute="service.name",
        weight=CRITICAL,
    ),
    Gap(
        name="orphan_span",
        about="spans that name a parent",
        makes_unknowable="what caused the span, its place in the order of steps, the critical path",
        attribute="the spans of its caller",
        weight=CRITICAL,
    ),
    Gap(
        name="client_without_server",
        about="calls of services that were heard of",
        makes_unknowable="whether a call that failed for its caller took effect all the same (S1, "
        "S4, S8, duplicate effects)",
        attribute="traceparent passed on to the callee, and its server span",
        weight=CRITICAL,
    ),
    Gap(
        name="callee_unheard",
        about="calls of a named service that is no database",
        makes_unknowable="what the callee did: nothing it left undone can be called undone",
        attribute="spans of the callee",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_root",
        about="traces that begin at this service",
        makes_unknowable="how the flow began and ended, its outcome, its duration",
        attribute="the root span of the trace",
        weight=CRITICAL,
    ),
    Gap(
        name="several_roots",
        about="traces with a root at this service",
        makes_unknowable="which root is the flow's; what caused the other ones",
        attribute="traceparent passed on at every hop",
        weight=IMPORTANT,
    ),
    Gap(
        name="broken_correlation",
        about="spans whose parent names a flow as they do",
        makes_unknowable="to which flow the work belongs",
        attribute="retrospan.flow.id equal to the parent's",
        weight=CRITICAL,
    ),
    Gap(
        name="link_to_absent_span",
        about="links",
        makes_unknowable="which message or step caused the work",
        attribute="the spans of the linked trace",
        weight=IMPORTANT,
    ),
    Gap(
        name="clock_skew",
        about="server spans under a client span of another service",
        makes_unknowable="the order of events across services by their times; network time",
        attribute="synchronised clocks",
        weight=NORMAL,
    ),
    Gap(
        name="impossible_times",
        about="spans",
        makes_unknowable="duration, order, and the time window they belong to",
        attribute="start and end time of the span",
        weight=IMPORTANT,
    ),
    Gap(
        name="unfinished_span",
        about="spans",
        makes_unknowable="whether the work ended, and how",
        attribute="the end of the span",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_span_kind",
        about="spans",
        makes_unknowable="whether the span is a call, its answer, or local work",
        attribute="span kind",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_service_version",
        about="spans",
        makes_unknowable="which release did it: releases cannot be compared, rollbacks not seen",
        attribute="service.version",
        weight=NORMAL,
    ),
    Gap(
        name="missing_flow_name",
        about="flows that begin at this service",
        makes_unknowable="which flows are of one kind, which a program is learned from",
        attribute="retrospan.flow.name",
        weight=NORMAL,
    ),
    Gap(
        name="missing_callee_name",
        about="calls",
        makes_unknowable="who was called, and so whether its data is there",
        attribute="service.peer.name",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_call_outcome",
        about="calls",
        makes_unknowable="whether the call succeeded",
        attribute="http.response.status_code or span status",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_body",
        about="calls",
        makes_unknowable="what was asked and answered: replay answers by structure only (R2)",
        attribute="http.request.body.content and http.response.body.content",
        weight=NORMAL,
    ),
    Gap(
        name="truncated_record",
        about="spans",
        makes_unknowable="the part that was cut off: a body cannot be compared or replayed",
        attribute="a higher length limit in the exporter",
        weight=NORMAL,
    ),
    Gap(
        name="missing_timeout",
        about="calls that wait for an answer",
        makes_unknowable="how long the caller was ready to wait; what another timeout would change",
        attribute="retrospan.call.timeout_ms",
        weight=LOW,
    ),
    Gap(
        name="missing_idempotency_key",
        about="calls that may change something",
        makes_unknowable="whether a repeated call counted twice (S4, S11, duplicate effects)",
        attribute="retrospan.idempotency_key",
        weight=NORMAL,
    ),
    Gap(
        name="missing_saga_role",
        about="calls that may change something",
        makes_unknowable="whether the effect had to be undone (S1 to S7 are suspected at most)",
        attribute="retrospan.saga.role",
        weight=IMPORTANT,
    ),
    Gap(
        name="missing_saga_resource",
        about="calls of compensatable steps and compensations",
        makes_unknowable="whether the compensation undid the same thing (S9, S10, conservation)",
        attribute="retrospan.saga.resource",
        weight=NORMAL,
    ),
    Gap(
        name="unknown_sampling",
        about="flows that begin at this service",
        makes_unknowable="rates, error budgets, and whether what is absent ever was",
        attribute="ot=th: in tracestate",
        weight=NORMAL,
    ),
    Gap(
        name="decision_without_span",
        about="decisions",
        makes_unknowable="which step followed from the decision",
        attribute="trace_id and span_id of the decision record",
        weight=IMPORTANT,
    ),
    Gap(
        name="decision_without_log",
        about="decisions",
        makes_unknowable="whether the decision was altered later: a span proves nothing",
        attribute="a record in the decision log",
        weight=NORMAL,
    ),
    Gap(
        name="log_of_absent_span",
        about="log records that name a span",
        makes_unknowable="what was going on when the record was written",
        attribute="the span of the log record",
        weight=LOW,
    ),
)
