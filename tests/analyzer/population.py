"""Many flows written by hand, and what the detectors of the population say of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.detectors import population_detectors
from analyzer.population import PopulationSettings, said_by
from analyzer.rebuild import RebuildSettings, rebuild
from store.conclusions import Finding
from store.lease import Store
from store.model import Batch, Span
from store.write import write_batch
from tests.analyzer.builder import LATER_NS, MS, Recording


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one detector said: findings and the row on what it looked at."""

    findings: Sequence[Finding]
    coverage: Finding


def flow(number: int, **more: object) -> Recording:
    """The recording of one of many flows."""
    options: dict[str, object] = {
        "flow_id": f"order-{number}", "trace": f"{number + 1:032x}", **more,
    }  # fmt: skip
    return Recording(**options)  # type: ignore[arg-type]


def moved(spans: Iterable[Span], ms: float) -> list[Span]:
    """Spans, so many milliseconds later."""
    shift = int(ms * MS)
    return [
        replace(
            span,
            start_ns=span.start_ns + shift,
            end_ns=None if span.end_ns is None else span.end_ns + shift,
        )
        for span in spans
    ]


def heard_later(spans: Sequence[Span]) -> list[Span]:
    """One span of every service long after, so that nothing lies at the edge of the data."""
    services = sorted({span.service for span in spans})
    return [
        Span(
            trace_id="f" * 31 + "e",
            span_id=f"{number + 1:016x}",
            parent_span_id=None,
            name="heartbeat",
            kind="internal",
            service=service,
            start_ns=LATER_NS,
            end_ns=LATER_NS + MS,
            status="unset",
        )
        for number, service in enumerate(services)
    ]


def stored(folder: Path, spans: Sequence[Span]) -> Store:
    """A store with these spans, their flows derived."""
    store = Store(folder / "s.duckdb")
    name = str(sorted((span.trace_id, span.span_id) for span in spans))
    batch = Batch(source="t", content_sha256=name, reader="t/1", rules_sha256="0", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    return store


def said(
    folder: Path, detector: str, spans: Sequence[Span], settings: PopulationSettings | None = None
) -> Said:
    """What one detector says of these spans, through the store."""
    (asked,) = [it for it in population_detectors() if it.name == detector]
    *findings, coverage = said_by(stored(folder, spans), asked, settings or PopulationSettings())
    return Said(findings=findings, coverage=coverage)
