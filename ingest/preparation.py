"""A record as it is stored: without its secrets, with the names we know."""

from ingest.aliases import Aliases, Naming
from ingest.own_rules import OwnRules
from ingest.reader import Item
from ingest.redact import Redactor


class Preparation:
    """Redaction, then aliases; not to be shared by threads."""

    def __init__(self, redactor: Redactor | None, own_rules: OwnRules, aliases: Aliases) -> None:
        self.redactor = redactor
        self._naming = Naming(aliases) if aliases else None
        self.is_built_in = not own_rules and not aliases
        """Whether whole columns, which know only the built-in rules, may be taken."""

    def item(self, item: Item) -> Item:
        """The record as it is stored; the same object when nothing changes."""
        if self.redactor is not None:
            item = self.redactor.item(item)
        return self._naming.item(item) if self._naming is not None else item
