"""Where the SLOs of a team are, and what its models cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SloSettings:
    """`files` are OpenSLO files or folders, `prices` a price file for tokens; both relative to the
    configuration file."""

    files: tuple[str, ...] = ()
    prices: str = ""
