"""What a cause is looked for in: calls, log lines, measurements and changes, each made small."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

TEXT_CHARACTERS_MAX: Final = 400
"""Of a log text; what is behind that tells templates apart no more."""
ERROR_SEVERITY: Final = 17
"""OpenTelemetry's severity number from which on a record is an error."""
WARN_SEVERITY: Final = 13
_VARIABLE: Final = re.compile(
    r"\"[^\"]*\"|'[^']*'|\[[^\[\]]*,[^\[\]]*\]|\([^()]*,[^()]*\)|\{[^{}]*\}"
    r"|[=:](?=\S)[^\s,\])}]+|[^\s\[\](),]*\d[^\s\[\](),]*|[^\s\x00-\x7f]+"
)
_SPACES: Final = re.compile(r"\s+")


class RecordedCall(NamedTuple):
    """One span as it was recorded. `error` is its status message or error type; `where` are
    attributes that may set bad from good, such as the version or the instance."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    operation: str
    start_ns: int
    end_ns: int
    failed: bool
    error: str = ""
    outbound: bool = False
    callee: str = ""
    where: tuple[tuple[str, str], ...] = ()


class Call(NamedTuple):
    """One span in its trace. `self_ns` is its time without that of its children; `origin` says
    that it failed and none of its children did; `children` are what it called, once each."""

    trace_id: str
    span_id: str
    service: str
    operation: str
    caller: str
    start_ns: int
    duration_ns: int
    self_ns: int
    failed: bool
    origin: bool
    error: str
    children: tuple[tuple[str, str], ...]
    callee: str
    where: tuple[tuple[str, str], ...]


class Line(NamedTuple):
    """One log record; `template` is its text without what varies."""

    at_ns: int
    service: str
    severity: int
    template: str
    trace_id: str
    span_id: str = ""


class Measurement(NamedTuple):
    """One value of a metric of a service."""

    at_ns: int
    service: str
    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was made different. `kind` is deploy, version, policy, model, flag, setting,
    commit or config; `text` is what is told of it (a message, files, a diff), "" for nothing."""

    at_ns: int
    kind: str
    service: str
    name: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """What was recorded over one window; nothing of a kind where none was recorded."""

    calls: Sequence[Call] = ()
    lines: Sequence[Line] = ()
    measurements: Sequence[Measurement] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The window of an incident beside one before it. `bad` are its traces with the symptom,
    empty where that is not known trace by trace. `edges` are callers with those they call, where
    no call tells them. `onset_ns` is when the symptom began. `symptom` is the service that shows
    it, "" for none in particular: then only what it reaches is a candidate. `seen_by_callers` are
    services that only their callers tell of: a proxy before another service looks like one.
    `cut` says what was too much to be looked at."""

    baseline: Telemetry
    incident: Telemetry
    onset_ns: int
    changes: Sequence[Change] = ()
    bad: frozenset[str] = frozenset()
    edges: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    symptom: str = ""
    seen_by_callers: frozenset[str] = frozenset()
    cut: tuple[str, ...] = ()


def template_of(text: str) -> str:
    """A log text with numbers, quoted and bracketed parts and ids left out."""
    short = text[:TEXT_CHARACTERS_MAX]
    for _ in range(3):
        reduced = _VARIABLE.sub(" ", short)
        if reduced == short:
            break
        short = reduced
    return _SPACES.sub(" ", short).strip()


def calls_of(spans: Iterable[RecordedCall]) -> list[Call]:
    """The calls of spans, by trace, start and id.

    An outbound span whose callee was recorded too counts as waiting: its child took the time.
    """
    by_trace: dict[str, list[RecordedCall]] = {}
    for span in spans:
        by_trace.setdefault(span.trace_id, []).append(span)
    calls: list[Call] = []
    for _, members in sorted(by_trace.items()):
        calls.extend(_calls_of_trace(members))
    return calls


def _calls_of_trace(members: Sequence[RecordedCall]) -> list[Call]:
    ordered = sorted(members, key=lambda span: (span.start_ns, span.span_id))
    by_id = {span.span_id: span for span in ordered}
    children: dict[str, list[RecordedCall]] = {}
    for span in ordered:
        if span.parent_id in by_id and span.parent_id != span.span_id:
            children.setdefault(span.parent_id, []).append(span)
    return [_call(span, children.get(span.span_id, []), by_id) for span in ordered]


def _call(
    span: RecordedCall, children: Sequence[RecordedCall], by_id: Mapping[str, RecordedCall]
) -> Call:
    duration = max(0, span.end_ns - span.start_ns)
    parent = by_id.get(span.parent_id)
    return Call(
        trace_id=span.trace_id,
        span_id=span.span_id,
        service=span.service,
        operation=span.operation,
        caller="" if parent is None else parent.service,
        start_ns=span.start_ns,
        duration_ns=duration,
        self_ns=max(0, duration - _covered(span, children)),
        failed=span.failed,
        origin=span.failed and not any(child.failed for child in children),
        error=span.error,
        children=tuple(sorted({(child.service, child.operation) for child in children})),
        callee=span.callee if span.outbound and not _answered(span, children) else "",
        where=span.where,
    )


def _answered(span: RecordedCall, children: Sequence[RecordedCall]) -> bool:
    """Whether the other end of an outbound span was recorded."""
    return any(child.service != span.service for child in children)


def _covered(span: RecordedCall, children: Sequence[RecordedCall]) -> int:
    """How long at least one child ran inside the span."""
    covered = 0
    until = span.start_ns
    for child in children:
        start, end = max(child.start_ns, until), min(child.end_ns, span.end_ns)
        if end > start:
            covered += end - start
            until = end
    return covered
