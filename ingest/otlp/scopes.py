"""What all records of one resource or one instrumentation scope share."""

from dataclasses import dataclass, field

from ingest.conventions import SCOPE_PREFIX, SERVICE_NAME, UNKNOWN_SERVICE, first_of
from ingest.otlp.values import Decoding, Object, attributes_of, object_of, text_of
from store.model import AttributeValue


@dataclass(slots=True)
class Scope:
    """The context a record inherits; one `resource` object is shared by all its records."""

    resource: dict[str, AttributeValue]
    service: str
    name: str = ""
    version: str = ""
    attributes: dict[str, AttributeValue] = field(default_factory=dict)


def resource_of(raw: Object, decoding: Decoding) -> Scope:
    """The resource part; no name and no version yet."""
    resource = object_of(raw.get("resource"), "resource")
    attributes = attributes_of(resource.get("attributes"), decoding)
    service = first_of(attributes, SERVICE_NAME)
    return Scope(attributes, str(service) if service else UNKNOWN_SERVICE)


def scope_of(parent: Scope, raw: Object, decoding: Decoding) -> Scope:
    """The scope part, under its current and its previous key."""
    scope = object_of(
        raw.get("scope") or raw.get("instrumentationLibrary") or raw.get("instrumentation_library"),
        "scope",
    )
    attributes = attributes_of(scope.get("attributes"), decoding)
    return Scope(
        parent.resource,
        parent.service,
        text_of(scope.get("name"), "scope name"),
        text_of(scope.get("version"), "scope version"),
        {SCOPE_PREFIX + key: value for key, value in attributes.items()},
    )
