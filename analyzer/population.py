"""The I/O around detectors of many flows: stored questions in, findings of the population out.

In: a store whose flows are derived. Out: one write that replaces all findings of the population,
made of one state of the data (its generation); it is thrown away and made again if data came in
between. A lease is for reading only, lasts as many detectors as a second allows, and is then taken
anew. Questions aggregate, so that memory follows the number of edges and time bins, not of spans.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from analyzer.code_digest import code_digest
from analyzer.detectors import (
    Judged,
    PopulationCase,
    PopulationDetector,
    finding_id,
    population_detectors,
)
from analyzer.gather import COVERAGE, FLOWS_OF_TRACES
from analyzer.sagas.coverage import GRACE_NS, Coverage, ServiceCoverage
from store.conclusions import Finding, Verdict
from store.lease import Store
from store.model import JsonValue
from store.population import COVERAGE_SCOPE, read_population_state, replace_population
from store.query import ask, load
from store.session import Session

POPULATION = Path(__file__).with_suffix(".sql")
TRIES_MAX = 4
"""How often all is judged again because data came in; then the next derivation does it."""
HELD_SECONDS_MAX = 1.0
"""A detector that begins under a lease may end a little after it."""
ROWS_MAX = 100_000
"""Rows of one answer that are looked at; more are counted as not looked at."""
FINDINGS_MAX = 100
"""Findings of one detector that are kept, the gravest first; more are counted."""
FLOW_IDS_MAX = 20
GRAVITY = {"critical": 0, "warning": 1, "info": 2}
WORST_FIRST = tuple(Verdict)

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationSettings:
    """How many flows are judged at once; `detectors` holds settings records by detector."""

    detectors: Mapping[str, Any] = field(default_factory=dict)
    grace_ns: int = GRACE_NS
    unknown_sampling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationReport:
    """What was done; `written` is False when it was fresh already, or data kept coming in."""

    findings: int = 0
    detectors: int = 0
    written: bool = False
    overtaken: bool = False
    seconds: float = 0.0


def judge_population(
    store: Store, settings: PopulationSettings, progress: Progress | None = None
) -> PopulationReport:
    """Ask every detector of many flows again, if data, code or settings changed."""
    started = time.perf_counter()
    digest = code_digest(settings)
    for _ in range(TRIES_MAX):
        with store.reading("judge flows: read") as session:
            state = read_population_state(session)
            made_by = {it.detector: it.facts.get("made_by") for it in state.coverage}
            wanted = dict.fromkeys((it.name for it in population_detectors()), digest)
            if made_by == wanted and not state.stale:
                return PopulationReport(detectors=len(wanted))
            seen = _seen(session, settings)
        concluded: list[Finding] = []
        waiting = deque(population_detectors())
        while waiting:
            with store.reading("judge flows: read"):  # those within it share it
                until = time.monotonic() + HELD_SECONDS_MAX
                while waiting and time.monotonic() < until:
                    concluded += _asked(store, waiting.popleft(), seen, settings, digest)
                    if progress is not None:
                        progress("population checks", len(wanted) - len(waiting))
        with store.lease("judge flows: write") as session:
            if replace_population(session, generation=state.generation, findings=concluded):
                return PopulationReport(
                    findings=sum(it.scope != COVERAGE_SCOPE for it in concluded),
                    detectors=len(wanted),
                    written=True,
                    seconds=time.perf_counter() - started,
                )
    return PopulationReport(overtaken=True, seconds=time.perf_counter() - started)


def said_by(
    store: Store, detector: PopulationDetector, settings: PopulationSettings
) -> list[Finding]:
    """What one detector says, its coverage row last; nothing is written."""
    with store.reading("judge flows: read") as session:
        seen = _seen(session, settings)
    return _asked(store, detector, seen, settings, code_digest(settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What all detectors are told of the data."""

    flows: int
    unsampled: int
    coverage: Coverage


def _seen(session: Session, settings: PopulationSettings) -> _Seen:
    flows, unsampled = ask(session, POPULATION, {}).row(0)
    services = {
        name: ServiceCoverage(first_ns=first_ns, last_ns=last_ns)
        for name, first_ns, last_ns in ask(session, COVERAGE, {}).iter_rows()
    }
    return _Seen(
        flows=flows,
        unsampled=unsampled,
        coverage=Coverage(
            services=services,
            data_end_ns=max((it.last_ns for it in services.values()), default=0),
            grace_ns=settings.grace_ns,
            unknown_sampling=settings.unknown_sampling,
        ),
    )


def _asked(
    store: Store,
    detector: PopulationDetector,
    seen: _Seen,
    settings: PopulationSettings,
    digest: str,
) -> list[Finding]:
    """The findings of one detector, and the row that says what it looked at."""
    given = settings.detectors.get(detector.name, detector.settings())
    asked = [load(path) for path in detector.questions]
    with store.reading(f"judge flows: {detector.name}") as session:
        frames = {
            it.name: ask(session, it.path, {name: getattr(given, name) for name in it.params})
            for it in asked
        }
    cut = sum(max(frame.height - ROWS_MAX, 0) for frame in frames.values())
    answers = {name: frame.head(ROWS_MAX).to_dicts() for name, frame in frames.items()}
    judged = detector.detect(
        PopulationCase(
            answers=answers,
            settings=given,
            coverage=seen.coverage,
            flows=seen.flows,
            unsampled=seen.unsampled,
        )
    )
    findings = sorted(judged.findings, key=lambda it: (GRAVITY[it.severity], it.finding_id))
    kept = findings[:FINDINGS_MAX]
    if kept:
        with store.reading(f"judge flows: {detector.name}") as session:
            kept = [_with_flows(session, finding) for finding in kept]
    return [*kept, _coverage_row(detector, judged, cut, len(findings) - len(kept), digest)]


def _with_flows(session: Session, finding: Finding) -> Finding:
    """The finding with the flows its examples come from."""
    trace_ids = sorted({it.trace_id for it in finding.evidence if it.trace_id is not None})
    flow_ids = ask(session, FLOWS_OF_TRACES, {"trace_ids": trace_ids})["flow_id"].to_list()
    facts: dict[str, JsonValue] = {**finding.facts, "flow_ids": flow_ids[:FLOW_IDS_MAX]}
    return replace(finding, facts=facts)


def _coverage_row(
    detector: PopulationDetector, judged: Judged, cut: int, dropped: int, digest: str
) -> Finding:
    looked = ", ".join(f"{count} {what}" for what, count in judged.examined.items())
    verdicts = {finding.verdict for finding in judged.findings}
    missing = [*judged.missing, *([f"{cut} rows beyond the first {ROWS_MAX}"] if cut else [])]
    if not verdicts:
        nothing = not any(judged.examined.values())
        fine = Verdict.NOT_APPLICABLE if nothing else Verdict.PASS
        verdicts = {Verdict.UNKNOWN if missing else fine}
    more = f"; {dropped} findings more than are kept" if dropped else ""
    return Finding(
        finding_id=finding_id(detector.name, COVERAGE_SCOPE),
        detector=detector.name,
        scope=COVERAGE_SCOPE,
        severity="info",
        verdict=min(verdicts, key=WORST_FIRST.index),
        flow_id=None,
        message=f"looked at {looked or 'nothing'}; {len(judged.findings)} found{more}",
        remedy="",
        facts={
            "examined": dict(judged.examined),
            "missing": list(missing),
            "found": len(judged.findings),
            "made_by": digest,
        },
    )
