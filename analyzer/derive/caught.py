"""Which steps ran on a route that a Catch of Step Functions took."""

from collections.abc import Sequence
from itertools import pairwise

from analyzer.conventions import CAUGHT_FROM, STATE_SORT, SpanKey, key_of
from analyzer.derive.steps import Draft
from analyzer.derive.tree import Tree
from store.model import Span

BRANCHING = "Parallel"
"""States of its branches stand side by side: that one began after a Catch says nothing there."""


def on_catch_routes(tree: Tree, drafts: Sequence[Draft]) -> frozenset[str]:
    """Ids of the steps inside a state that a Catch led to, or inside one that came after it."""
    caught = [span for span in tree.spans if CAUGHT_FROM in span.attributes]
    if not caught:
        return frozenset()
    entered = {key_of(span) for span in caught}
    since: dict[SpanKey, int] = {}
    for span in caught:
        scope = tree.parent_of(span)
        if scope is not None and scope.attributes.get(STATE_SORT) != BRANCHING:
            since.setdefault(key_of(scope), span.start_ns)  # the earliest: spans are in order

    def is_on_route(span: Span) -> bool:
        way = [span, *tree.ancestors_of(span)]
        return any(key_of(at) in entered for at in way) or any(
            at.start_ns >= since[key_of(scope)]
            for at, scope in pairwise(way)
            if key_of(scope) in since
        )

    return frozenset(draft.step_id for draft in drafts if is_on_route(draft.first.span))
