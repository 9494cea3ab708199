"""The I/O around the pure parts: dirty traces in, flows with verdicts and findings out.

Nothing is computed while a lease is held: records are read under one, conclusions written under
another, and thrown away and made again if data came in between. Traces are taken in chunks, so
that memory depends on the chunk and not on the load; a flow whose traces lie in two chunks is
derived in the first and again, whole, in the second.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.code_digest import derivation_digest
from analyzer.conclude import Concluded
from analyzer.gather import Gatherer, Recorded
from analyzer.settings import RebuildSettings
from analyzer.workers import Concluding, concluding
from store.errors import StoreBusyError
from store.lease import Store
from store.query import ask
from store.read import read_code_digests, read_dirty
from store.write_derived import mark_all_dirty, renew_clock_skew, replace_tables

__all__ = ["RebuildReport", "RebuildSettings", "rebuild"]

HERE = Path(__file__).parent
UNSETTLED = HERE / "sagas" / "unsettled_traces.sql"

TRACES_PER_CHUNK = 2_000
PARALLEL_TRACES_MIN = 4_000
"""Below this many traces other processes cost more than they save: each imports all of this."""
TRIES_MAX = 8
"""How often conclusions are made again because data came in meanwhile."""

Progress = Callable[[str, int], None]
"""Told a stage and how many of its items are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild did; `tries` is above one when data came in meanwhile.

    A flow that was derived in two chunks counts twice.
    """

    traces: int = 0
    spans: int = 0
    flows: int = 0
    steps: int = 0
    findings: int = 0
    removed: int = 0
    tries: int = 1
    seconds: float = 0.0


def rebuild(
    store: Store,
    settings: RebuildSettings,
    progress: Progress | None = None,
    processes: int = 1,
) -> RebuildReport:
    """Derive again every flow that new data, new code or new settings touched.

    With several processes, which pay from `PARALLEL_TRACES_MIN` traces on, the conclusions are the
    same.
    """
    started = time.perf_counter()
    digest = derivation_digest(settings)
    gatherer = Gatherer(store, settings.assign, settings.grace_ns, settings.unknown_sampling)
    total = RebuildReport()
    seen: set[str] = set()
    todo = _todo(store, digest)
    with concluding(settings, processes if len(todo) >= PARALLEL_TRACES_MIN else 1) as conclude:
        while todo:
            while chunk := todo[:TRACES_PER_CHUNK]:
                done, closed = _rebuild_chunk(
                    store, gatherer, conclude, digest, chunk, progress, total.flows
                )
                total = _sum(total, done)
                seen.update(closed)
                todo = [trace_id for trace_id in todo[len(chunk) :] if trace_id not in closed]
            # What came in while these were derived is dirty now and was not when we began.
            todo = _dirty(store)
    if total.flows or total.removed:
        with store.lease("derive flows: clocks") as session:
            renew_clock_skew(session)
    return replace(total, traces=len(seen), seconds=time.perf_counter() - started)


def _sum(total: RebuildReport, done: RebuildReport) -> RebuildReport:
    return RebuildReport(
        spans=total.spans + done.spans,
        flows=total.flows + done.flows,
        steps=total.steps + done.steps,
        findings=total.findings + done.findings,
        removed=total.removed + done.removed,
        tries=max(total.tries, done.tries),
    )


def _todo(store: Store, digest: str) -> list[str]:
    """Traces to begin with: dirty ones, all when our code changed, and those left open."""
    with store.reading("derive flows: read") as session:
        is_other_code = bool(set(read_code_digests(session)) - {digest})
    if is_other_code:
        with store.lease("derive flows: all again") as session:
            mark_all_dirty(session)
    with store.reading("derive flows: read") as session:
        open_ids = ask(session, UNSETTLED, {})["trace_id"].to_list()
        dirty = read_dirty(session).trace_ids
        return sorted({*dirty, *open_ids}) if dirty else []


def _dirty(store: Store) -> list[str]:
    with store.reading("derive flows: read") as session:
        return sorted(read_dirty(session).trace_ids)


def _rebuild_chunk(
    store: Store,
    gatherer: Gatherer,
    conclude: Concluding,
    digest: str,
    chunk: Sequence[str],
    progress: Progress | None,
    flows_before: int,
) -> tuple[RebuildReport, frozenset[str]]:
    """Derive the flows of some traces; the traces that need nothing more are given back."""

    def told(done: int) -> None:
        if progress is not None:
            progress("flows", flows_before + done)

    for tries in range(1, TRIES_MAX + 1):
        recorded, rows = gatherer.gather(chunk)
        concluded = conclude(rows, recorded.coverage, told)
        removed = sorted(set(recorded.earlier_flow_ids) - set(concluded.flow_ids))
        if _write(store, recorded, concluded, removed, digest):
            report = RebuildReport(
                spans=len(recorded.spans),
                flows=len(concluded.flow_ids),
                steps=concluded.steps,
                findings=concluded.findings,
                removed=len(removed),
                tries=tries,
            )
            return report, frozenset(recorded.closed_ids)
    raise StoreBusyError(
        f"data kept coming in while flows were derived ({TRIES_MAX} times); derive again later"
    )


def _write(
    store: Store, recorded: Recorded, concluded: Concluded, removed: Sequence[str], digest: str
) -> bool:
    with store.lease("derive flows: write") as session:
        return replace_tables(
            session,
            concluded.tables,
            generation=recorded.generation,
            code_digest=digest,
            removed_flow_ids=removed,
            derived_trace_ids=recorded.closed_ids,
        )
