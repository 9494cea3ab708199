"""What is read out of the documents of replays."""

from retrospan.listing import Row


def integer(value: object) -> int:
    """A count; 0 where there is none."""
    return value if isinstance(value, int) else 0


def rows(value: object) -> list[Row]:
    """The rows of a table; none where there is no table."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
