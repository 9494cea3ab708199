"""The attribute names that ingest itself reads or writes."""

from collections.abc import Mapping, Sequence

from store.model import AttributeValue

SERVICE_NAME = ("service.name",)
UNKNOWN_SERVICE = "unknown_service"
EVENT_NAME = ("event.name",)  # before OpenTelemetry gave log records an `eventName` field
SCOPE_PREFIX = "otel.scope."
SCOPE_NAME = "otel.scope.name"

ORIGINAL_TRACE_ID = "retrospan.original.trace_id"
ORIGINAL_SPAN_ID = "retrospan.original.span_id"
ORIGINAL_PARENT_SPAN_ID = "retrospan.original.parent_span_id"
ORIGINAL_KIND = "retrospan.original.kind"
ORIGINAL_STATUS = "retrospan.original.status"
# The span named no start: its end stands in, and this says so.
START_MISSING = "retrospan.start_missing"
# How many values of this record were cut or left out because of a limit.
TRUNCATED = "retrospan.truncated"


def first_of(attributes: Mapping[str, AttributeValue], names: Sequence[str]) -> AttributeValue:
    """The value of the first name that is present, stable spellings first."""
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return value
    return None
