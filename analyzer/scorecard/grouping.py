"""What flows of a scorecard are grouped by."""

from enum import StrEnum


class By(StrEnum):
    """What flows are grouped by; `all` is always told too."""

    ALL = "all"
    KIND = "kind"
    SERVICE = "service"
    TEAM = "team"
