"""Deriving flows: spans a second, memory, whether work grows as the flows do.

The sample incident `payment-brownout` (600 flows, 19 spans each) many times over: every copy has
ids, orders and references of its own, and lies later in time. Measured are the pure parts, one
after another in one process: `assign`, `derive`, `verify`, with `detect` beside them; for the
smaller size also `rebuild`, which does all four between reading the records and writing the
conclusions. The yardstick is reading the same spans out of the store (`store.read.read_spans`), as
records and in order: the least that anything that looks at every span pays. Two sizes tell whether
the work for a X

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns.
"""

import argparse
import gc
import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.rebuild import RebuildSettings, rebuild
from analyzer.sagas import coverage_of, verify
from benchmarks.lib.measuring import (
    Spent,
    forget_peak,
    machine,
    memory_mb,
    spent,
    stored_sample,
    table,
)
from store.lease import Session, Store
from store.model import Batch, Decision, LogRecord, Span
from store.read import read_decisions, read_logs, read_spans
from store.write import write_batch

FLOWS = 5_000
FLOWS_OF_SAMPLE = 600
SMALLER = 4
# An order's name, the id of an effect, of a decision, of a trace or span: what a copy must not
# share with another, or the two would be parts of one flow.
OWN = re.compile(r"order-\d{6}|(?<=_)[0-9a-f]{12,16}\b|\b[0-9a-f]{16}\b|\b[0-9a-f]{32}\b")
PAUSE_NS = 10**9

Value = TypeVar("Value")


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


def fill(store: Store, sample: Recorded, flows: int) -> None:
    """A store with so many flows."""
    copier = Copier(sample)
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


@dataclass(slots=True)
class Size:
    """What one number of flows took. `collecting` are CPU seconds of Python's cycle collector."""

    parts: dict[str, Spent] = field(default_factory=dict)
    collecting: dict[str, float] = field(default_factory=dict)
    spans: int = 0
    flows: int = 0
    violations: int = 0
    findings: int = 0
    scanned_mb: int = 0
    peak_mb: int = 0

    def take(self, name: str, work: Callable[[], Value]) -> Value:
        """Do a part, take its time."""
        began = 0.0
        self.collecting[name] = 0.0

        def watch(phase: str, _: Mapping[str, int]) -> None:
            nonlocal began
            if phase == "start":
                began = time.process_time()
            else:
                self.collecting[name] += time.process_time() - began

        gc.collect()
        gc.callbacks.append(watch)
        try:
            with spent() as self.parts[name]:
                return work()
        finally:
            gc.callbacks.remove(watch)

    @property
    def whole(self) -> tuple[Spent, float]:
        """Assign, derive, verify together, with their share of collecting."""
        names = ("assign", "derive", "verify")
        three = [self.parts[name] for name in names]
        whole = Spent(wall=sum(one.wall for one in three), cpu=sum(one.cpu for one in three))
        return whole, sum(self.collecting[name] for name in names)


def take_parts(store: Store, size: Size) -> None:
    """Each part on its own, all results held."""
    forget_peak()
    with store.lease("benchmark") as session:
        read_spans(session, [])  # the file is open and the statements are known
        spans = size.take("scan", lambda: read_spans(session))
        logs, decisions = read_logs(session), read_decisions(session)
    size.scanned_mb = memory_mb("VmRSS")
    rows = size.take("assign", lambda: assign(spans, logs, decisions, AssignSettings()))
    flows = size.take("derive", lambda: [derive(one, DeriveSettings()) for one in rows])
    coverage = coverage_of(spans)
    sagas = size.take("verify", lambda: [verify(flow, coverage) for flow in flows])
    cases = [
        FlowCase(flow=flow, decisions=decisions_in(one), coverage=coverage)
        for flow, one in zip(flows, rows, strict=True)
    ]
    findings = size.take("detect", lambda: [found for case in cases for found in detect(case)])
    size.peak_mb = memory_mb("VmHWM")
    size.spans, size.flows, size.findings = len(spans), len(flows), len(findings)
    size.violations = sum(saga.verdict == "violation" for saga in sagas)


def measured(store: Store, *, rebuilt: bool) -> Size:
    """Each part; where asked for, then the whole way from the store back into it."""
    size = Size()
    take_parts(store, size)
    if rebuilt:
        report = size.take("rebuild", lambda: rebuild(store, RebuildSettings()))
        assert report.spans >= size.spans
    return size


def report(sizes: Sequence[Size]) -> None:
    for size in sizes:
        print(
            f"\n{size.flows:,} flows, {size.spans:,} spans; {size.violations:,} violations, "
            f"{size.findings:,} findings; RSS after the scan {size.scanned_mb:,} MB, "
            f"at most {size.peak_mb:,} MB"
        )
        whole, collecting = size.whole
        named = [(name, size.parts[name], size.collecting[name]) for name in size.parts]
        scan = size.parts["scan"].cpu
        table(
            ("work", "wall s", "CPU s", "of it GC", "spans/s", "spans/CPU s", "× scan (CPU)"),
            [
                (name, took.wall, took.cpu, gc_cpu, size.spans / took.wall, size.spans / took.cpu,
                 took.cpu / scan)
                for name, took, gc_cpu in (*named, ("assign + derive + verify", whole, collecting))
            ],
        )  # fmt: skip
    each = [
        [1e6 * (whole.cpu - without * collecting) / size.flows for size in sizes
         for whole, collecting in [size.whole]]
        for without in (0, 1)
    ]  # fmt: skip
    more = sizes[-1].flows / sizes[0].flows
    print(f"\nCPU of a flow (assign + derive + verify) at {more:.1f} × the flows:")
    for name, (small, *_, large) in zip(("all", "without GC"), each, strict=True):
        print(f"  {name}: {small:,.0f} → {large:,.0f} µs, × {large / small:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=FLOWS)
    given = parser.parse_args()
    print(machine())
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        with stored_sample(Path(folder), derived=False).lease("benchmark") as session:
            sample = recorded(session)
        for flows in (max(1, given.flows // SMALLER), given.flows):
            store = Store(Path(folder) / f"{flows}.duckdb")
            fill(store, sample, flows)
            sizes.append(measured(store, rebuilt=flows < given.flows))
    report(sizes)
    print(machine())


if __name__ == "__main__":
    main()
