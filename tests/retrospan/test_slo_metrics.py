"""Metrics that look only at what is new say what a look at everything says."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.facts import ask_flow_facts
from analyzer.facts.flow_facts import Asked
from analyzer.rebuild import RebuildSettings, rebuild
from analyzer.slo.openslo import read_slos
from retrospan.slo_metrics import SloMetrics
from store.lease import Store
from store.model import Batch, Span
from store.purge import purge_flows
from store.session import Session
from store.write import write_batch
from tests.analyzer.slo.documents import SLO

START_NS = 1_700_000_000_000_000_000


def load(store: Store, name: str, numbers: Sequence[int], *, end: bool = True) -> None:
    """One flow of one span for each number; every third fails."""
    spans = [
        Span(
            trace_id=f"{n + 1:032x}",
            span_id=f"{n + 1:016x}",
            parent_span_id=None,
            name="pay",
            kind="server",
            service="shop",
            start_ns=START_NS + n * 10**9,
            end_ns=START_NS + n * 10**9 + 10**6 if end else None,
            status="error" if n % 3 == 0 else "ok",
            attributes={"retrospan.flow.id": f"f{n}", "retrospan.flow.name": "payment"},
            resource={"service.name": "shop"},
        )
        for n in numbers
    ]
    batch = Batch(source=name, content_sha256=name, reader="test", rules_sha256="", spans=spans)
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "metrics.duckdb")
    load(made, "first", range(10))
    return made


def metrics_of(store: Store, folder: Path, name: str) -> SloMetrics:
    path = folder / "slo.yaml"
    path.write_text(SLO)
    return SloMetrics(store, read_slos([path]), folder / f"{name}.json")


def flows_told(metrics: SloMetrics) -> list[str]:
    return [line for line in metrics.text().splitlines() if not line.startswith("#")]


def test_an_update_says_what_a_first_look_says(store: Store, tmp_path: Path) -> None:
    followed = metrics_of(store, tmp_path, "followed")
    followed.update()
    load(store, "second", range(10, 25))
    load(store, "open", [30], end=False)
    followed.update()
    afresh = metrics_of(store, tmp_path, "afresh")
    afresh.update()
    assert flows_told(followed) == flows_told(afresh)
    assert any('retrospan_slo_flows_total{result="bad"' in line for line in flows_told(afresh))


def test_an_update_reads_only_flows_that_were_derived_since(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str]] = []

    def told(session: Session, after: int | None = None) -> Asked:
        found = ask_flow_facts(session, after=after)
        read.append(found.flows["flow_id"].to_list())
        return found

    monkeypatch.setattr("retrospan.slo_metrics.ask_flow_facts", told)
    metrics = metrics_of(store, tmp_path, "counted")
    metrics.update()
    load(store, "second", [12])
    metrics.update()
    metrics.update()
    assert [len(ids) for ids in read] == [10, 1, 0]
    assert read[1] == ["f12"]


def test_flows_that_were_purged_are_judged_no_more(store: Store, tmp_path: Path) -> None:
    metrics = metrics_of(store, tmp_path, "purged")
    metrics.update()
    with store.lease("test") as session:
        purge_flows(session, ["f1", "f2"])
    load(store, "second", [11, 12])
    metrics.update()
    assert set(metrics._flows.rows["flow_id"]) == {f"f{n}" for n in (0, *range(3, 10), 11, 12)}
