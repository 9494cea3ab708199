"""How much a bundle gives away: levels of redaction, chosen when it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ingest.redact import Redactor
from retrospan.redaction_level import Level
from store.errors import DataError
from store.model import Decision, LogRecord, Span

BODIES = (
    "db.query.parameter",
    "db.query.text",
    "db.statement",
    "exception.message",
    "exception.stacktrace",
    "gen_ai.completion",
    "gen_ai.input",
    "gen_ai.output",
    "gen_ai.prompt",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "http.request.body",
    "http.request.header",
    "http.response.body",
    "http.response.header",
    "input.value",
    "llm.input_messages",
    "llm.output_messages",
    "messaging.message.body",
    "output.value",
    "retrospan.decision.input",
    "retrospan.flow.input",
    "retrospan.flow.output",
    "retrospan.step.request",
    "retrospan.step.response",
    "rpc.request.body",
    "rpc.response.body",
    "url.query",
)
"""Beginnings of the names of attributes that hold what was said; sizes and digests stay."""
KEPT = (".sha256", ".size", "_sha256", ".truncated")
DECISION_TEXTS = ("input", "prompt", "reason", "comment")


class Sieve:
    """One level with the rules it needs; counts the records it changed."""

    def __init__(self, level: Level, redactor: Redactor) -> None:
        self.level = level
        self.changed = 0
        self._redactor = redactor

    def span(self, span: Span) -> Span:
        found: Span = self._redacted(span)
        if self.level is Level.BODIES:
            found = replace(
                found,
                status_message="",
                attributes=_without(found.attributes),
                events=tuple(
                    replace(event, attributes=_without(event.attributes)) for event in found.events
                ),
                links=tuple(
                    replace(link, attributes=_without(link.attributes)) for link in found.links
                ),
            )
        self.changed += found != span
        return found

    def log(self, log: LogRecord) -> LogRecord:
        found: LogRecord = self._redacted(log)
        if self.level is Level.BODIES:
            found = replace(found, body=None, attributes=_without(found.attributes))
        self.changed += found != log
        return found

    def decision(self, decision: Decision) -> Decision:
        found: Decision = self._redacted(decision)
        if self.level is Level.BODIES:
            found = replace(found, record=_without_texts(found.record))
        self.changed += found != decision
        return found

    def text(self, text: str) -> str:
        return text if self.level is Level.AS_STORED else self._redactor.text(text)

    def file(self, name: str, text: str) -> None:
        """A file of the user's own goes as it is, or not at all."""
        if self.text(text) != text:
            raise DataError(
                f"{name} holds what looks like a secret and goes into a bundle as it is: take the "
                "secret out, or choose --redaction as-stored"
            )

    def _redacted(self, record: Any) -> Any:
        return record if self.level is Level.AS_STORED else self._redactor.item(record)


def _without(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in attributes.items()
        if not name.startswith(BODIES) or name.endswith(KEPT)
    }


def _without_texts(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what was said to the model or by people, at any depth."""
    return {
        name: _deep(value) for name, value in _without(record).items() if name not in DECISION_TEXTS
    }


def _deep(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _without_texts(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_deep(item) for item in value]
    return value
