"""What a span says of the flow it belongs to: values that other spans of the flow repeat."""

from urllib.parse import unquote

from analyzer.conventions import (
    BAGGAGE_HEADER,
    BAGGAGE_PREFIX,
    CONVERSATION_ID,
    MESSAGE_ID,
    MESSAGING_DESTINATION,
    RUN_ID,
    WORKFLOW_ID,
    text,
)
from store.model import Span

BAGGAGE_CHARACTERS_MAX = 8_192
"""The most a baggage header may have (W3C Baggage, section 3.3.2); a longer one is not read."""
SENDING_KINDS = ("producer", "consumer")


def workflow_of(span: Span) -> str | None:
    """`WORKFLOW_ID/RUN_ID` of a span made inside a workflow engine."""
    if "temporalWorkflowID" not in span.attributes:
        return None
    workflow, run = text(span.attributes, *WORKFLOW_ID), text(span.attributes, *RUN_ID)
    return f"{workflow}/{run}" if workflow and run else None


def message_of(span: Span) -> str | None:
    """`message PLACE ID` of the one message a span sends or receives."""
    if span.kind not in SENDING_KINDS:
        return None
    message = text(span.attributes, *MESSAGE_ID)
    if message is None:
        return None
    return f"message {text(span.attributes, *MESSAGING_DESTINATION) or ''} {message}"


def conversation_of(span: Span) -> str | None:
    """`conversation ID` of the messages a span sends or receives."""
    if span.kind not in SENDING_KINDS:
        return None
    conversation = text(span.attributes, *CONVERSATION_ID)
    return None if conversation is None else f"conversation {conversation}"


def baggage_value(span: Span, key: str) -> str | None:
    """The value of a W3C baggage entry, copied onto the span or in its request's header."""
    copied = text(span.attributes, BAGGAGE_PREFIX + key)
    if copied is not None:
        return copied
    header = text(span.attributes, *BAGGAGE_HEADER)
    if header is None or len(header) > BAGGAGE_CHARACTERS_MAX:
        return None
    for member in header.split(","):
        name, equals, value = member.partition("=")
        if equals and name.strip() == key:
            return unquote(value.partition(";")[0].strip()) or None
    return None
