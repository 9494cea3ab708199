"""The I/O around the pure parts: dirty traces in, flows with verdicts and findings out.

Nothing is computed while a lease is held: records are read under one, conclusions written under
another, and thrown away and made again if data came in between. Traces are taken in chunks, so
that memory depends on the chunk and not on the load; a flow whose traces lie in two chunks is
derived in the first and again, whole, in the second. Processes that derive one store at the same
time share its traces: the first begins at one end, others at the other.
"""

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
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
from store.read import read_code_digests, read_dirty, read_dirty_among
from store.write_derived import mark_all_dirty, renew_clock_skew, replace_tables

__all__ = ["RebuildReport", "RebuildSettings", "rebuild"]

HERE = Path(__file__).parent
UNSETTLED = HERE / "sagas" / "unsettled_traces.sql"

TRACES_PER_CHUNK = 2_000
TRACES_PER_CHUNK_MAX = 8_000
SPANS_PER_CHUNK_MAX = 100_000
"""Up to these a chunk doubles while its leases, with the waits for them, take longer than the work
between them: where others stand before the store, who comes rarely waits rarely."""
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

    What comes in meanwhile may be left to those who bring it. With several processes, which pay
    from `PARALLEL_TRACES_MIN` traces on, the conclusions are the same.
    """
    started = time.perf_counter()
    digest = derivation_digest(settings)
    todo, unsettled = _todo(store, digest)
    many = len(todo) >= PARALLEL_TRACES_MIN
    with (
        concluding(settings, processes if many else 1) as conclude,
        store.first_at("deriving") as is_first,
    ):
        rebuilding = _Rebuilding(store, settings, conclude, digest, progress)
        rebuilding.derive(todo if is_first else todo[::-1], unsettled)
        # What came in meanwhile, once: who brings more derives it, and may do so without end.
        if rebuilding.report.traces and is_first:
            rebuilding.derive(_dirty(store), frozenset())
    report = rebuilding.report
    if report.flows or report.removed:
        with store.lease("derive flows: clocks") as session:
            renew_clock_skew(session)
    return replace(report, seconds=time.perf_counter() - started)


def _todo(store: Store, digest: str) -> tuple[list[str], frozenset[str]]:
    """Traces to begin with: dirty ones, all when our code changed, and those left open.

    Those that are only left open are given by themselves too.
    """
    with store.reading("derive flows: read") as session:
        is_other_code = bool(set(read_code_digests(session)) - {digest})
    if is_other_code:
        with store.lease("derive flows: all again") as session:
            mark_all_dirty(session)
    with store.reading("derive flows: read") as session:
        dirty = set(read_dirty(session).trace_ids)
        unsettled = ask(session, UNSETTLED, {})["trace_id"].to_list() if dirty else []
        return sorted({*dirty, *unsettled}), frozenset(unsettled) - dirty


def _dirty(store: Store) -> list[str]:
    with store.reading("derive flows: read") as session:
        return sorted(read_dirty(session).trace_ids)


class _Rebuilding:
    """Derives chunk after chunk; `report` is of all of them."""

    def __init__(
        self,
        store: Store,
        settings: RebuildSettings,
        conclude: Concluding,
        digest: str,
        progress: Progress | None,
    ) -> None:
        self.report = RebuildReport()
        self._store, self._conclude, self._digest = store, conclude, digest
        self._gatherer = Gatherer(
            store, settings.assign, settings.grace_ns, settings.unknown_sampling
        )
        self._progress = progress
        self._size = TRACES_PER_CHUNK
        self._seen: set[str] = set()

    def derive(self, todo: Sequence[str], unsettled: frozenset[str]) -> None:
        """The flows of these traces, in their order.

        A trace that another process derived meanwhile is left out, unless it is `unsettled`.
        """
        while todo:
            chunk, rest = todo[: self._size], todo[self._size :]
            ahead = [one for one in rest[:TRACES_PER_CHUNK_MAX] if one not in unsettled]
            closed, is_shared = self._chunk(chunk, ahead)
            todo = [trace_id for trace_id in rest if trace_id not in closed]
            if is_shared:
                left = unsettled.union(_dirty(self._store))
                todo = [trace_id for trace_id in todo if trace_id in left]

    def _chunk(self, chunk: Sequence[str], ahead: Sequence[str]) -> tuple[AbstractSet[str], bool]:
        """Derive the flows of some traces.

        Which need nothing more, and whether another process derived one of those `ahead`.
        """
        for tries in range(1, TRIES_MAX + 1):
            began = time.perf_counter()
            recorded, rows = self._gatherer.gather(chunk)
            gathered = time.perf_counter()
            concluded = self._conclude(rows, recorded.coverage, self._told)
            removed = sorted(set(recorded.earlier_flow_ids) - set(concluded.flow_ids))
            worked = time.perf_counter() - gathered
            left = _write(self._store, recorded, concluded, removed, self._digest, ahead)
            if left is not None:
                self._resize(time.perf_counter() - began - worked, worked, len(recorded.spans))
                self._count(recorded, concluded, len(removed), tries)
                closed = frozenset(recorded.closed_ids)
                return closed, not closed.union(left).issuperset(ahead)
        raise StoreBusyError(
            f"data kept coming in while flows were derived ({TRIES_MAX} times); derive again later"
        )

    def _resize(self, at_store: float, worked: float, spans: int) -> None:
        """The size of the next chunk, by the seconds that this one took."""
        if at_store > worked and 2 * spans <= SPANS_PER_CHUNK_MAX:
            self._size = min(2 * self._size, TRACES_PER_CHUNK_MAX)
        elif at_store < worked / 2 or spans > SPANS_PER_CHUNK_MAX:
            self._size = max(self._size // 2, TRACES_PER_CHUNK)

    def _told(self, done: int) -> None:
        if self._progress is not None:
            self._progress("flows", self.report.flows + done)

    def _count(self, recorded: Recorded, concluded: Concluded, removed: int, tries: int) -> None:
        self._seen.update(recorded.closed_ids)
        before = self.report
        self.report = RebuildReport(
            traces=len(self._seen),
            spans=before.spans + len(recorded.spans),
            flows=before.flows + len(concluded.flow_ids),
            steps=before.steps + concluded.steps,
            findings=before.findings + concluded.findings,
            removed=before.removed + removed,
            tries=max(before.tries, tries),
        )


def _write(
    store: Store,
    recorded: Recorded,
    concluded: Concluded,
    removed: Sequence[str],
    digest: str,
    ahead: Sequence[str],
) -> AbstractSet[str] | None:
    """Which of the traces `ahead` are dirty still; None, and nothing done, when data came in."""
    with store.lease("derive flows: write") as session:
        is_written = replace_tables(
            session,
            concluded.tables,
            generation=recorded.generation,
            code_digest=digest,
            removed_flow_ids=removed,
            derived_trace_ids=recorded.closed_ids,
        )
        return read_dirty_among(session, ahead) if is_written else None
