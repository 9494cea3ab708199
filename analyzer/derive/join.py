"""One account of each activity, out of what a run's history and its workers' spans say of it.

The history knows bodies, settings, timers, how it ended for the workflow; of several attempts it
tells the last one. The workers' spans know every attempt, but no body. Where both are there, the
attempts are the workers', each with what the history adds, below the history's span of the whole
activity. An attempt without a span stays the history's.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.conventions import (
    ACTIVITY_ID,
    ENGINE_ACTIVITY_PREFIX,
    ERROR_TYPE,
    HISTORY_ATTEMPT,
    HISTORY_SCHEDULED_NS,
    HISTORY_SOURCES,
    LINK_KIND,
    RUN_ID,
    SOURCE,
    SpanKey,
    integer,
    key_of,
    text,
)
from analyzer.derive.outcomes import ending_of
from store.model import AttributeValue, Span

_RUN_PREFIX = "RunWorkflow:"
_ASKING_PREFIXES = (
    "StartActivity:",
    "StartLocalActivity:",
    "StartChildWorkflow:",
    "StartNexusOperation:",
    "SignalChildWorkflow:",
    "SignalExternalWorkflow:",
)
"""Workflow code asks for an operation: the history tells of the same one."""
_OF_EVERY_ATTEMPT = ("retrospan.call.", "retrospan.step.request", "temporal")
_ERROR_IN_MESSAGE = re.compile(r"ApplicationError: (\w+): ")
"""The SDK calls every error of an activity by one name; its own name begins the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The spans of a flow as its steps are made of them.

    `adopted` are spans whose parent the history tells, with that parent. `silent` ones are no
    attempts: others tell of the same work. `callees` are attempts that ended otherwise for the
    worker than for the workflow, as the worker recorded them. `unrecorded` counts, by operation,
    attempts that nothing tells of but the number of the last one.
    """

    spans: Sequence[Span]
    adopted: Mapping[SpanKey, SpanKey] = field(default_factory=dict)
    silent: frozenset[SpanKey] = frozenset()
    callees: Mapping[SpanKey, Span] = field(default_factory=dict)
    unrecorded: Mapping[str, int] = field(default_factory=dict)


def join(spans: Sequence[Span]) -> Joined:
    """The spans as they are where no history is among them."""
    histories = [span for span in spans if _is_history(span)]
    if not histories:
        return Joined(spans=spans)
    work = _Join([span for span in spans if not _is_history(span)])
    for told in histories:
        work.tell(told)
    work.rename(histories)
    return Joined(
        spans=[work.rewritten.get(key_of(span), span) for span in spans],
        adopted=work.adopted,
        silent=frozenset(work.silent),
        callees=work.callees,
        unrecorded=dict(work.unrecorded),
    )


def _is_history(span: Span) -> bool:
    return span.attributes.get(SOURCE) in HISTORY_SOURCES


class _Join:
    """What is found out, one operation of a history after the other."""

    def __init__(self, recorded: Sequence[Span]) -> None:
        self.adopted: dict[SpanKey, SpanKey] = {}
        self.silent: set[SpanKey] = set()
        self.callees: dict[SpanKey, Span] = {}
        self.rewritten: dict[SpanKey, Span] = {}
        self.unrecorded: dict[str, int] = defaultdict(int)
        self._by_key = {key_of(span): span for span in recorded}
        self._tries: dict[tuple[str, str], list[Span]] = defaultdict(list)
        self._tries_below: dict[SpanKey, list[Span]] = defaultdict(list)
        self._runs: dict[str, Span] = {}
        self._services: dict[str, set[str]] = defaultdict(set)
        for span in sorted(recorded, key=lambda it: (it.start_ns, it.trace_id, it.span_id)):
            run = text(span.attributes, *RUN_ID) or ""
            if span.name.startswith(_RUN_PREFIX):
                self._runs.setdefault(run, span)
            elif span.name.startswith(ENGINE_ACTIVITY_PREFIX):
                activity = text(span.attributes, *ACTIVITY_ID)
                if run and activity is not None:
                    self._tries[run, activity].append(span)
                elif span.parent_span_id is not None:
                    self._tries_below[span.trace_id, span.parent_span_id].append(span)

    def tell(self, told: Span) -> None:
        """Take in one span of a history."""
        below: list[Span] = []
        for link in told.links:
            asking = self._by_key.get((link.trace_id, link.span_id))
            named = asking is not None and asking.name.startswith(_ASKING_PREFIXES)
            if named and link.attributes.get(LINK_KIND) == "scheduled_by":
                self.adopted[link.trace_id, link.span_id] = key_of(told)
                self.silent.add((link.trace_id, link.span_id))
                below = self._tries_below.get((link.trace_id, link.span_id), below)
        run = text(told.attributes, *RUN_ID) or ""
        if told.name.startswith(ENGINE_ACTIVITY_PREFIX):
            activity = text(told.attributes, *ACTIVITY_ID) or ""
            self._activity(told, self._tries.get((run, activity)) or below)
        elif told.name.startswith(_RUN_PREFIX) and run in self._runs:
            worker = self._runs[run]
            self._services[told.service].add(worker.service)
            self.rewritten[key_of(told)] = replace(told, resource=worker.resource)

    def _activity(self, told: Span, tries: Sequence[Span]) -> None:
        last = _last_of(told, tries)
        scheduled = integer(told.attributes, HISTORY_SCHEDULED_NS)
        pending = told.end_ns is None and scheduled is None
        number = _number_of(told)
        known = len(tries) + (last is None and not (pending and tries))
        if number is not None and number > known:
            self.unrecorded[told.name.removeprefix(ENGINE_ACTIVITY_PREFIX)] += number - known
        if not tries:
            return
        whole = last is not None or pending
        if whole:  # its attempts are others: it is the time from being asked for to its end
            self.silent.add(key_of(told))
            start = min(told.start_ns, scheduled or told.start_ns)
            self.rewritten[key_of(told)] = replace(told, start_ns=start)
        for span in tries:
            key = key_of(span)
            self._services[told.service].add(span.service)
            self.rewritten[key] = _as_seen(span, told) if span is last else _with(span, told)
            if span is last and ending_of(span).outcome is not ending_of(told).outcome:
                self.callees[key] = span
            if whole:
                self.adopted[key] = key_of(told)
            elif told.parent_span_id is not None:
                self.adopted[key] = (told.trace_id, told.parent_span_id)

    def rename(self, histories: Iterable[Span]) -> None:
        """Histories name task queues; where workers of one service served it, that service."""
        for told in histories:
            names = self._services.get(told.service, set())
            if len(names) == 1:
                now = self.rewritten.get(key_of(told), told)
                self.rewritten[key_of(told)] = replace(now, service=min(names))


def _last_of(told: Span, tries: Sequence[Span]) -> Span | None:
    """The worker's span of the one attempt that the history tells of, if there is one."""
    if not tries:
        return None
    started = HISTORY_SCHEDULED_NS in told.attributes or HISTORY_ATTEMPT in told.attributes
    if told.end_ns is None and not started:
        return None  # tried again and again: written down when it is over
    if not started or _number_of(told) == len(tries):
        return tries[-1]
    # By time where spans are missing; the clocks are of different machines, attempts far apart.
    during = [
        span
        for span in tries
        if (told.end_ns is None or span.start_ns <= told.end_ns)
        and (span.end_ns is None or span.end_ns >= told.start_ns)
    ]
    return during[-1] if during else None


def _number_of(told: Span) -> int | None:
    """The number of the attempt a history tells of, counted from one."""
    number = integer(told.attributes, HISTORY_ATTEMPT)
    counts_from_zero = told.attributes.get(SOURCE) == "cadence_history"
    return number + 1 if number is not None and counts_from_zero else number


def _as_seen(span: Span, told: Span) -> Span:
    """The last attempt with its bodies, ended as the workflow saw it."""
    attributes = {**span.attributes, **told.attributes}
    if told.end_ns is None:
        return replace(span, attributes=attributes)
    agreed = ending_of(span).outcome is ending_of(told).outcome
    return replace(
        span,
        end_ns=span.end_ns if agreed else max(told.end_ns, span.start_ns),
        status=told.status,
        status_message=told.status_message,
        attributes=attributes,
        events=told.events or span.events,
    )


def _with(span: Span, told: Span) -> Span:
    """An attempt that the history does not tell of, with what holds for all attempts."""
    attributes: dict[str, AttributeValue] = {
        name: value for name, value in told.attributes.items() if name.startswith(_OF_EVERY_ATTEMPT)
    }
    named = _ERROR_IN_MESSAGE.match(span.status_message)
    if named is not None:
        attributes[ERROR_TYPE[0]] = named[1]
    return replace(span, attributes={**attributes, **span.attributes})
