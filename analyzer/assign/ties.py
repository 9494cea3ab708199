"""What binds the units of one flow together.

A unit is a trace, or a part of it when one trace carries several explicit flow ids. Ties are made
in the order of the strength of their evidence; a weak tie (anything but an equal flow id) never
joins two units that name different flows themselves. Everything is walked in sorted order, so that
the answer does not depend on the order of arrival.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.assign.values import (
    baggage_value,
    conversation_of,
    message_of,
    workflow_of,
)
from analyzer.conventions import FLOW_ID, SAGA_ID, SpanKey, key_of, text
from store.model import Span

Unit = tuple[str, str]
"""Trace id, and the explicit flow id of the part ("" for what carries none)."""

ANCESTORS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignSettings:
    """How flows are put together.

    `correlation_keys` are attribute names whose equal values tie traces, strongest first;
    `baggage_keys` are W3C baggage entries that do so too, as they were copied onto spans
    (`baggage.KEY`) or captured in the request's `baggage` header. A span with more than `links_max`
    links is a batch: it belongs to no single flow and ties none. Nor does a value that more than
    `traces_per_value_max` traces share: it names a topic or a tenant, not a flow.
    """

    correlation_keys: Sequence[str] = ()
    baggage_keys: Sequence[str] = ()
    links_max: int = 32
    traces_per_value_max: int = 1_000


@dataclass(slots=True)
class Closure:
    """Union-find over units; the representative of a set is its smallest unit."""

    parent: dict[Unit, Unit] = field(default_factory=dict)
    named: dict[Unit, frozenset[str]] = field(default_factory=dict)
    reasons: dict[Unit, set[str]] = field(default_factory=dict)
    overused: set[str] = field(default_factory=set)
    """Values that too many traces share; they tie none."""

    def add(self, unit: Unit) -> None:
        """Make a unit known."""
        if unit not in self.parent:
            self.parent[unit] = unit
            self.named[unit] = frozenset({unit[1]} if unit[1] else ())
            self.reasons[unit] = set()

    def find(self, unit: Unit) -> Unit:
        """The representative of the set the unit is in."""
        root = unit
        while self.parent[root] != root:
            root = self.parent[root]
        while self.parent[unit] != root:
            self.parent[unit], unit = root, self.parent[unit]
        return root

    def tie(self, a: Unit, b: Unit, reason: str, *, weak: bool = False) -> None:
        """Join two sets; a weak tie leaves sets apart that name different flows."""
        first, second = sorted((self.find(a), self.find(b)))
        if first == second:
            self.reasons[first].add(reason)
            return
        both = self.named[first] | self.named[second]
        if weak and len(both) > 1:
            return
        self.parent[second] = first
        self.named[first] = both
        self.reasons[first] |= self.reasons.pop(second) | {reason}


def units_of(spans: Sequence[Span]) -> dict[SpanKey, Unit]:
    """The unit each span belongs to."""
    explicit: dict[str, set[str]] = defaultdict(set)
    for span in spans:
        flow_id = text(span.attributes, FLOW_ID)
        if flow_id is not None:
            explicit[span.trace_id].add(flow_id)
    split = {trace_id for trace_id, ids in explicit.items() if len(ids) > 1}
    whole = {
        trace_id: (trace_id, next(iter(ids))) for trace_id, ids in explicit.items() if len(ids) == 1
    }
    units: dict[SpanKey, Unit] = {}
    parts: dict[SpanKey, Span] = {}
    for span in spans:
        if span.trace_id in split:
            parts[key_of(span)] = span
        else:
            units[key_of(span)] = whole.get(span.trace_id) or (span.trace_id, "")
    for key, span in parts.items():
        units[key] = (span.trace_id, _nearest_flow_id(span, parts))
    return units


def _nearest_flow_id(span: Span, parts: Mapping[SpanKey, Span]) -> str:
    at: Span | None = span
    for _ in range(ANCESTORS_MAX):
        if at is None:
            break
        flow_id = text(at.attributes, FLOW_ID)
        if flow_id is not None:
            return flow_id
        at = parts.get((at.trace_id, at.parent_span_id)) if at.parent_span_id else None
    return ""


def close(
    spans: Sequence[Span],
    units: Mapping[SpanKey, Unit],
    settings: AssignSettings,
    overused: Iterable[str] = (),
) -> Closure:
    """The sets of units that make one flow each; of `overused` values more is known than here."""
    closure = Closure(overused=set(overused))
    for unit in units.values():
        closure.add(unit)
    by_flow = ((f"flow id {unit[1]}", unit) for unit in closure.parent if unit[1])
    _tie_equal(closure, by_flow)
    _tie_equal(closure, _values(spans, units, SAGA_ID, "saga id"), weak=True)
    _tie_equal(closure, _workflows(spans, units), weak=True)
    most = settings.traces_per_value_max
    for key in settings.correlation_keys:
        _tie_shared(closure, _correlated(spans, units, key), f"correlation {key}", most)
    for key in settings.baggage_keys:
        _tie_shared(closure, _baggage(spans, units, key), f"baggage {key}", most)
    _tie_links(closure, spans, units, settings.links_max)
    _tie_shared(closure, _messages(spans, units), "", most)
    return closure


def correlation(key: str, value: str) -> str:
    """The name of what spans with this value of a key belong to."""
    return f"corr:{key}={value}"


def _tie_equal(closure: Closure, pairs: Iterable[tuple[str, Unit]], *, weak: bool = False) -> None:
    members: dict[str, set[Unit]] = defaultdict(set)
    for reason, unit in pairs:
        members[reason].add(unit)
    for reason in sorted(members):
        first, *others = sorted(members[reason])
        for other in others:
            closure.tie(first, other, reason, weak=weak)


def _tie_shared(closure: Closure, pairs: Iterable[tuple[str, Unit]], word: str, most: int) -> None:
    """Tie the units that share a name, weakly, unless too many traces do."""
    members: dict[str, set[Unit]] = defaultdict(set)
    for name, unit in pairs:
        members[name].add(unit)
    for name in sorted(members):
        if name in closure.overused or len({trace_id for trace_id, _ in members[name]}) > most:
            closure.overused.add(name)
            continue
        reason = f"{word} {name.partition('=')[2]}" if word else name
        first, *others = sorted(members[name])
        for other in others:
            closure.tie(first, other, reason, weak=True)


def _values(
    spans: Iterable[Span], units: Mapping[SpanKey, Unit], name: str, word: str
) -> Iterable[tuple[str, Unit]]:
    for span in spans:
        value = text(span.attributes, name)
        if value is not None:
            yield f"{word} {value}", units[key_of(span)]


def _workflows(spans: Iterable[Span], units: Mapping[SpanKey, Unit]) -> Iterable[tuple[str, Unit]]:
    for span in spans:
        workflow = workflow_of(span)
        if workflow is not None:
            yield f"workflow run {workflow}", units[key_of(span)]


def _correlated(
    spans: Iterable[Span], units: Mapping[SpanKey, Unit], key: str
) -> Iterator[tuple[str, Unit]]:
    for span in spans:
        value = text(span.attributes, key)
        if value is not None:
            yield correlation(key, value), units[key_of(span)]


def _baggage(
    spans: Iterable[Span], units: Mapping[SpanKey, Unit], key: str
) -> Iterator[tuple[str, Unit]]:
    for span in spans:
        value = baggage_value(span, key)
        if value is not None:
            yield correlation(key, value), units[key_of(span)]


def _messages(spans: Iterable[Span], units: Mapping[SpanKey, Unit]) -> Iterator[tuple[str, Unit]]:
    for span in spans:
        for value in (message_of(span), conversation_of(span)):
            if value is not None:
                yield value, units[key_of(span)]


def _tie_links(
    closure: Closure, spans: Sequence[Span], units: Mapping[SpanKey, Unit], links_max: int
) -> None:
    by_trace: dict[str, Unit] = {}
    for unit in sorted(closure.parent):
        by_trace.setdefault(unit[0], unit)
    ties: set[tuple[Unit, Unit]] = set()
    for span in spans:
        if not span.links or len(span.links) > links_max:
            continue
        here = units[key_of(span)]
        for link in span.links:
            there = units.get((link.trace_id, link.span_id)) or by_trace.get(link.trace_id)
            if there is not None and there != here:
                ties.add((min(here, there), max(here, there)))
    for first, second in sorted(ties):
        closure.tie(first, second, "span link", weak=True)
