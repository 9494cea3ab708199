"""When that ran what a detector over many flows found, where its facts tell."""

from collections.abc import Mapping

from store.conclusions import Finding


def times_of(finding: Finding) -> list[tuple[int, int]]:
    """Begin and end in nanoseconds since 1970, by begin; none where it is said of all data."""
    facts = finding.facts
    intervals = facts.get("intervals")
    rows = [facts, *(intervals if isinstance(intervals, list) else [])]
    return sorted(
        (since_ns, until_ns)
        for row in rows
        if isinstance(row, Mapping)
        and isinstance(since_ns := row.get("from_ns"), int)
        and isinstance(until_ns := row.get("until_ns"), int)
    )
