"""The chain of spans that decided how long a flow took.

A walk back from the end of the root: the last child to finish gates what comes after it, then the
last one to finish before that child started, and so on; what no child covers is the span's own
time. Children are clipped to their parent's window, so the self times of all segments add up to
the root's duration, to the nanosecond. Work that a message set going is walked under the closest
cause of the message that was still open when the work began.
"""

from collections import defaultdict
from collections.abc import Sequence

from analyzer.conventions import SpanKey, key_of
from analyzer.derive.tree import Tree
from store.conclusions import CriticalSegment
from store.model import Span


def critical_path(tree: Tree) -> list[CriticalSegment]:
    """Segments in the order they are first met in time; empty without a finished root."""
    root = tree.root
    if root is None or root.end_ns is None or root.end_ns <= root.start_ns:
        return []
    followers = _followers(tree)
    pieces: list[tuple[int, int, Span]] = []
    stack = [(root, root.start_ns, root.end_ns)]
    seen = {key_of(root)}
    while stack:
        span, low, high = stack.pop()
        cursor = high
        for start, end, child in _last_first(tree, followers, span, low, high):
            if end > cursor or start >= cursor or key_of(child) in seen:
                continue
            seen.add(key_of(child))
            if end < cursor:
                pieces.append((end, cursor, span))
            stack.append((child, start, end))
            cursor = start
        if cursor > low:
            pieces.append((low, cursor, span))
    return _segments(pieces)


def _last_first(
    tree: Tree, followers: dict[SpanKey, list[Span]], span: Span, low: int, high: int
) -> list[tuple[int, int, Span]]:
    """Children clipped to the window, the last to finish first."""
    children = [*tree.children_of(span), *followers.get(key_of(span), ())]
    windows = [
        (max(child.start_ns, low), min(child.end_ns, high), child)
        for child in children
        if child.end_ns is not None and child.start_ns < high and child.end_ns > low
    ]
    windows = [window for window in windows if window[0] < window[1]]
    # Of children clipped to the same end, the one that ran on longest is the one waited for.
    windows.sort(key=lambda it: (it[1], it[2].end_ns or 0, it[0], it[2].span_id), reverse=True)
    return windows


def _followers(tree: Tree) -> dict[SpanKey, list[Span]]:
    """Spans that a message set going, by the closest of its causes that was still open."""
    followers: dict[SpanKey, list[Span]] = defaultdict(list)
    if not tree.senders:
        return followers
    for span in tree.spans:
        sender = tree.by_key.get(tree.senders.get(key_of(span), key_of(span)))
        if sender is None or sender is span:
            continue
        for above in (sender, *tree.causes_of(sender)):
            if above.end_ns is not None and above.end_ns > span.start_ns:
                followers[key_of(above)].append(span)
                break
    return followers


def _segments(pieces: Sequence[tuple[int, int, Span]]) -> list[CriticalSegment]:
    totals: dict[SpanKey, int] = {}
    for start, end, span in sorted(pieces, key=lambda piece: piece[0]):
        totals[key_of(span)] = totals.get(key_of(span), 0) + end - start
    return [CriticalSegment(span_id=key[1], self_ns=self_ns) for key, self_ns in totals.items()]
