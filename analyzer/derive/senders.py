"""Which work a message set going: tied by a link or a message id, not by a parent."""

from collections.abc import Mapping, Sequence

from analyzer.assign.values import message_of
from analyzer.conventions import SpanKey, key_of
from store.model import Span

LINKS_MAX = 32
"""A span with more links receives a batch: no single sender set it going."""


def senders_of(
    tops: Sequence[Span], root: Span | None, by_key: Mapping[SpanKey, Span]
) -> dict[SpanKey, SpanKey]:
    """For each parentless span that continues sent work, the span that sent it.

    A link says it first, else the message both tell of. A span that was sent by its own later work
    was not: of a loop the earliest span starts it.
    """
    producers: dict[str, Span] = {}
    for span in by_key.values():  # in start order
        message = message_of(span) if span.kind == "producer" else None
        if message is not None:
            producers.setdefault(message, span)
    found: dict[SpanKey, SpanKey] = {}
    for span in tops:
        if span is root:
            continue
        sender = _by_link(span, by_key) or _by_message(span, producers)
        if sender is not None and sender is not span and sender.start_ns <= _latest(span):
            found[key_of(span)] = key_of(sender)
    return _without_loops(found, by_key)


def _latest(span: Span) -> int:
    return span.start_ns if span.end_ns is None else span.end_ns


def _by_link(span: Span, by_key: Mapping[SpanKey, Span]) -> Span | None:
    if len(span.links) > LINKS_MAX:
        return None
    for link in span.links:
        sender = by_key.get((link.trace_id, link.span_id))
        if sender is not None:
            return sender
    return None


def _by_message(span: Span, producers: Mapping[str, Span]) -> Span | None:
    message = message_of(span)
    return None if message is None else producers.get(message)


def _without_loops(
    found: dict[SpanKey, SpanKey], by_key: Mapping[SpanKey, Span]
) -> dict[SpanKey, SpanKey]:
    """Drop the ties that lead back to where they began; each span is walked over once."""
    settled: set[SpanKey] = set()
    for start in sorted(found):
        path: dict[SpanKey, None] = {}
        at: SpanKey | None = start
        while at is not None and at not in settled and at not in path:
            path[at] = None
            at = _above(at, found, by_key)
        if at is not None and at in path:
            ring = list(path)[list(path).index(at) :]
            tied = [key for key in ring if key in found]
            found.pop(min(tied, key=lambda key: (by_key[key].start_ns, key)))
        settled.update(path)
    return found


def _above(
    key: SpanKey, found: Mapping[SpanKey, SpanKey], by_key: Mapping[SpanKey, Span]
) -> SpanKey | None:
    if key in found:
        return found[key]
    parent = by_key[key].parent_span_id
    above = (key[0], parent) if parent is not None else None
    return above if above in by_key else None
