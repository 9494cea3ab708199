"""The one dialect of OTLP JSON that is decoded into typed structures.

A field that is not listed here, or is of another type, makes the document one for the walk over
records.
"""

import msgspec
from msgspec import Struct

ABSENT = msgspec.Raw(b"")  # a null is there, as the text it is


class Value(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """An AnyValue."""

    string_value: str | None = None
    int_value: int | str | None = None
    bool_value: bool | None = None
    double_value: float | None = None
    bytes_value: msgspec.Raw = ABSENT
    array_value: msgspec.Raw = ABSENT
    kvlist_value: msgspec.Raw = ABSENT


class Pair(Struct, forbid_unknown_fields=True, gc=False):
    """A KeyValue."""

    key: str
    value: Value | None = None


class Event(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A span's event."""

    name: str = ""
    time_unix_nano: str | int = 0
    attributes: list[Pair] = []
    dropped_attributes_count: int = 0


class Link(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A span's link."""

    trace_id: str
    span_id: str
    trace_state: str = ""
    attributes: list[Pair] = []
    dropped_attributes_count: int = 0
    flags: int = 0


class Status(Struct, forbid_unknown_fields=True, gc=False):
    """A span's status."""

    code: int = 0
    message: str = ""


class Span(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A span."""

    trace_id: str
    span_id: str
    start_time_unix_nano: str | int
    end_time_unix_nano: str | int = 0
    parent_span_id: str = ""
    trace_state: str = ""
    name: str = ""
    kind: int = 0
    flags: int = 0
    attributes: list[Pair] = []
    events: list[Event] = []
    links: list[Link] = []
    status: Status | None = None
    dropped_attributes_count: int = 0
    dropped_events_count: int = 0
    dropped_links_count: int = 0


class ScopeSpans(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """The spans of one scope."""

    scope: msgspec.Raw = ABSENT
    spans: list[Span] = []
    schema_url: str = ""


class ResourceSpans(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """The spans of one resource."""

    resource: msgspec.Raw = ABSENT
    scope_spans: list[ScopeSpans] = []
    schema_url: str = ""


class Traces(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A whole document of spans."""

    resource_spans: list[ResourceSpans]


class Log(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A log record."""

    time_unix_nano: str | int = 0
    observed_time_unix_nano: str | int = 0
    severity_number: int | str = 0
    severity_text: str = ""
    body: Value | None = None
    attributes: list[Pair] = []
    trace_id: str = ""
    span_id: str = ""
    event_name: str = ""
    flags: int = 0
    dropped_attributes_count: int = 0


class ScopeLogs(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """The log records of one scope."""

    scope: msgspec.Raw = ABSENT
    log_records: list[Log] = []
    schema_url: str = ""


class ResourceLogs(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """The log records of one resource."""

    resource: msgspec.Raw = ABSENT
    scope_logs: list[ScopeLogs] = []
    schema_url: str = ""


class Logs(Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """A whole document of log records."""

    resource_logs: list[ResourceLogs]
