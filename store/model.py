"""The records that travel between packages: what was recorded, what was concluded from it.

Times are integer nanoseconds UTC, ids are lower-case hex text, money is `Decimal`. Records are
plain values: no I/O, no parsing. Untrusted input has been checked by the reader before one is
made. Conclusions (flows, verdicts, findings) live in `store.conclusions`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from store.conclusions import Incident
    from store.log_table import LogTable
    from store.span_table import SpanTable

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
AttributeValue: TypeAlias = (
    "bool | int | float | str | bytes | list[AttributeValue] | dict[str, AttributeValue] | None"
)
Attributes: TypeAlias = Mapping[str, AttributeValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent:
    """A timed note inside a span."""

    name: str
    time_ns: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanLink:
    """A causal tie to another span that is not the parent."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One OpenTelemetry span.

    `kind` is one of internal, server, client, producer, consumer, unspecified; `status` one of
    unset, ok, error. `end_ns` is None when the span was recorded unfinished. `service` is the
    resource's `service.name`, or "unknown_service" (the name the specification gives to a missing
    one).
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    service: str
    start_ns: int
    end_ns: int | None
    status: str = "unset"
    status_message: str = ""
    trace_state: str = ""
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanLink] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One OpenTelemetry log record; an event when `event_name` is set."""

    time_ns: int
    observed_ns: int
    trace_id: str | None
    span_id: str | None
    severity_number: int
    severity_text: str
    event_name: str
    body: AttributeValue
    service: str
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One choice made or proposed by a model or rule (`retrospan.decision/1`).

    Only `decision_id`, `time_ns` and `chosen` are always there. `record` is the whole record as it
    was read, the other fields are its parts that analyses ask for. `confidence` and `threshold`
    are decimal text, exactly as recorded.
    """

    decision_id: str
    time_ns: int
    chosen: str
    trace_id: str | None = None
    span_id: str | None = None
    flow_id: str | None = None
    seq: int | None = None
    confidence: str | None = None
    threshold: str | None = None
    model_name: str | None = None
    model_version: str | None = None
    policy_id: str | None = None
    policy_version: str | None = None
    policy_outcome: str | None = None
    action_step_key: str | None = None
    record: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An input record that was kept aside: where it stood, why it was refused, how it began."""

    record: str
    reason: str
    excerpt: str = ""


Record: TypeAlias = Span | LogRecord | Decision | Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEnd:
    """What a whole input gave: all its spans, log records and decisions, and what was not kept."""

    records: int
    truncated: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction stores: records of one chunk of one input.

    `content_sha256` identifies the bytes, `reader` the code that read them, `rules_sha256` the
    alias and redaction rules in force; together they are the ledger's key. `content_sha256` is the
    hash of the input, a colon, the chunk's number. `end` stands on the last batch of an input
    whose hash covers all of it: once stored, the input is known without being read. `encoded` are
    further spans and `encoded_logs` further log records, column by column. `leaf_key` is the key of
    the salts of the decision log's leaves; `leaves` are those of the logged decisions in their
    order, each a hash and a salt, where they were made before.
    """

    source: str
    content_sha256: str
    reader: str
    rules_sha256: str
    spans: Sequence[Span] = ()
    logs: Sequence[LogRecord] = ()
    decisions: Sequence[Decision] = ()
    rejected: Sequence[Rejected] = ()
    incidents: "Sequence[Incident]" = ()
    metrics: int = 0
    end: InputEnd | None = None
    encoded: "Sequence[SpanTable]" = ()
    encoded_logs: "Sequence[LogTable]" = ()
    leaf_key: bytes = field(default=b"", repr=False)
    leaves: Sequence[tuple[bytes, bytes]] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """What a write did: newly stored rows, and what was left out with its reason."""

    spans: int = 0
    logs: int = 0
    decisions: int = 0
    duplicates: int = 0
    superseded: int = 0
    metrics: int = 0
    known_batch: bool = False
