"""Deriving flows: spans a second, memory, whether work grows as the flows do.

The sample incident `payment-brownout` (600 flows, 19 spans each) many times over: every copy has
ids, orders and references of its own, and lies later in time. The whole is `rebuild`: reading the
records, putting flows together, deriving, verifying, detecting, writing the conclusions, with all
processors, and with one beside it for the smaller size. The yardstick is reading the same spans out
of the store (`store.read.read_spans`), as records and in order, as many traces at once: the least
that anything that looks at every span pays. Two sizes tell whether the work for a flow stays the
same. For the smaller size the pure parts are timed too, one after another in one process.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns. A million
spans: `--flows 53000`.
"""

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import Event, Thread
from typing import TypeVar

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.rebuild import TRACES_PER_CHUNK, RebuildSettings, rebuild
from analyzer.sagas import coverage_of, verify
from benchmarks.lib.copies import fill, recorded
from benchmarks.lib.measuring import (
    Spent,
    family,
    machine,
    memory_mb,
    spent,
    stored_sample,
    table,
)
from store.lease import Store
from store.read import read_decisions, read_dirty, read_logs, read_spans
from store.write_derived import mark_all_dirty

FLOWS = 5_000
SMALLER = 4
LOOK_SECONDS = 0.2
PARTS_FLOWS_MAX = 15_000
"""The parts are timed with all records and conclusions in memory; of more flows they are not."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One piece of work; memory is the most that it and processes it started held together."""

    name: str
    spans: int
    flows: int
    wall: float
    cpu: float
    most_mb: int = 0


def timed(name: str, spans: int, flows: int, work: Callable[[], Value]) -> tuple[Work, Value]:
    """Do it; CPU seconds of processes it started and that ended are its own."""
    gc.collect()
    others = _others_cpu()
    with most_memory() as most, spent() as taken:
        value = work()
    taken = Spent(wall=taken.wall, cpu=taken.cpu + _others_cpu() - others)
    done = Work(
        name=name, spans=spans, flows=flows, wall=taken.wall, cpu=taken.cpu,
        most_mb=most[0],
    )  # fmt: skip
    return done, value


@contextmanager
def most_memory() -> Iterator[list[int]]:
    """The most megabytes that this process and those it started held together during the block.

    Looked at five times a second: what a process counts for its children begins with its own size.
    """
    most, ended = [0], Event()

    def look() -> None:
        while True:
            most[0] = max(most[0], memory_mb("VmRSS", family(os.getpid())))
            if ended.wait(LOOK_SECONDS):
                return

    looking = Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        ended.set()
        looking.join()


def _others_cpu() -> float:
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def scanned(store: Store) -> int:
    """Read every span, as many traces at once as a rebuild does."""
    with store.lease("benchmark") as session:
        trace_ids = read_dirty(session).trace_ids
    spans = 0
    for first in range(0, len(trace_ids), TRACES_PER_CHUNK):
        with store.lease("benchmark") as session:
            spans += len(read_spans(session, trace_ids[first : first + TRACES_PER_CHUNK]))
    return spans


def whole(store: Store, flows: int, processes: Sequence[int]) -> list[Work]:
    """Plain scan, then rebuild with so many processes."""
    scan, spans = timed("scan", 0, flows, lambda: scanned(store))
    works = [Work(name="scan", spans=spans, flows=flows, wall=scan.wall, cpu=scan.cpu,
                  most_mb=scan.most_mb)]  # fmt: skip
    for number in processes:
        with store.lease("benchmark") as session:
            mark_all_dirty(session)
        work, done = timed(
            f"rebuild, {number} processes" if number > 1 else "rebuild, this process",
            spans,
            flows,
            lambda number=number: rebuild(store, RebuildSettings(), processes=number),  # type: ignore[misc]
        )
        assert (done.spans, done.flows) == (spans, flows)
        works.append(work)
    return works


def parts(store: Store) -> list[Work]:
    """The pure parts, each on its own, all results held."""
    with store.lease("benchmark") as session:
        spans, logs, decisions = read_spans(session), read_logs(session), read_decisions(session)
    coverage = coverage_of(spans)
    size = len(spans)
    assigning, rows = timed(
        "assign", size, 0, lambda: assign(spans, logs, decisions, AssignSettings())
    )
    many = len(rows)
    deriving, flows = timed(
        "derive", size, many, lambda: [derive(one, DeriveSettings()) for one in rows]
    )
    verifying, sagas = timed(
        "verify", size, many, lambda: [verify(flow, coverage) for flow in flows]
    )
    cases = [
        FlowCase(flow=flow, decisions=decisions_in(one), coverage=coverage)
        for flow, one in zip(flows, rows, strict=True)
    ]
    detecting, findings = timed(
        "detect", size, many, lambda: [found for case in cases for found in detect(case)]
    )
    violations = sum(saga.verdict == "violation" for saga in sagas)
    print(f"\n{many:,} flows: {violations:,} violations, {len(findings):,} findings")
    return [assigning, deriving, verifying, detecting]


def show(works: Sequence[Work], scan: Work) -> None:
    print(f"\n{scan.flows:,} flows, {scan.spans:,} spans")
    table(
        ("work", "wall s", "CPU s", "spans/s", "spans/CPU s", "× scan (wall)", "× scan (CPU)",
         "most MB"),
        [
            (one.name, one.wall, one.cpu, one.spans / one.wall, one.spans / one.cpu,
             one.wall / scan.wall, one.cpu / scan.cpu, one.most_mb)
            for one in works
        ],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=FLOWS)
    given = parser.parse_args()
    print(machine())
    processors = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        with stored_sample(Path(folder), derived=False).lease("benchmark") as session:
            sample = recorded(session)
        sizes = []
        for flows in (max(1, given.flows // SMALLER), given.flows):
            store = Store(Path(folder) / f"{flows}.duckdb")
            fill(store, sample, flows)
            smaller = flows < given.flows
            works = whole(store, flows, (1, processors) if smaller else (processors,))
            sizes.append(works)
            if smaller and flows <= PARTS_FLOWS_MAX:
                works = [*works, *parts(store)]
            show(works, works[0])
    small, large = (works[-1] for works in sizes)
    each = [1e6 * one.cpu / one.flows for one in (small, large)]
    print(
        f"\nCPU of a flow, rebuilt, at {large.flows / small.flows:.1f} × the flows: "
        f"{each[0]:,.0f} → {each[1]:,.0f} µs, × {each[1] / each[0]:.2f}"
    )
    print(machine())


if __name__ == "__main__":
    main()
