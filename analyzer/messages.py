"""Names of message destinations, as detectors read them."""

import re

_DEAD_LETTERS = re.compile(
    r"(?<![a-z])(dlq|dlx|dlt|dead[-_. ]?letters?)(?![a-z])|[-_./]dead$", re.IGNORECASE
)


def is_for_dead_letters(destination: str) -> bool:
    """Whether a destination's name says that what nobody could work on ends there."""
    return _DEAD_LETTERS.search(destination) is not None
