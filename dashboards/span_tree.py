"""The spans of one flow as a depth-first list of rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag

from dashboards.wording import plural
from store.conclusions import Flow
from store.model import Span

SPAN_COUNT_MAX = 20_000  # rows sent to a browser; a longer flow is cut and the page says so
DEPTH_MAX = 200  # a chain of parents longer than this is drawn flat from here on

Key = tuple[str, str]  # trace id, span id


class RowFlag(IntFlag):
    """What a row is; waterfall_rows.js holds the same bits."""

    ERROR = 1
    UNFINISHED = 2
    COMPENSATION = 4
    CRITICAL = 8
    PARENT_MISSING = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A word beside a span's name; `look` is plain, retry or warn."""

    look: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One span in its place. `critical_ns` is its own share of the critical path."""

    span: Span
    depth: int
    flags: RowFlag
    tags: Sequence[Tag]
    critical_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTree:
    """All rows, and what had to be left out or guessed to draw them."""

    rows: Sequence[Row]
    start_ns: int
    end_ns: int
    services: Sequence[str]
    parents_missing: int
    unfinished: int
    left_out: int

    def find(self, span_id: str, trace_id: str | None = None) -> int | None:
        """Row number of a span, None when it is not among the rows."""
        for index, row in enumerate(self.rows):
            if row.span.span_id == span_id and trace_id in (None, row.span.trace_id):
                return index
        return None

    def first_error(self) -> int | None:
        """Row of the earliest failed span that no failed child explains."""
        failed = [n for n, row in enumerate(self.rows) if row.flags & RowFlag.ERROR]
        explained = {(self.rows[n].span.trace_id, self.rows[n].span.parent_span_id) for n in failed}
        origins = [n for n in failed if _key(self.rows[n].span) not in explained]
        return min(origins, key=lambda n: (self.rows[n].span.start_ns, n), default=None)


def lay_out(spans: Iterable[Span], flow: Flow | None) -> SpanTree:
    """Orders spans below their parents, siblings by start; tags come from the flow's steps."""
    ordered = sorted(spans, key=lambda span: (span.start_ns, span.trace_id, span.span_id))
    kept = ordered[:SPAN_COUNT_MAX]
    present = {_key(span) for span in kept}
    children: dict[Key, list[Span]] = {}
    roots: list[Span] = []
    for span in kept:
        parent = (span.trace_id, span.parent_span_id or "")
        if span.parent_span_id and parent in present and parent != _key(span):
            children.setdefault(parent, []).append(span)
        else:
            roots.append(span)
    placed = _depth_first(roots, children)
    reached = {_key(span) for span, _ in placed}
    placed += [(span, 0) for span in kept if _key(span) not in reached]  # parents in a circle
    tags = _step_tags(flow) if flow else {}
    critical = {part.span_id: part.self_ns for part in flow.critical_path} if flow else {}
    undoing = _compensation_spans(flow) if flow else frozenset()
    rows = [
        _row(
            span,
            depth,
            orphan=bool(span.parent_span_id)
            and (span.trace_id, span.parent_span_id) not in present,
            undoes=_key(span) in undoing,
            tags=tags.get(_key(span), []),
            critical_ns=critical.get(span.span_id, 0),
        )
        for span, depth in placed
    ]
    ends = [span.end_ns if span.end_ns is not None else span.start_ns for span in kept]
    return SpanTree(
        rows=rows,
        start_ns=min((span.start_ns for span in kept), default=0),
        end_ns=max(ends, default=0),
        services=sorted({span.service for span in kept}),
        parents_missing=sum(bool(row.flags & RowFlag.PARENT_MISSING) for row in rows),
        unfinished=sum(bool(row.flags & RowFlag.UNFINISHED) for row in rows),
        left_out=len(ordered) - len(kept),
    )


def _key(span: Span) -> Key:
    return span.trace_id, span.span_id


def _depth_first(
    roots: Sequence[Span], children: Mapping[Key, Sequence[Span]]
) -> list[tuple[Span, int]]:
    placed: list[tuple[Span, int]] = []
    seen: set[Key] = set()
    todo = [(span, 0) for span in reversed(roots)]
    while todo:
        span, depth = todo.pop()
        if _key(span) in seen:
            continue
        seen.add(_key(span))
        placed.append((span, depth))
        below = min(depth + 1, DEPTH_MAX)
        todo.extend((child, below) for child in reversed(children.get(_key(span), ())))
    return placed


def _row(
    span: Span, depth: int, *, orphan: bool, undoes: bool, tags: Sequence[Tag], critical_ns: int
) -> Row:
    flags = RowFlag(0)
    if span.status == "error":
        flags |= RowFlag.ERROR
    if span.end_ns is None:
        flags |= RowFlag.UNFINISHED
    if undoes:
        flags |= RowFlag.COMPENSATION
    if critical_ns:
        flags |= RowFlag.CRITICAL
    own = list(tags)
    if orphan:
        flags |= RowFlag.PARENT_MISSING
        own.append(Tag(look="warn", text="parent missing"))
    if span.links:
        own.append(Tag(look="plain", text=plural(len(span.links), "link")))
    if not any(tag.text == "AI" for tag in own) and _is_model_call(span):
        own.append(Tag(look="plain", text="AI"))
    return Row(span=span, depth=depth, flags=flags, tags=own, critical_ns=critical_ns)


def _is_model_call(span: Span) -> bool:
    return any(name.startswith("gen_ai.") for name in span.attributes)


def _compensation_spans(flow: Flow) -> frozenset[Key]:
    return frozenset(
        (attempt.trace_id, attempt.span_id)
        for step in flow.steps
        if step.role == "compensation" or step.kind == "compensation"
        for attempt in step.attempts
    )


def _step_tags(flow: Flow) -> dict[Key, list[Tag]]:
    tags: dict[Key, list[Tag]] = {}
    for step in flow.steps:
        for number, attempt in enumerate(step.attempts, start=1):
            own = tags.setdefault((attempt.trace_id, attempt.span_id), [])
            if len(step.attempts) > 1:
                look = "plain" if number == 1 else "retry"
                own.append(Tag(look=look, text=f"try {number}/{len(step.attempts)}"))
            if step.role == "compensation" or step.kind == "compensation":
                own.append(Tag(look="plain", text="↩ undo"))
            elif step.role == "pivot":
                own.append(Tag(look="plain", text="pivot"))
            if step.kind == "decision":
                own.append(Tag(look="plain", text="AI"))
            elif step.kind in ("gate", "timer", "message"):
                own.append(Tag(look="plain", text=step.kind))
            if attempt.outcome == "timeout":
                own.append(Tag(look="warn", text="timeout"))
    return tags
