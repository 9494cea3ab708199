"""The sample incident many times over: every copy with ids of its own, later in time."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from store.lease import Session, Store
from store.model import Batch, Decision, LogRecord, Span
from store.read import read_decisions, read_logs, read_spans
from store.write import write_batch

FLOWS_OF_SAMPLE = 600
# An order's name, the id of an effect, of a decision, of a trace or span: what a copy must not
# share with another, or the two would be parts of one flow.
OWN = re.compile(r"order-\d{6}|(?<=_)[0-9a-f]{12,16}\b|\b[0-9a-f]{16}\b|\b[0-9a-f]{32}\b")
PAUSE_NS = 10**9


@dataclass(frozen=True, slots=True)
class Recorded:
    """Records of some flows."""

    spans: Sequence[Span]
    logs: Sequence[LogRecord]
    decisions: Sequence[Decision]


class Copier:
    """Makes copy number n of the sample: ids of its own, later in time."""

    def __init__(self, sample: Recorded) -> None:
        self.sample = sample
        times = [span.start_ns for span in sample.spans] + [log.time_ns for log in sample.logs]
        # In the order of their random ids: a part of the sample is a fair mixture of it.
        self.traces = sorted({span.trace_id for span in sample.spans})
        self.length_ns = max(times) - min(times) + PAUSE_NS

    def copy(self, number: int, flows: int) -> Recorded:
        """So many flows of the sample, as copy `number`."""
        own = _Own(number, self.length_ns * number)
        kept = set(self.traces[:flows])
        return Recorded(
            spans=[own.span(span) for span in self.sample.spans if span.trace_id in kept],
            logs=[own.log(log) for log in self.sample.logs if log.trace_id in kept],
            decisions=[own.decision(it) for it in self.sample.decisions if it.trace_id in kept],
        )


class _Own:
    """Rewrites the records of one copy."""

    def __init__(self, number: int, later_ns: int) -> None:
        self.number, self.later_ns = number, later_ns
        self.known: dict[str, str] = {}

    def text(self, text: str) -> str:
        return OWN.sub(self._renamed, text)

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(inner) for name, inner in value.items()}
        return list(map(self.value, value)) if isinstance(value, list) else value

    def span(self, span: Span) -> Span:
        end, parent = span.end_ns, span.parent_span_id
        return replace(
            span,
            trace_id=self.text(span.trace_id),
            span_id=self.text(span.span_id),
            parent_span_id=None if parent is None else self.text(parent),
            start_ns=span.start_ns + self.later_ns,
            end_ns=None if end is None else end + self.later_ns,
            attributes=self.value(span.attributes),
            events=[replace(event, time_ns=event.time_ns + self.later_ns) for event in span.events],
            links=[
                replace(link, trace_id=self.text(link.trace_id), span_id=self.text(link.span_id))
                for link in span.links
            ],
        )

    def log(self, log: LogRecord) -> LogRecord:
        return replace(
            log,
            time_ns=log.time_ns + self.later_ns,
            observed_ns=log.observed_ns + self.later_ns,
            trace_id=self.value(log.trace_id),
            span_id=self.value(log.span_id),
            body=self.value(log.body),
            attributes=self.value(log.attributes),
        )

    def decision(self, decision: Decision) -> Decision:
        return replace(
            decision,
            decision_id=self.text(decision.decision_id),
            time_ns=decision.time_ns + self.later_ns,
            trace_id=self.value(decision.trace_id),
            span_id=self.value(decision.span_id),
            flow_id=self.value(decision.flow_id),
            action_step_key=self.value(decision.action_step_key),
            record=self.value(decision.record),
        )

    def _renamed(self, found: re.Match[str]) -> str:
        old = found[0]
        if old not in self.known:
            new = hashlib.sha256(f"{self.number} {old}".encode()).hexdigest()
            self.known[old] = (
                f"{old}-{self.number}" if old.startswith("order-") else new[: len(old)]
            )
        return self.known[old]


def fill(store: Store, sample: Recorded, flows: int, apart_ns: int | None = None) -> None:
    """A store with so many flows; copies of the sample begin one after another or so far apart."""
    copier = Copier(sample)
    copier.length_ns = max(copier.length_ns, apart_ns or 0)
    for number, first in enumerate(range(0, flows, FLOWS_OF_SAMPLE)):
        copy = copier.copy(number, min(FLOWS_OF_SAMPLE, flows - first))
        with store.lease("benchmark", create=True) as session:
            batch = Batch(
                source="benchmark",
                content_sha256=f"copy:{number}",
                reader="benchmark",
                rules_sha256="",
                spans=copy.spans,
                logs=copy.logs,
                decisions=copy.decisions,
            )
            write_batch(session, batch)


def recorded(session: Session) -> Recorded:
    return Recorded(read_spans(session), read_logs(session), read_decisions(session))
