"""A record as it is stored: without its secrets, with the names we know."""

from collections.abc import Collection, Sequence

from ingest.aliases import Aliases, Naming
from ingest.reader import Item
from ingest.redact import Redactor
from store.model import Attributes


class Preparation:
    """Redaction, then aliases; not to be shared by threads."""

    def __init__(self, redactor: Redactor | None, aliases: Aliases | None = None) -> None:
        self.redactor = redactor
        self._naming = Naming(aliases) if aliases else None

    def item(self, item: Item) -> Item:
        """The record as it is stored; the same object when nothing changes."""
        if self.redactor is not None:
            item = self.redactor.item(item)
        return self._naming.item(item) if self._naming is not None else item

    def shared(self, attributes: Attributes) -> Attributes:
        """The attributes of a resource as they are stored."""
        if self.redactor is not None:
            attributes = self.redactor.attributes(attributes)
        return self._naming.attributes(attributes) if self._naming is not None else attributes

    def aliases_of(self, present: Collection[str]) -> list[tuple[str, Sequence[str]]]:
        """Canonical names that aliases among `present` stand for, with those, by precedence."""
        return self._naming.among(present) if self._naming is not None else []
