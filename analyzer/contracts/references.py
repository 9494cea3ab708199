"""Where `$ref` leads inside one document."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from store.errors import DataError
from store.model import JsonValue

CHAIN_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document and the JSON pointer (RFC 6901, with `#`) it stands at."""

    document: dict[str, JsonValue]
    source: str
    pointer: str
    value: JsonValue

    def fault(self, reason: str) -> DataError:
        return DataError(f"{self.source}: {self.pointer}: {reason}")

    def at(self, name: str | int) -> "Place":
        """The value under a name or index of this one; None where it has none."""
        value: JsonValue = None
        if isinstance(self.value, dict) and isinstance(name, str):
            value = self.value.get(name)
        elif isinstance(self.value, list) and isinstance(name, int) and name < len(self.value):
            value = self.value[name]
        return Place(self.document, self.source, f"{self.pointer}/{escaped(str(name))}", value)

    def entries(self) -> "list[tuple[str, Place]]":
        """The entries of a map in the order written; raises where it is something else."""
        if self.value is None:
            return []
        if not isinstance(self.value, dict):
            raise self.fault("must be a map")
        return [(name, self.at(name)) for name in self.value]

    def items(self) -> "list[Place]":
        """The items of a list; raises where it is something else."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.fault("must be a list")
        return [self.at(index) for index in range(len(self.value))]

    def followed(self) -> "Place":
        """This place, or the one its `$ref` leads to; local references only."""
        place, passed = self, [self.pointer]
        while isinstance(place.value, dict) and "$ref" in place.value:
            place = place.target(place.value["$ref"])
            if place.pointer in passed or len(passed) > CHAIN_MAX:
                raise self.fault(f"$ref goes in a circle: {' → '.join([*passed, place.pointer])}")
            passed.append(place.pointer)
        return place

    def target(self, reference: JsonValue) -> "Place":
        """The place a local reference names."""
        if not isinstance(reference, str):
            raise self.fault("$ref must be text")
        if not reference.startswith("#"):
            raise self.fault(
                f"$ref {reference!r:.120} leaves the file; only #/… is followed, put the files "
                "into one"
            )
        place = Place(self.document, self.source, "#", self.document)
        for part in unquote(reference[1:]).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            key: str | int = (
                int(name) if isinstance(place.value, list) and name.isdecimal() else name
            )
            place = place.at(key)
        if place.value is None or (
            reference not in ("#", "#/") and not reference[1:].startswith("/")
        ):
            raise self.fault(f"$ref {reference!r:.120} leads nowhere")
        return place


def root(document: dict[str, JsonValue], source: str) -> Place:
    """The place of the whole document."""
    return Place(document, source, "#", document)


def escaped(name: str) -> str:
    """A name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
