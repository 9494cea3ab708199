"""The chain of spans that decided how long a flow took.

A walk back from the end of the root: the last child to finish gates what comes after it, then the
last one to finish before that child started, and so on; what no child covers is the span's own
time. Children are clipped to their parent's window, so the self times of all segments add up to
the flow's duration, to the nanosecond. Work that a message set going is walked under the closest
cause of the message that was still open when the work began, else under the root; the time a
message lay in its queue belongs to the span that then worked on it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from analyzer.conventions import SpanKey, key_of
from analyzer.derive.tree import Tree, end_of
from store.conclusions import CriticalSegment
from store.model import Span


def critical_path(tree: Tree) -> list[CriticalSegment]:
    """Segments in the order they are first met in time; empty without a finished root."""
    root = tree.root
    until = end_of(tree)
    if root is None or root.end_ns is None or until is None or until <= root.start_ns:
        return []
    followers = _followers(tree)
    pieces: list[tuple[int, int, Span]] = []
    stack = [(root, root.start_ns, until)]
    seen = {key_of(root)}
    while stack:
        span, low, high = stack.pop()
        cursor, next_one = high, span
        for start, end, child in _last_first(tree, followers, span, low, high):
            if end > cursor or start >= cursor or key_of(child) in seen:
                continue
            seen.add(key_of(child))
            pieces += _own(span, end, cursor, next_one)
            stack.append((child, start, end))
            cursor, next_one = start, child
        pieces += _own(span, low, cursor, next_one)
    return _segments(pieces)


def _own(span: Span, low: int, high: int, next_one: Span) -> Iterator[tuple[int, int, Span]]:
    """A gap between children: the span's own time, after its end the wait of what came next."""
    ended = high if span.end_ns is None else min(max(span.end_ns, low), high)
    if low < ended:
        yield (low, ended, span)
    if ended < high:
        yield (ended, high, next_one)


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
    """Spans that a message set going, by the closest of its causes still open, else the root."""
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
        else:
            if tree.root is not None:
                followers[key_of(tree.root)].append(span)
    return followers


def _segments(pieces: Sequence[tuple[int, int, Span]]) -> list[CriticalSegment]:
    totals: dict[SpanKey, int] = {}
    for start, end, span in sorted(pieces, key=lambda piece: piece[0]):
        totals[key_of(span)] = totals.get(key_of(span), 0) + end - start
    return [CriticalSegment(span_id=key[1], self_ns=self_ns) for key, self_ns in totals.items()]
