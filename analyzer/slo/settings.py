"""Where the SLOs of a team are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SloSettings:
    """`files` are OpenSLO files or folders, relative to the configuration file."""

    files: tuple[str, ...] = ()
