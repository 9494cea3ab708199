"""Threads that break, clocks that differ, regions that take over."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.population import PopulationSettings
from store.conclusions import Finding, Verdict
from store.model import Span
from tests.analyzer.builder import MS
from tests.analyzer.population import flow, heard_later, moved, said

EDGE = ("ledger", "POST /postings")


def many(count: int = 30, apart_ms: float = 1000) -> list[Span]:
    """Flows of one call each, over half a minute."""
    spans: list[Span] = []
    for number in range(count):
        made = flow(number)
        made.call(*EDGE, 10, 60)
        spans += moved(made.all_spans(), number * apart_ms)
    return spans


def of_ledger(spans: list[Span], change: Callable[[Span], Span | None]) -> list[Span]:
    """The spans with those of the ledger changed or left out, but for every third."""
    kept: list[Span] = []
    for place, span in enumerate(spans):
        hit = span.service == "ledger" and place % 9 != 2
        changed = change(span) if hit else span
        if changed is not None:
            kept.append(changed)
    return kept


def broken(folder: Path, spans: list[Span], unknown: bool = False) -> list[Finding]:
    settings = PopulationSettings(unknown_sampling=unknown)
    return list(said(folder, "broken_correlation", spans, settings).findings)


class TestBrokenCorrelation:
    """Spans that lost their thread."""

    def test_whole_traces_are_fine(self, tmp_path: Path) -> None:
        told = said(tmp_path, "broken_correlation", many())
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_a_parent_that_is_not_there_makes_an_orphan(self, tmp_path: Path) -> None:
        spans = of_ledger(many(), lambda span: replace(span, parent_span_id="00000000000000ff"))
        found = {it.facts["fault"]: it for it in broken(tmp_path, spans)}
        assert found["orphans"].verdict is Verdict.VIOLATION
        assert found["orphans"].facts["service"] == "ledger"

    def test_under_unknown_sampling_nobody_is_accused(self, tmp_path: Path) -> None:
        spans = of_ledger(many(), lambda span: replace(span, parent_span_id="00000000000000ff"))
        assert {it.verdict for it in broken(tmp_path, spans, unknown=True)} == {Verdict.SUSPECTED}

    def test_a_caller_that_is_nowhere_recorded_is_only_suspected(self, tmp_path: Path) -> None:
        spans = [span for span in many() if span.service == "ledger"]
        found = {it.facts["fault"]: it.verdict for it in broken(tmp_path, spans)}
        assert found == {"rootless": Verdict.SUSPECTED}

    def test_a_second_root_is_suspected(self, tmp_path: Path) -> None:
        spans = of_ledger(many(), lambda span: replace(span, parent_span_id=None))
        found = {it.facts["fault"]: it.verdict for it in broken(tmp_path, spans)}
        assert found["second roots"] is Verdict.SUSPECTED

    def test_an_answer_without_the_callees_span_is_found(self, tmp_path: Path) -> None:
        (finding,) = broken(tmp_path, of_ledger(many(), lambda span: None))
        assert (finding.facts["fault"], finding.facts["unseen"]) == ("unseen callee", 20)

    def test_a_callee_that_is_not_instrumented_is_none(self, tmp_path: Path) -> None:
        assert broken(tmp_path, [span for span in many() if span.service != "ledger"]) == []

    def test_a_callee_heard_of_only_much_later_is_none(self, tmp_path: Path) -> None:
        spans = many()
        gone = [span for span in spans if span.service != "ledger"]
        assert broken(tmp_path, [*gone, *heard_later(spans)]) == []

    def test_a_span_that_names_another_flow_is_found(self, tmp_path: Path) -> None:
        made = flow(0)
        made.call(*EDGE, 10, 60, extra={"retrospan.flow.id": "order-99"})
        found = {it.facts["fault"] for it in broken(tmp_path, made.all_spans())}
        assert found == {"flow ids"}


class TestClockSkew:
    """Clocks that disagree."""

    def skewed(self, folder: Path, ms: float) -> list[Finding]:
        spans = [
            replace(
                span,
                start_ns=span.start_ns + int(ms * MS),
                end_ns=(span.end_ns or 0) + int(ms * MS),
            )
            if span.service == "ledger"
            else span
            for span in many(15, 50)
        ]
        return list(said(folder, "clock_skew", spans).findings)

    @pytest.mark.parametrize(
        ("ms", "way", "verdict"),
        [(400, "ahead of", Verdict.VIOLATION), (-30, "behind", Verdict.SUSPECTED)],
    )
    def test_an_offset_is_estimated_with_its_sign(
        self, tmp_path: Path, ms: float, way: str, verdict: Verdict
    ) -> None:
        (finding,) = self.skewed(tmp_path, ms)
        assert way in finding.message
        assert finding.verdict is verdict
        assert finding.facts["offset_ns"] == int(ms * MS)

    @pytest.mark.parametrize("ms", [0, 0.9])
    def test_what_the_network_explains_is_no_skew(self, tmp_path: Path, ms: float) -> None:
        assert self.skewed(tmp_path, ms) == []

    def test_a_callee_that_outlasts_its_caller_is_no_skew(self, tmp_path: Path) -> None:
        spans: list[Span] = []
        for number in range(15):
            made = flow(number)
            made.call(*EDGE, 10, 60, error="timeout", at_callee=201, callee_end=300)
            spans += made.all_spans()
        assert not said(tmp_path, "clock_skew", spans).findings


def in_region(region: str | None, seconds: range, failed: bool = False) -> list[Span]:
    """One call per second, served in a region."""
    spans: list[Span] = []
    for second in seconds:
        made = flow(second)
        made.call(*EDGE, 10, 60, http=503 if failed else 201)
        resource = {} if region is None else {"cloud.region": region}
        served = [
            replace(span, resource=resource, status="error" if failed else "unset")
            if span.service == "ledger"
            else span
            for span in made.all_spans()
        ]
        spans += moved(served, second * 1000)
    return spans


class TestRegionFailover:
    """Work that moves to another region."""

    def test_a_quick_failover_is_told_and_accuses_nobody(self, tmp_path: Path) -> None:
        spans = [
            *in_region("eu-west", range(0, 30)),
            *in_region("eu-west", range(30, 50), failed=True),
            *in_region("eu-north", range(50, 80)),
        ]
        (finding,) = said(tmp_path, "region_failover", spans).findings
        assert (finding.verdict, finding.facts["failed"]) == (Verdict.PASS, 20)
        assert "from eu-west to eu-north" in finding.message

    def test_a_slow_one_misses_its_objective(self, tmp_path: Path) -> None:
        from analyzer.resilience.region_failover import RegionFailoverSettings

        spans = [
            *in_region("eu-west", range(0, 10)),
            *in_region("eu-west", range(10, 60), failed=True),
            *in_region("eu-north", range(60, 80)),
        ]
        settings = PopulationSettings(
            detectors={"region_failover": RegionFailoverSettings(rto_ns=20_000_000_000)}
        )
        (finding,) = said(tmp_path, "region_failover", spans, settings).findings
        assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "warning")

    def test_a_move_without_trouble_is_no_failover(self, tmp_path: Path) -> None:
        spans = [*in_region("eu-west", range(0, 30)), *in_region("eu-north", range(30, 60))]
        assert not said(tmp_path, "region_failover", spans).findings

    def test_without_regions_it_is_unknown(self, tmp_path: Path) -> None:
        told = said(tmp_path, "region_failover", in_region(None, range(10)))
        assert told.coverage.verdict is Verdict.UNKNOWN
        assert "cloud.region of ledger" in told.coverage.facts["missing"]  # type: ignore[operator]
