"""A team's own attribute names, read as the ones we know.

What was recorded stays as it is: a canonical attribute that a record lacks is added beside the
team's own one. This comes after redaction, so that no secret gets into a name that is exempt.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ingest import conventions
from ingest.reader import Item
from store.model import Attributes, AttributeValue, LogRecord, Span, SpanEvent, SpanLink

CANONICAL_MAX = 256
ALIASES_PER_NAME_MAX = 32
NAME_CHARS_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Aliases:
    """Canonical names with a team's own names for each; the first one that is present counts."""

    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.names) > CANONICAL_MAX:
            raise ValueError(f"has {len(self.names)} names, at most {CANONICAL_MAX} are allowed")
        for canonical, names in self.names.items():
            if not 0 < len(names) <= ALIASES_PER_NAME_MAX:
                raise ValueError(f"{canonical} needs 1 to {ALIASES_PER_NAME_MAX} names")
            for name in (canonical, *names):
                if not 0 < len(name) <= NAME_CHARS_MAX:
                    raise ValueError(f"{canonical}: a name has 1 to {NAME_CHARS_MAX} characters")
            if canonical in names:
                raise ValueError(f"{canonical} is named as its own alias")

    def __bool__(self) -> bool:
        return bool(self.names)

    def digest(self) -> str:
        """SHA-256 of the table; the order of canonical names does not matter, of aliases it does.

        Empty when there is none.
        """
        if not self.names:
            return ""
        table = json.dumps({name: list(own) for name, own in self.names.items()}, sort_keys=True)
        return hashlib.sha256(table.encode()).hexdigest()


class Naming:
    """Adds canonical attributes to records."""

    def __init__(self, aliases: Aliases) -> None:
        self._table = [(name, tuple(own)) for name, own in sorted(aliases.names.items())]
        self._own = frozenset(name for _, own in self._table for name in own)
        self._shared: tuple[Attributes, Attributes] = ({}, {})

    def item(self, item: Item) -> Item:
        """The record with canonical names; the same object when it needs none."""
        if isinstance(item, Span):
            return self._span(item)
        return self._log(item) if isinstance(item, LogRecord) else item

    def attributes(self, attributes: Attributes) -> Attributes:
        """One map with canonical names; nested maps are values, not names."""
        if self._own.isdisjoint(attributes):
            return attributes
        added: dict[str, AttributeValue] = {}
        for canonical, own in self._table:
            if canonical not in attributes:
                value = conventions.first_of(attributes, own)
                if value is not None:
                    added[canonical] = value
        return {**attributes, **added} if added else attributes

    def among(self, present: Collection[str]) -> list[tuple[str, Sequence[str]]]:
        """Canonical names that some of these names stand for, with those, by precedence."""
        found = [(name, [one for one in own if one in present]) for name, own in self._table]
        return [(name, own) for name, own in found if own]

    def _span(self, span: Span) -> Span:
        attributes, resource = self.attributes(span.attributes), self._resource(span.resource)
        events = [self._event(event) for event in span.events]
        links = [self._link(link) for link in span.links]
        if (
            attributes is span.attributes
            and resource is span.resource
            and all(map(_same, events, span.events))
            and all(map(_same, links, span.links))
        ):
            return span
        return replace(
            span,
            attributes=attributes,
            resource=resource,
            service=_service(span.service, resource),
            events=tuple(events),
            links=tuple(links),
        )

    def _log(self, log: LogRecord) -> LogRecord:
        attributes, resource = self.attributes(log.attributes), self._resource(log.resource)
        if attributes is log.attributes and resource is log.resource:
            return log
        service = _service(log.service, resource)
        return replace(log, attributes=attributes, resource=resource, service=service)

    def _resource(self, resource: Attributes) -> Attributes:
        """Resources are shared by many records: the last one is remembered."""
        if resource is not self._shared[0]:
            self._shared = (resource, self.attributes(resource))
        return self._shared[1]

    def _event(self, event: SpanEvent) -> SpanEvent:
        attributes = self.attributes(event.attributes)
        return event if attributes is event.attributes else replace(event, attributes=attributes)

    def _link(self, link: SpanLink) -> SpanLink:
        attributes = self.attributes(link.attributes)
        return link if attributes is link.attributes else replace(link, attributes=attributes)


def _service(known: str, resource: Attributes) -> str:
    named = conventions.first_of(resource, conventions.SERVICE_NAME)
    unnamed = known == conventions.UNKNOWN_SERVICE
    return named if unnamed and isinstance(named, str) and named else known


def _same(one: object, other: object) -> bool:
    return one is other
