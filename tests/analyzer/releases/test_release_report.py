"""Releases from what a store holds."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from analyzer.rebuild import rebuild
from analyzer.releases.report import ReleaseReport, report
from analyzer.releases.settings import ReleaseSettings
from analyzer.settings import RebuildSettings
from store import read
from store.lease import Store
from store.model import Batch, Decision, LogRecord, Span
from store.query import ask
from store.write import write_batch
from tests.retrospan.records import log, span, write

SECOND = 1_000_000_000


def requests(version: str, first: int, last: int, failing: int = 0) -> list[Span]:
    """One request a second; every `failing`th ends in 503."""
    return [
        span(
            number * 2 + 1,
            number + 1,
            kind="server",
            service="shop",
            start_ns=number * SECOND,
            end_ns=number * SECOND + 100_000 + number % 50,
            attributes={
                "http.request.method": "GET",
                "http.response.status_code": 503 if failing and number % failing == 0 else 200,
            },
            resource={"service.version": version},
        )
        for number in range(first, last)
    ]


def reported(path: Path, spans: Sequence[Span]) -> ReleaseReport:
    with write(path, spans=spans).lease("test") as session:
        counts = read.counts(session)
        return report(
            session, counts.data_start_ns or 0, (counts.data_end_ns or 0) + 1, ReleaseSettings()
        )


def verdicts(path: Path, spans: Sequence[Span]) -> list[tuple[str, str]]:
    return [(one.pair.design, one.verdict.value) for one in reported(path, spans).comparisons]


@pytest.mark.parametrize(("failing", "verdict"), [(0, "pass"), (3, "fail")])
def test_a_service_is_compared_by_its_requests(tmp_path: Path, failing: int, verdict: str) -> None:
    spans = requests("1", 0, 200) + requests("2", 200, 400, failing)
    assert verdicts(tmp_path / "x.duckdb", spans) == [("sequential", verdict)]


def test_a_rollback_is_found_however_long_other_data_goes_on(tmp_path: Path) -> None:
    taken_back = requests("1", 0, 200) + requests("2", 200, 300, 3) + requests("1", 300, 500)
    week = 7 * 24 * 3_600
    others = [
        span(
            number, number, kind="server", service="depot", start_ns=at * SECOND,
            end_ns=at * SECOND + 5, resource={"service.version": "1"},
        )
        for number, at in ((5_001, 0), (5_002, week))
    ]  # fmt: skip
    alone = reported(tmp_path / "a.duckdb", taken_back).rollbacks
    beside = reported(tmp_path / "b.duckdb", taken_back + others).rollbacks
    assert [(one.withdrawn.version, one.back_to) for one in beside] == [("2", "1")]
    assert beside == alone


def test_the_order_of_loading_changes_nothing(tmp_path: Path) -> None:
    spans = requests("1", 0, 100, 9) + requests("2", 100, 220, 3) + requests("1", 220, 300, 9)
    first = reported(tmp_path / "a.duckdb", spans)
    assert first == reported(tmp_path / "b.duckdb", spans[::-1])
    assert [(one.withdrawn.version, one.back_to) for one in first.rollbacks] == [("2", "1")]


def test_a_store_without_versions_has_nothing_to_compare(tmp_path: Path) -> None:
    empty = reported(tmp_path / "a.duckdb", [])
    assert (empty.things, empty.comparisons, empty.rollbacks) == ([], [], [])
    one = reported(tmp_path / "b.duckdb", requests("1", 0, 50))
    assert (len(one.things), one.comparisons) == (1, [])


def arms(store: Store, folder: Path) -> list[tuple[str, ...]]:
    question = folder / "arms.sql"
    question.write_text("SELECT kind, subject, version, flow_id FROM flow_arms ORDER BY ALL")
    with store.lease("test") as session:
        return [tuple(row) for row in ask(session, question, {}).iter_rows()]


def test_the_arms_of_a_flow_come_from_decisions_and_evaluations(tmp_path: Path) -> None:
    """A flow that met two variants of one flag is in no arm of it."""

    def root(number: int) -> Span:
        return span(1, number, attributes={"retrospan.flow.name": "pay"}, kind="server")

    def evaluation(trace: int, name: str, variant: str) -> LogRecord:
        return log(
            trace,
            trace_id=f"{trace:032x}",
            span_id=f"{1:016x}",
            event_name="feature_flag.evaluation",
            attributes={"feature_flag.key": name, "feature_flag.result.variant": variant},
        )

    decision = Decision(
        decision_id="d",
        time_ns=1,
        chosen="yes",
        trace_id=f"{1:032x}",
        span_id=f"{1:016x}",
        model_name="risk",
        model_version="7",
        record={"feature_flags": {"dark": "on"}},
    )
    store = Store(tmp_path / "x.duckdb")
    batch = Batch(
        source="x",
        content_sha256="0:0",
        reader="x",
        rules_sha256="",
        spans=[root(1), root(2)],
        logs=[
            evaluation(1, "fast", "on"),
            evaluation(2, "fast", "on"),
            evaluation(2, "fast", "off"),
        ],
        decisions=[decision],
    )
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    flow = f"trace:{1:032x}"
    assert [one for one in arms(store, tmp_path) if one[0] != "flow"] == [
        ("flag", "dark", "on", flow),
        ("flag", "fast", "on", flow),
        ("model", "risk", "7", flow),
    ]
