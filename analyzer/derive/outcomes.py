"""How a span ended, in the few words a program branches on."""

import re
from dataclasses import dataclass

from analyzer.conventions import (
    ERROR_TYPE,
    EXCEPTION_MESSAGE,
    EXCEPTION_TYPE,
    GRPC_CODES,
    HTTP_STATUS,
    RPC_STATUS,
    integer,
    text,
)
from store.conclusions import StepOutcome
from store.model import Span

TIMEOUT = "timeout"
BREAKER_OPEN = "breaker_open"
CANCELLED = "cancelled"

_TIMEOUT = re.compile(r"time[_ ]?d?[_ ]?out|deadline[_ ]?exceeded", re.IGNORECASE)
_BREAKER = re.compile(
    r"circuit[_ ]?(breaker)?[_ ]?(is[_ ])?open|breaker[_ ]?(is[_ ])?open|circuitbreaker"
    r"|callnotpermitted|brokencircuit",
    re.IGNORECASE,
)
_CANCELLED = re.compile(r"cancell?ed(error|exception)?$", re.IGNORECASE)
_NOT_SENT = re.compile(
    r"connection.?refused|econnrefused"
    r"|unreachable|name.?resolution|gaierror|unknownhost|connecttimeout|connect.?timeout",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one span ended: outcome, the word, and the error in the recorder's words."""

    outcome: StepOutcome
    status: str
    error: str | None = None
    http_status: int | None = None
    not_sent: bool = False
    """The request cannot have reached the callee."""


_OK = Ending(outcome=StepOutcome.OK, status="ok")
_UNFINISHED = Ending(outcome=StepOutcome.UNKNOWN, status="unknown", error="span never ended")


def ending_of(span: Span) -> Ending:
    """What a span says of its own end; HTTP before RPC before error types."""
    http = integer(span.attributes, *HTTP_STATUS)
    if span.end_ns is None:
        return _UNFINISHED
    if http is not None and http >= 400:
        outcome = StepOutcome.TIMEOUT if http == 504 else StepOutcome.ERROR
        return Ending(
            outcome=outcome, status=str(http), error=_error_of(span) or str(http), http_status=http
        )
    rpc = _rpc_code(span)
    if span.status != "error" and rpc in (None, "OK"):
        return _OK if http is None else Ending(outcome=_OK.outcome, status="ok", http_status=http)
    word = text(span.attributes, *ERROR_TYPE) or rpc or _exception(span) or "error"
    return _failed(span, word, http)


def _failed(span: Span, word: str, http: int | None) -> Ending:
    error = _error_of(span) or word
    not_sent = _NOT_SENT.search(word) is not None
    if _BREAKER.search(word) or _BREAKER.search(span.status_message):
        return Ending(outcome=StepOutcome.ERROR, status=BREAKER_OPEN, error=error, not_sent=True)
    if _TIMEOUT.search(word):
        return Ending(
            outcome=StepOutcome.TIMEOUT,
            status=TIMEOUT,
            error=error,
            http_status=http,
            not_sent=not_sent,
        )
    if _CANCELLED.search(word):
        return Ending(
            outcome=StepOutcome.CANCELLED, status=CANCELLED, error=error, http_status=http
        )
    return Ending(
        outcome=StepOutcome.ERROR, status=word, error=error, http_status=http, not_sent=not_sent
    )


def _rpc_code(span: Span) -> str | None:
    if "rpc.system" not in span.attributes and "rpc.system.name" not in span.attributes:
        return None
    code = integer(span.attributes, *RPC_STATUS)
    if code is not None:
        return GRPC_CODES[code] if 0 <= code < len(GRPC_CODES) else str(code)
    return text(span.attributes, *RPC_STATUS)


def _exception(span: Span) -> str | None:
    for event in reversed(span.events):
        if event.name == "exception":
            found = text(event.attributes, *EXCEPTION_TYPE)
            if found is not None:
                return found.rsplit(".", 1)[-1]
    return None


def _error_of(span: Span) -> str | None:
    if span.status_message:
        return span.status_message
    for event in reversed(span.events):
        if event.name == "exception":
            return text(event.attributes, *EXCEPTION_MESSAGE, *EXCEPTION_TYPE)
    return text(span.attributes, *ERROR_TYPE)
