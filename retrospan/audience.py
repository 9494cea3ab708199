"""Who reads a report."""

from enum import StrEnum


class Audience(StrEnum):
    """Who repairs it, who answers for controls, who decides what happens next."""

    ENGINEER = "engineer"
    RISK = "risk"
    LEADER = "leader"
