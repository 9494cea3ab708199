"""The I/O around the pure parts: dirty traces in, flows with verdicts and findings out.

Nothing is computed while a lease is held: records are read under one, conclusions written under
another, and thrown away and made again if data came in between.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from analyzer.assign import AssignSettings, FlowRows, assign
from analyzer.conventions import key_of
from analyzer.derive import DeriveSettings, decisions_in, derive
from analyzer.detectors import FlowCase, detect
from analyzer.sagas import Coverage, ServiceCoverage, verify
from analyzer.sagas.coverage import GRACE_NS
from store.conclusions import Finding, Flow, SagaVerdict
from store.errors import StoreBusyError
from store.lease import Store
from store.model import Decision, LogRecord, Span
from store.query import ask
from store.read import read_code_digests, read_decisions, read_dirty, read_logs, read_spans
from store.session import Session
from store.write import replace_flows

HERE = Path(__file__).parent
RELATED = HERE / "assign" / "related_traces.sql"
FLOWS_OF_TRACES = HERE / "assign" / "flows_of_traces.sql"
TRACES_OF_FLOWS = HERE / "assign" / "traces_of_flows.sql"
COVERAGE = HERE / "sagas" / "coverage.sql"
UNSETTLED = HERE / "sagas" / "unsettled_traces.sql"

TRIES_MAX = 8
"""How often conclusions are made again because data came in meanwhile."""
ROUNDS_MAX = 64
"""Steps from flow to flow over shared traces; a longer chain is cut and joined next time."""

Progress = Callable[[str, int], None]
"""Told a stage and how many of its items are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildSettings:
    """How flows are put together and judged."""

    assign: AssignSettings = field(default_factory=AssignSettings)
    derive: DeriveSettings = field(default_factory=DeriveSettings)
    grace_ns: int = GRACE_NS
    unknown_sampling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildReport:
    """What a rebuild did; `tries` is above one when data came in meanwhile."""

    traces: int = 0
    spans: int = 0
    flows: int = 0
    steps: int = 0
    findings: int = 0
    removed: int = 0
    tries: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """What was read: everything that any flow with a dirty trace can consist of."""

    generation: int
    trace_ids: Sequence[str]
    spans: Sequence[Span]
    logs: Sequence[LogRecord]
    decisions: Sequence[Decision]
    coverage: Coverage
    earlier_flow_ids: Sequence[str]


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
    for tries in range(1, TRIES_MAX + 1):
        recorded = _read(store, settings, digest)
        if recorded is None:
            return RebuildReport(tries=tries, seconds=time.perf_counter() - started)
        recorded, rows = _complete(store, settings, recorded)
        concluded = _conclude(rows, settings, recorded.coverage, progress)
        removed = sorted(
            set(recorded.earlier_flow_ids) - {flow.flow_id for flow in concluded.flows}
        )
        if _write(store, recorded, concluded, removed, digest):
            return RebuildReport(
                traces=len(recorded.trace_ids),
                spans=len(recorded.spans),
                flows=len(concluded.flows),
                steps=sum(len(flow.steps) for flow in concluded.flows),
                findings=len(concluded.findings),
                removed=len(removed),
                tries=tries,
                seconds=time.perf_counter() - started,
            )
    raise StoreBusyError(
        f"data kept coming in while flows were derived ({TRIES_MAX} times); derive again later"
    )


def _read(store: Store, settings: RebuildSettings, digest: str) -> _Recorded | None:
    with store.lease("derive flows: read") as session:
        dirty = read_dirty(session)
        outdated = bool(set(read_code_digests(session)) - {digest})
        if not dirty.trace_ids and not outdated:
            return None
        if outdated:
            return _records(session, settings, dirty.generation, None)
        trace_ids = {*dirty.trace_ids, *ask(session, UNSETTLED, {})["trace_id"]}
        fresh = sorted(trace_ids)
        for _ in range(ROUNDS_MAX):
            found = ask(session, RELATED, {"trace_ids": fresh})["trace_id"].to_list()
            fresh = sorted(set(found) - trace_ids)
            if not fresh:
                break
            trace_ids.update(fresh)
        return _records(session, settings, dirty.generation, sorted(trace_ids))


def _records(
    session: Session, settings: RebuildSettings, generation: int, trace_ids: Sequence[str] | None
) -> _Recorded:
    """Everything of some traces; of all of them when `trace_ids` is None."""
    spans = read_spans(session, trace_ids)
    known = sorted({span.trace_id for span in spans}) if trace_ids is None else trace_ids
    earlier = ask(
        session,
        FLOWS_OF_TRACES,
        {"trace_ids": list(trace_ids or ()), "everything": trace_ids is None},
    )
    return _Recorded(
        generation=generation,
        trace_ids=known,
        spans=spans,
        logs=read_logs(session, trace_ids),
        decisions=read_decisions(session, trace_ids),
        coverage=_coverage(session, settings),
        earlier_flow_ids=earlier["flow_id"].to_list(),
    )


def _coverage(session: Session, settings: RebuildSettings) -> Coverage:
    services = {
        name: ServiceCoverage(first_ns=first_ns, last_ns=last_ns)
        for name, first_ns, last_ns in ask(session, COVERAGE, {}).iter_rows()
    }
    return Coverage(
        services=services,
        data_end_ns=max((it.last_ns for it in services.values()), default=0),
        grace_ns=settings.grace_ns,
        unknown_sampling=settings.unknown_sampling,
    )


def _complete(
    store: Store, settings: RebuildSettings, recorded: _Recorded
) -> tuple[_Recorded, list[FlowRows]]:
    """Assign; read also the traces of older flows that turn out to bear the same ids."""
    rows = _assign(recorded, settings)
    for _ in range(ROUNDS_MAX):
        names = sorted({name for flow in rows for name in (flow.flow_id, *flow.aliases)})
        with store.lease("derive flows: read") as session:
            asked = {"flow_ids": names, "trace_ids": list(recorded.trace_ids)}
            more = ask(session, TRACES_OF_FLOWS, asked)["trace_id"].to_list()
            if not more:
                return recorded, rows
            wider = sorted({*recorded.trace_ids, *more})
            recorded = _records(session, settings, recorded.generation, wider)
        rows = _assign(recorded, settings)
    return recorded, rows


def _assign(recorded: _Recorded, settings: RebuildSettings) -> list[FlowRows]:
    return assign(recorded.spans, recorded.logs, recorded.decisions, settings.assign)


def _conclude(
    rows: list[FlowRows],
    settings: RebuildSettings,
    coverage: Coverage,
    progress: Progress | None,
) -> _Concluded:
    concluded = _Concluded(rows=rows)
    for done, flow_rows in enumerate(rows, 1):
        flow = derive(flow_rows, settings.derive)
        case = FlowCase(flow=flow, decisions=decisions_in(flow_rows), coverage=coverage)
        concluded.flows.append(flow)
        concluded.sagas.append(verify(flow, coverage))
        concluded.findings += detect(case)
        if progress is not None and (done % 500 == 0 or done == len(rows)):
            progress("flows", done)
    return concluded


def _write(
    store: Store, recorded: _Recorded, concluded: _Concluded, removed: Sequence[str], digest: str
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
        )


def code_digest(settings: RebuildSettings) -> str:
    """What the conclusions depend on besides the data: our code and the settings."""
    given = {
        "correlation_keys": list(settings.assign.correlation_keys),
        "links_max": settings.assign.links_max,
        "compensated_by": dict(settings.derive.compensated_by),
        "success_words": sorted(settings.derive.success_words),
        "abort_words": sorted(settings.derive.abort_words),
        "grace_ns": settings.grace_ns,
        "unknown_sampling": settings.unknown_sampling,
    }
    written = json.dumps([_sources_digest(), given], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


@lru_cache(maxsize=1)
def _sources_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted([*HERE.rglob("*.py"), *HERE.rglob("*.sql")]):
        digest.update(f"{path.relative_to(HERE).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
