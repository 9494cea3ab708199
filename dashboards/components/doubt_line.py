"""One quiet line above a page whose data is in doubt: why, and the way to the page that tells."""

from collections.abc import Sequence

from dashboards import links
from dashboards.doubts import Doubt
from dashboards.scope import ALL, Scope
from retrospan.timespan import rfc3339

SHORT_MAX = 3  # reasons on the line; the page it leads to tells them all


def doubt_line(doubts: Sequence[Doubt], scope: Scope) -> None:
    """Draws the line; nothing where there is no doubt."""
    if not doubts:
        return
    reasons = [doubt.short for doubt in doubts[:SHORT_MAX]]
    more = len(doubts) - SHORT_MAX
    if more > 0:
        reasons.append(f"{more} more")
    # The page it leads to may open with another range than this one: it is told which.
    begin = ALL if scope.since_ns is None else rfc3339(scope.since_ns)
    target = {} if scope.since else {"from": begin}
    links.view_link("quality", f"◐ Numbers may be off: {', '.join(reasons)}", **target)
