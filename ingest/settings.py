"""How inputs are read: what a user or code may set."""

import hashlib
from dataclasses import dataclass, field

from ingest.aliases import Aliases
from ingest.limits import Limits
from ingest.own_rules import OwnRules
from ingest.preparation import Preparation
from ingest.redact import Redactor, rules_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings:
    """How inputs are read. `redaction_key` makes the tokens; `format` overrides the sniffing.

    `own_rules` and `aliases` are a team's own, from tables of their own; `codec` is the address of
    a team's codec server for Temporal's payloads, "" for none.

    A batch ends at `records_per_batch` records or `bytes_per_batch` bytes, whichever comes first; a
    lease likewise, and all it writes is one transaction: that bounds memory and the time others
    wait. DuckDB writes whole groups of 122,880 rows straight to their place, the rest twice: so a
    batch of spans is one such group.
    """

    redaction_key: bytes = field(repr=False)
    redact: bool = True
    own_rules: OwnRules = field(default_factory=OwnRules)
    aliases: Aliases = field(default_factory=Aliases)
    format: str | None = None
    codec: str = ""
    records_per_batch: int = 122_880
    bytes_per_batch: int = 160 * 1024 * 1024
    records_per_lease: int = 122_880
    bytes_per_lease: int = 160 * 1024 * 1024
    rejected_listed_max: int = 1000
    limits: Limits = field(default_factory=Limits)

    def rules_sha256(self) -> str:
        """Digest of all that decides which records a given input gives in which batches."""
        rules = rules_digest() + self.own_rules.digest() if self.redact else "unredacted"
        cut = f"{self.records_per_batch}/{self.bytes_per_batch}/{self.limits!r}"
        if self.codec:  # opened, the same bytes give other records
            cut += "/codec"
        return hashlib.sha256(f"{rules}{self.aliases.digest()}\n{cut}".encode()).hexdigest()

    def preparation(self) -> Preparation:
        """What makes a record ready for the store; one for each thread."""
        redactor = Redactor(self.redaction_key, self.own_rules) if self.redact else None
        return Preparation(redactor, self.aliases)
