"""On traces that others recorded: every count adds up, and known faults are seen."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from analyzer.quality import QualityReport, quality_report
from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from store.lease import Store
from tests.third_party import corpora_folder

ZIPKIN = "othertraces/openzipkin+zipkin/zipkin-lens/testdata"


def report_on(folder: Path, paths: Sequence[str]) -> QualityReport:
    store = Store(folder / "s.duckdb")
    corpora = corpora_folder()
    inputs = [str(corpora / path) for path in paths]
    ingest_paths(store, inputs, IngestSettings(redaction_key=b"k" * 32))
    rebuild(store, RebuildSettings())
    with store.lease("test") as session:
        return quality_report(session)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> QualityReport:
    return report_on(
        tmp_path_factory.mktemp("corpora"),
        [
            "otlp",
            ZIPKIN,
            "othertraces/jaegertracing+jaeger-ui",
            "othertraces/FudanSELab+train-ticket",
        ],
    )


def test_no_gap_is_larger_than_what_was_checked(everything: QualityReport) -> None:
    assert everything.gaps
    for gap in everything.gaps:
        assert 0 < gap.lacking <= gap.checked, gap
        assert gap.gain > 0


def test_each_score_is_what_its_gaps_leave_of_it(everything: QualityReport) -> None:
    for service in everything.services:
        lost = sum(
            (gap.gain for gap in everything.gaps if gap.service == service.service), Fraction(0)
        )
        assert service.score == 1 - lost
        assert 0 <= service.score <= 1


def test_spans_without_a_service_are_seen(everything: QualityReport) -> None:
    (nameless,) = [gap for gap in everything.gaps if gap.gap.name == "missing_service_name"]
    assert nameless.service == "unknown_service"
    assert nameless.affected == nameless.checked


def test_the_skewed_clocks_of_a_published_trace_are_seen(tmp_path: Path) -> None:
    """A trace that Zipkin keeps because its clocks disagree."""
    report = report_on(tmp_path, [f"{ZIPKIN}/skew.json"])
    assert any(gap.gap.name == "clock_skew" for gap in report.gaps)
