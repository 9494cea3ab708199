"""How an operation of a history failed, in the words a program branches on."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest.history.events import Object, object_in, text_in
from ingest.history.payloads import answer_of
from ingest.span_draft import json_text

CAUSES_MAX = 16
_WRAPPERS = ("activityFailureInfo", "childWorkflowExecutionFailureInfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure's own word, and what it says."""

    type: str
    message: str


def failure_of(attributes: Object, otherwise: str) -> Failure:
    """The innermost failure that an event tells of; `otherwise` where it gives no type."""
    *_, last = failures_of(attributes, otherwise)
    return last


def failures_of(attributes: Object, otherwise: str) -> Iterator[Failure]:
    """The failure with its causes, the outermost first."""
    at = object_in(attributes, "failure")
    if not at:
        reason = text_in(attributes, "reason") or otherwise
        details = attributes.get("details")
        message = json_text(answer_of(details)) if details else ""
        yield Failure(type=reason, message=message)
        return
    for _ in range(CAUSES_MAX):
        yield Failure(type=_type(at, otherwise), message=text_in(at, "message") or "")
        cause = object_in(at, "cause")
        if not cause:
            return
        at = cause


def _type(failure: Object, otherwise: str) -> str:
    if "timeoutFailureInfo" in failure:
        return timeout_type(text_in(failure, "timeoutFailureInfo", "timeoutType"))
    if "canceledFailureInfo" in failure:
        return "Cancelled"
    named = text_in(failure, "applicationFailureInfo", "type")
    if named is not None:
        return named
    if "applicationFailureInfo" in failure:
        return "ApplicationError"
    for info, word in (("terminatedFailureInfo", "Terminated"), ("serverFailureInfo", "Server")):
        if info in failure:
            return word
    return "ActivityError" if any(info in failure for info in _WRAPPERS) else otherwise


def timeout_type(raw: str | None) -> str:
    """`StartToCloseTimeout` from `TIMEOUT_TYPE_START_TO_CLOSE` or `START_TO_CLOSE`."""
    if not raw:
        return "Timeout"
    name = raw.removeprefix("TIMEOUT_TYPE_")
    if name.isupper():
        name = "".join(word.capitalize() for word in name.split("_"))
    return f"{name[:1].upper()}{name[1:]}Timeout"
