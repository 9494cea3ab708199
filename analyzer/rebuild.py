"""The I/O around the pure parts: dirty traces in, flows with verdicts and findings out.

Nothing is computed while a lease is held: records are read under one, conclusions written under
another, and thrown away and made again if data came in between. Traces are taken in chunks, so
that memory depends on the chunk and not on the load; a flow whose traces lie in two chunks is
derived in the first and again, whole, in the second.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from analyzer.assign import AssignSettings, FlowRows
from analyzer.code_digest import code_digest
from analyzer.conventions import key_of
from analyzer.derive import DeclaredFlow, DeriveSettings, decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.gather import Gatherer, Recorded
from analyzer.sagas import Coverage, verify
from analyzer.sagas.coverage import GRACE_NS
from store.conclusions import Finding, Flow, SagaVerdict
from store.errors import StoreBusyError
from store.lease import Store
from store.query import ask
from store.read import read_code_digests, read_dirty
from store.write import replace_flows
from store.write_derived import mark_all_dirty, renew_clock_skew

HERE = Path(__file__).parent
UNSETTLED = HERE / "sagas" / "unsettled_traces.sql"

TRACES_PER_CHUNK = 2_000
TRIES_MAX = 8
"""How often conclusions are made again because data came in meanwhile."""

Progress = Callable[[str, int], None]
"""Told a stage and how many of its items are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildSettings:
    """How flows are put together and judged; `declared` are the declared flows by their name."""

    assign: AssignSettings = field(default_factory=AssignSettings)
    derive: DeriveSettings = field(default_factory=DeriveSettings)
    grace_ns: int = GRACE_NS
    unknown_sampling: bool = False
    declared: Mapping[str, DeclaredFlow] = field(default_factory=dict)


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


@dataclass(slots=True, kw_only=True)
class _Concluded:
    """What was made of it."""

    rows: list[FlowRows]
    flows: list[Flow] = field(default_factory=list)
    sagas: list[SagaVerdict] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def rebuild(
    store: Store, settings: RebuildSettings, progress: Progress | None = None
) -> RebuildReport:
    """Derive again every flow that new data, new code or new settings touched."""
    started = time.perf_counter()
    digest = code_digest(settings)
    gatherer = Gatherer(store, settings.assign, settings.grace_ns, settings.unknown_sampling)
    total = RebuildReport()
    seen: set[str] = set()
    todo = _todo(store, digest)
    while todo:
        while chunk := todo[:TRACES_PER_CHUNK]:
            done, closed = _rebuild_chunk(
                store, gatherer, settings, digest, chunk, progress, total.flows
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
    with store.lease("derive flows: read") as session:
        if set(read_code_digests(session)) - {digest}:
            mark_all_dirty(session)
        open_ids = ask(session, UNSETTLED, {})["trace_id"].to_list()
        dirty = read_dirty(session).trace_ids
        return sorted({*dirty, *open_ids}) if dirty else []


def _dirty(store: Store) -> list[str]:
    with store.lease("derive flows: read") as session:
        return sorted(read_dirty(session).trace_ids)


def _rebuild_chunk(
    store: Store,
    gatherer: Gatherer,
    settings: RebuildSettings,
    digest: str,
    chunk: Sequence[str],
    progress: Progress | None,
    flows_before: int,
) -> tuple[RebuildReport, frozenset[str]]:
    """Derive the flows of some traces; the traces that need nothing more are given back."""
    for tries in range(1, TRIES_MAX + 1):
        recorded, rows = gatherer.gather(chunk)
        concluded = _conclude(rows, settings, recorded.coverage, progress, flows_before)
        removed = sorted(
            set(recorded.earlier_flow_ids) - {flow.flow_id for flow in concluded.flows}
        )
        if _write(store, recorded, concluded, removed, digest):
            report = RebuildReport(
                spans=len(recorded.spans),
                flows=len(concluded.flows),
                steps=sum(len(flow.steps) for flow in concluded.flows),
                findings=len(concluded.findings),
                removed=len(removed),
                tries=tries,
            )
            return report, frozenset(recorded.closed_ids)
    raise StoreBusyError(
        f"data kept coming in while flows were derived ({TRIES_MAX} times); derive again later"
    )


def _conclude(
    rows: list[FlowRows],
    settings: RebuildSettings,
    coverage: Coverage,
    progress: Progress | None,
    flows_before: int,
) -> _Concluded:
    concluded = _Concluded(rows=rows)
    for done, flow_rows in enumerate(rows, 1):
        flow = derive(flow_rows, settings.derive, settings.declared)
        covered = coverage
        if settings.unknown_sampling:
            flow = replace(flow, sampling="unknown", sampling_weight=None)
        elif flow.sampling == "unknown":
            covered = replace(coverage, unknown_sampling=True)
        case = FlowCase(flow=flow, decisions=decisions_in(flow_rows), coverage=covered)
        concluded.flows.append(flow)
        concluded.sagas.append(verify(flow, covered))
        concluded.findings += detect(case)
        if progress is not None and (done % 500 == 0 or done == len(rows)):
            progress("flows", flows_before + done)
    return concluded


def _write(
    store: Store, recorded: Recorded, concluded: _Concluded, removed: Sequence[str], digest: str
) -> bool:
    members = {
        flow_rows.flow_id: [key_of(span) for span in flow_rows.spans]
        for flow_rows in concluded.rows
    }
    with store.lease("derive flows: write") as session:
        return replace_flows(
            session,
            generation=recorded.generation,
            flows=concluded.flows,
            members=members,
            sagas=concluded.sagas,
            findings=concluded.findings,
            code_digest=digest,
            removed_flow_ids=removed,
            derived_trace_ids=recorded.closed_ids,
            aliases={flow_rows.flow_id: flow_rows.aliases for flow_rows in concluded.rows},
        )
