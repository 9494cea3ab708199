"""A store filled by hand, and one report asked of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analyzer.conformance import Answer, ConformanceSettings, conformance, reports
from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Batch, Span
from store.write import write_batch
from tests.analyzer.builder import Recording


def answers(
    folder: Path, spans: Sequence[Span], names: Sequence[str] | None = None, **declared: Any
) -> dict[str, Answer]:
    """What reports (default: all) say of these spans under these declarations."""
    store = Store(folder / f"{len(list(folder.iterdir()))}.duckdb")
    batch = Batch(source="t", content_sha256="0", reader="t/1", rules_sha256="0", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    wanted = [one for one in reports() if names is None or one.name in names]
    with store.lease("test") as session:
        return conformance(session, ConformanceSettings(**declared), wanted)


def answer(folder: Path, spans: Sequence[Span], report: str, **declared: Any) -> Answer:
    """What one report says."""
    return answers(folder, spans, [report], **declared)[report]


def flow(number: int = 1, **more: Any) -> Recording:
    """One of several payments."""
    return Recording(flow_id=f"order-{number}", trace=f"{number:032x}", **more)


def cells(found: Answer, *names: str) -> list[tuple[Any, ...]]:
    """Some columns of the table."""
    return [tuple(row[name] for name in names) for row in found.rows]
