"""The spans of one flow as a forest with one flow root."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.conventions import FLOW_ID, FLOW_NAME, SpanKey, key_of
from analyzer.derive.join import Joined, join
from analyzer.derive.senders import senders_of
from store.model import Span

ANCESTORS_MAX = 10_000
"""Longer parent chains are taken for loops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Spans by id, by parent, and what is missing among them.

    `spans` and every list of children stand in (start, trace, id) order. `root` is the span of the
    whole flow: the outermost one that names the flow, else the earliest without a parent.
    `orphans` have a parent id of which no span was recorded. `joined` says which spans stand under
    another parent than they recorded, or are no attempts. `senders` are, for parentless spans that
    a message set going, the spans that sent it; `receivers` the other way round.
    """

    spans: Sequence[Span]
    by_key: dict[SpanKey, Span]
    children: dict[SpanKey, list[Span]]
    root: Span | None
    orphans: Sequence[Span]
    unfinished: Sequence[Span]
    joined: Joined
    senders: dict[SpanKey, SpanKey] = field(default_factory=dict)
    receivers: dict[SpanKey, list[Span]] = field(default_factory=dict)

    @property
    def asynchronous(self) -> bool:
        """Whether messages carry work on, so that the root need not see the end of it."""
        return any(
            self.by_key[sender].kind == "producer" or self.by_key[receiver].kind == "consumer"
            for receiver, sender in self.senders.items()
        )

    def children_of(self, span: Span) -> Sequence[Span]:
        """Recorded children of a span."""
        return self.children.get(key_of(span), ())

    def parent_of(self, span: Span) -> Span | None:
        """The recorded parent of a span."""
        parent = _parent_key(span, self.joined)
        return self.by_key.get(parent) if parent is not None else None

    def ancestors_of(self, span: Span) -> Iterator[Span]:
        """Parent, its parent, and so on."""
        at = self.parent_of(span)
        for _ in range(ANCESTORS_MAX):
            if at is None:
                return
            yield at
            at = self.parent_of(at)

    def causes_of(self, span: Span) -> Iterator[Span]:
        """Parent, its parent, and so on; above a receiver of a message its sender."""
        for _ in range(ANCESTORS_MAX):
            sender = self.senders.get(key_of(span)) if self.senders else None
            above = self.parent_of(span) if sender is None else self.by_key.get(sender)
            if above is None:
                return
            yield above
            span = above


def _parent_key(span: Span, joined: Joined) -> SpanKey | None:
    adopted = joined.adopted.get(key_of(span)) if joined.adopted else None
    if adopted is not None or span.parent_span_id is None:
        return adopted
    return span.trace_id, span.parent_span_id


def plant(spans: Sequence[Span]) -> Tree:
    """Build the forest of a flow's spans."""
    joined = join(spans)
    ordered = sorted(joined.spans, key=lambda span: (span.start_ns, span.trace_id, span.span_id))
    by_key = {key_of(span): span for span in ordered}
    children: dict[SpanKey, list[Span]] = defaultdict(list)
    tops, orphans = [], []
    for span in ordered:
        parent = _parent_key(span, joined)
        if parent is None:
            tops.append(span)
        elif parent in by_key:
            children[parent].append(span)
        else:
            orphans.append(span)
    root = _flow_root(ordered, tops, by_key)
    senders = senders_of(tops, root, by_key) if len(tops) > 1 else {}
    receivers: dict[SpanKey, list[Span]] = defaultdict(list)
    for span in tops:
        if key_of(span) in senders:
            receivers[senders[key_of(span)]].append(span)
    return Tree(
        spans=ordered,
        by_key=by_key,
        children=dict(children),
        root=root,
        orphans=orphans,
        unfinished=[span for span in ordered if span.end_ns is None],
        joined=joined,
        senders=senders,
        receivers=dict(receivers),
    )


def end_of(tree: Tree) -> int | None:
    """When the flow ended: with its root, or after it with the last work its messages set going.

    None while the root has not ended.
    """
    ends = [span.end_ns for span in tree.spans if span.end_ns is not None]
    if tree.root is None:
        return max(ends, default=None)
    if tree.root.end_ns is None or not tree.asynchronous:
        return tree.root.end_ns
    return max(ends)


def _flow_root(
    ordered: Sequence[Span], tops: Sequence[Span], by_key: dict[SpanKey, Span]
) -> Span | None:
    named = [span for span in ordered if FLOW_NAME in span.attributes]
    named = named or [span for span in ordered if FLOW_ID in span.attributes]
    if named:
        # A flow's name may be copied onto inner spans: the outermost carrier is the root.
        inner = {key_of(span) for span in named}
        outermost = [
            span
            for span in named
            if span.parent_span_id is None or (span.trace_id, span.parent_span_id) not in inner
        ]
        tops_named = [span for span in outermost if span.parent_span_id is None]
        chosen = (tops_named or outermost or named)[0]
        if chosen.kind not in ("client", "producer") or chosen.parent_span_id is None:
            return chosen
    return tops[0] if tops else None
