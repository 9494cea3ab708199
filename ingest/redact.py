"""Redaction: secrets become keyed tokens before anything is stored.

Equal secrets become equal tokens, so ties and replays still match; without the key a token tells
nothing. Numbers are never touched by their shape (ids and times look like card numbers), only by
the name they stand under.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.own_rules import OwnRules
from ingest.reader import Item
from ingest.redact_text import EXEMPT, PLAIN, SECRET, TextRedactor
from ingest.redaction_rules import EXEMPT_FIELD, rules_digest
from store.conclusions import Incident
from store.model import (
    Attributes,
    AttributeValue,
    Decision,
    JsonValue,
    LogRecord,
    Rejected,
    Span,
    SpanEvent,
    SpanLink,
)

__all__ = ["Redactor", "rules_digest"]


class Redactor(TextRedactor):
    """One key with the rules; remembers names and texts it found harmless."""

    def __init__(self, key: bytes, own: OwnRules | None = None) -> None:
        super().__init__(key, own)
        self._shared: tuple[Attributes, Attributes] = ({}, {})

    def item(self, item: Item) -> Item:
        """The record without its secrets; the same object when there were none."""
        if isinstance(item, Span):
            return self.span(item)
        if isinstance(item, LogRecord):
            return self.log(item)
        if isinstance(item, Decision):
            return self.decision(item)
        if isinstance(item, Incident):
            return self.incident(item)
        return self.rejected(item) if isinstance(item, Rejected) else item

    def span(self, span: Span) -> Span:
        """A span with its events and links."""
        name, message = self.text(span.name), self.text(span.status_message)
        state = self.text(span.trace_state)
        scope, version = self.text(span.scope_name), self.text(span.scope_version)
        attributes, resource = self.attributes(span.attributes), self._resource(span.resource)
        events = tuple(self._event(event) for event in span.events) if span.events else span.events
        links = tuple(self._link(link) for link in span.links) if span.links else span.links
        service = self._service(span.service, span.resource, resource)
        if (
            attributes is span.attributes
            and resource is span.resource
            and name is span.name
            and message is span.status_message
            and state is span.trace_state
            and scope is span.scope_name
            and version is span.scope_version
            and service is span.service
            and all(map(_same, events, span.events))
            and all(map(_same, links, span.links))
        ):
            return span
        return replace(
            span,
            name=name,
            status_message=message,
            trace_state=state,
            attributes=attributes,
            resource=resource,
            scope_name=scope,
            scope_version=version,
            service=service,
            events=events,
            links=links,
        )

    def log(self, log: LogRecord) -> LogRecord:
        """A log record with its body."""
        body = self._value(PLAIN, log.body)
        attributes, resource = self.attributes(log.attributes), self._resource(log.resource)
        event, severity = self.text(log.event_name), self.text(log.severity_text)
        service = self._service(log.service, log.resource, resource)
        if (
            body is log.body
            and attributes is log.attributes
            and resource is log.resource
            and event is log.event_name
            and severity is log.severity_text
            and service is log.service
        ):
            return log
        return replace(
            log,
            body=body,
            attributes=attributes,
            resource=resource,
            event_name=event,
            severity_text=severity,
            service=service,
        )

    def decision(self, decision: Decision) -> Decision:
        """A decision: the record and the parts taken from it stay equal to each other."""
        record = self._json(decision.record)
        texts = {
            name: self.text(text)
            for name in (
                "decision_id",
                "chosen",
                "flow_id",
                "model_name",
                "model_version",
                "policy_id",
                "policy_version",
                "policy_outcome",
                "action_step_key",
            )
            if (text := getattr(decision, name)) is not None
        }
        changed: dict[str, Any] = {
            name: text for name, text in texts.items() if text != getattr(decision, name)
        }
        if not changed and record is decision.record:
            return decision
        return replace(decision, record=record, **changed)

    def rejected(self, rejected: Rejected) -> Rejected:
        """A refused record: its beginning and its reason may quote a secret."""
        return Rejected(
            record=self.text(rejected.record),
            reason=self.text(rejected.reason),
            excerpt=self.text(rejected.excerpt),
        )

    def incident(self, incident: Incident) -> Incident:
        """An incident with its title, and the names of what it was about."""
        return replace(
            incident,
            incident_id=self.text(incident.incident_id),
            title=self.text(incident.title),
            declared_by=self.text(incident.declared_by),
            flow_ids=[self.text(flow_id) for flow_id in incident.flow_ids],
            services=[self.text(service) for service in incident.services],
        )

    def attributes(self, attributes: Attributes) -> Attributes:
        """Names and values, nested ones too; the same object when nothing was secret."""
        changed: dict[str, tuple[str, AttributeValue]] | None = None
        names, clean, short = self._names, self._clean, self._short
        for key, value in attributes.items():
            rule, name = names.get(key) or self.rule(key)
            if rule == PLAIN and name is key:
                kind = type(value)
                if kind is str:
                    if value in clean or len(value) < short:  # type: ignore[arg-type]
                        continue
                elif kind is int or kind is bool or kind is float or value is None:
                    continue
            new = self._value(rule, value)
            if new is not value or name != key:
                changed = changed or {}
                changed[key] = (name, new)
        if changed is None:
            return attributes
        return dict(changed.get(key, (key, value)) for key, value in attributes.items())

    def value(self, rule: int, value: AttributeValue) -> AttributeValue:
        """A value under a name of which `rule` tells what it says."""
        return self._value(rule, value)

    def _value(self, rule: int, value: AttributeValue) -> AttributeValue:
        if rule == EXEMPT:
            return value
        if isinstance(value, str):
            return self.text_under(rule, value)
        if isinstance(value, bytes):
            return self._bytes(rule, value)
        if isinstance(value, list):
            items = [self._value(rule, item) for item in value]
            return value if all(map(_same, items, value)) else items
        if isinstance(value, dict):
            if rule == PLAIN:
                found = self.attributes(value)
                return value if found is value else dict(found)
            return {key: self._value(max(rule, self.rule(key)[0]), v) for key, v in value.items()}
        if rule == SECRET and isinstance(value, int | float) and not isinstance(value, bool):
            return self.token(str(value), "name")
        return value

    def _bytes(self, rule: int, value: bytes) -> AttributeValue:
        if rule == SECRET:
            return self.token(value.hex(), "name")
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            return value
        found = self.text_under(rule, text)
        return value if found == text else found.encode()

    def _json(self, record: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
        kept = {k: v for k, v in record.items() if not EXEMPT_FIELD.match(k)}
        found = {key: self._field(key, value) for key, value in kept.items()}
        if all(found[key] is value for key, value in kept.items()):
            return record
        return {self.text(key): found.get(key, value) for key, value in record.items()}

    def _field(self, key: str, value: JsonValue) -> JsonValue:
        return self._value(self.rule(key)[0], value)  # type: ignore[arg-type,return-value]

    def _resource(self, resource: Attributes) -> Attributes:
        """Resources are shared by many records: the last one is remembered."""
        if resource is not self._shared[0]:
            self._shared = (resource, self.attributes(resource))
        return self._shared[1]

    def _service(self, service: str, before: Attributes, after: Attributes) -> str:
        """The name of a service, as its resource has it now where that changed."""
        named = after.get("service.name") if after is not before else None
        return named if isinstance(named, str) and named else self.text(service)

    def _event(self, event: SpanEvent) -> SpanEvent:
        name, attributes = self.text(event.name), self.attributes(event.attributes)
        if name is event.name and attributes is event.attributes:
            return event
        return replace(event, name=name, attributes=attributes)

    def _link(self, link: SpanLink) -> SpanLink:
        attributes = self.attributes(link.attributes)
        return link if attributes is link.attributes else replace(link, attributes=attributes)


def _same(one: object, other: object) -> bool:
    return one is other
