"""How much is taken away when data leaves the machine."""

from enum import StrEnum


class Level(StrEnum):
    """`as-stored` takes nothing more away than loading did. `secrets` applies the redaction rules
    of this machine once more, as they are now. `bodies` also leaves out what requests, answers,
    prompts, logs, errors and decision inputs said."""

    AS_STORED = "as-stored"
    SECRETS = "secrets"
    BODIES = "bodies"
