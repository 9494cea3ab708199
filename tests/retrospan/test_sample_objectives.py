"""Scorecard, objectives and budgets of a recorded incident, beside the services' own books."""

import gzip
import json
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from analyzer.cost.prices import read_prices
from analyzer.facts import FlowFacts
from analyzer.latency.budgets import latency_budget
from analyzer.oversight.measure import Case
from analyzer.oversight.read import read_joined
from analyzer.oversight.report import measured
from analyzer.oversight.settings import OversightSettings
from analyzer.rebuild import RebuildSettings, rebuild
from analyzer.releases.settings import ReleaseSettings
from analyzer.scorecard.card import Scorecard, scorecard
from analyzer.scorecard.grouping import By
from analyzer.scorecard.settings import owners_of
from analyzer.slo.backtest import backtest
from analyzer.slo.evaluate import SloReport, read_facts, report
from analyzer.slo.openslo import read_slos
from analyzer.slo.timeline import timeline
from ingest.pipeline import IngestSettings, ingest_paths
from retrospan.scorecards import amount
from store.lease import Store
from store.read import counts

ROOT = Path(__file__).resolve().parents[2]
SLOS = ROOT / "retrospan" / "slos"
SAMPLE = ROOT / "sample_traces" / "onboarding-model-rollout"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("sample") / "store.duckdb")
    ingest_paths(store, [str(SAMPLE)], IngestSettings(redaction_key=b"for tests alone, no secret"))
    rebuild(store, RebuildSettings())
    return store


@pytest.fixture(scope="module")
def books() -> dict[str, Any]:
    return tomllib.loads((SAMPLE / "expected.toml").read_text())


@pytest.fixture(scope="module")
def flows(store: Store) -> list[FlowFacts]:
    with store.lease("reading facts") as session:
        return read_facts(session)


@pytest.fixture(scope="module")
def card(store: Store) -> Scorecard:
    owners = owners_of({}, read_slos([SLOS / "enrichment.yaml"]))
    with store.lease("filling in the scorecard") as session:
        end_ns = (counts(session).data_end_ns or 0) + 1
        prices = read_prices(SLOS / "prices.toml")
        return scorecard(session, By.TEAM, 0, end_ns, owners, ReleaseSettings(), prices)


def booked(books: dict[str, Any], finder: str) -> set[str]:
    return {
        flow for entry in books["findings"] if entry["finder"] == finder for flow in entry["flows"]
    }


def test_the_scorecard_counts_what_the_books_count(card: Scorecard, books: dict[str, Any]) -> None:
    every, unowned = card.cards
    assert (every.flows, unowned.name) == (books["flows"], "unknown")
    metrics = {it.name: it for it in every.metrics}
    failing = ("failed", "compensation_failed", "partially_compensated")
    assert metrics["error_rate"].flow_count == sum(books["outcomes"][name] for name in failing)
    assert metrics["undone_rate"].flow_count == books["outcomes"]["compensated"]
    ungated = booked(books, "governance.gate_missing") | booked(
        books, "governance.gate_after_action"
    )
    assert metrics["gate_coverage"].flow_count == len(ungated)
    below = booked(books, "detector.below_threshold_action")
    assert metrics["below_threshold_actions"].flow_count == len(below)
    assert set(metrics["compensation_success"].flow_ids) <= booked(books, "saga.S1")
    assert metrics["compensation_success"].flow_count == len(booked(books, "saga.S1"))


def test_prices_give_what_the_services_wrote_down(card: Scorecard) -> None:
    with gzip.open(SAMPLE / "decisions.jsonl.gz", "rt") as log:
        written = [json.loads(line, parse_float=Decimal)["usage"]["cost_usd"] for line in log]
    spent = card.cards[0].spending
    assert spent.sources == {"priced": len(written)}
    assert sum(it.cost for it in spent.models) == Fraction(sum(written, start=Decimal(0)))
    assert (spent.uncounted_calls, spent.unknown) == (0, 0)
    assert spent.total == sum(it.cost for it in spent.models)
    (old, new) = spent.models
    assert (old.decisions, new.decisions) == (299, 115)
    assert amount(spent.per_flow) != amount(spent.per_success)


def test_ungated_decisions_spend_the_budget_of_their_objective(
    flows: list[FlowFacts], books: dict[str, Any]
) -> None:
    found: dict[str, SloReport] = {
        it.slo.name: it for it in report(read_slos([SLOS / "onboarding.yaml"]), flows, 1 << 61)
    }
    gated = found["onboarding-gated"]
    assert gated.sli is not None
    assert gated.sli.value is None, "nothing ended in the ten minutes before that time"
    now = {
        it.slo.name: it
        for it in report(
            read_slos([SLOS / "onboarding.yaml"]), flows, max(it.at_ns for it in flows) + 1
        )
    }
    assert len(now["onboarding-gated"].bad_flow_ids) == books["gates"]["none"]
    assert booked(books, "governance.gate_missing") <= set(now["onboarding-gated"].bad_flow_ids)
    remaining = now["onboarding-sound"].budget_remaining
    assert remaining is not None and remaining < 0


def test_the_page_fires_inside_the_incident(flows: list[FlowFacts], books: dict[str, Any]) -> None:
    slos = {slo.name: slo for slo in read_slos([SLOS / "onboarding.yaml"])}
    slo = slos["onboarding-sound"]
    (history,) = backtest(slo, slo.objectives[0], timeline(slo, flows))
    (firing,) = history.firings
    assert books["incident"]["start_ns"] < firing.fired_ns < books["incident"]["end_ns"]


def test_the_parts_of_a_latency_budget_make_up_the_whole_time(
    store: Store, flows: list[FlowFacts]
) -> None:
    good = [flow for flow in flows if flow.values["succeeded"]]
    with store.lease("sharing out latency") as session:
        parts = latency_budget(session, [flow.flow_id for flow in good], 1_000_000_000)
    assert sum(part.share for part in parts) == 1
    assert sum(part.allotment_ns or 0 for part in parts) <= 1_000_000_000
    for part in parts:
        assert 0 <= part.saving_p50_ns <= part.p50.value_ns
        assert part.on_path_flows <= part.flows <= len(good)
        assert part.p50.value_ns <= part.p95.value_ns


def test_of_decisions_the_card_says_what_the_governance_report_says(
    store: Store, card: Scorecard
) -> None:
    with store.lease("reading decisions") as session:
        decisions, flows = read_joined(session)
    case = Case(
        decisions=decisions, flows=flows, data_end_ns=0, settings=OversightSettings(resamples=99)
    )
    report = {it.measure.metric: it.measure for it in measured(case)}
    shown = {it.name: it for it in card.cards[0].metrics}
    for mine, theirs in (
        ("gate_coverage", "gate_coverage"),
        ("below_threshold_actions", "below_threshold_rate"),
        ("audit_completeness", "audit_completeness"),
    ):
        metric, measure = shown[mine], report[theirs]
        assert metric.value is not None and measure.value is not None
        assert metric.value == Fraction(measure.value).limit_denominator(1_000_000), mine
        assert (metric.n, metric.unknown, metric.low, metric.high) == (
            measure.n, measure.unknown, measure.low, measure.high,
        ), mine  # fmt: skip
