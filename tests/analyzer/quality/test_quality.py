"""Data quality counts what is missing, never what is there, and says what that costs."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from analyzer.quality import QualityReport, quality_report
from analyzer.quality.gaps import CATALOGUE
from analyzer.quality.report import EVER, Counted, GapCount, Range, counted, looked_at, questions
from analyzer.rebuild import RebuildSettings, rebuild
from store.lease import Store
from store.model import Batch, Decision, LogRecord, Span, SpanLink
from store.write import write_batch
from tests.analyzer.builder import START_NS, Recording, without

ROOT = {"retrospan.flow.name": "payment"}


def full(spans: Sequence[Span]) -> list[Span]:
    """The spans with everything the catalogue asks of a single span."""
    return [
        replace(
            span,
            trace_state="ot=th:0",
            resource={"service.version": "1"},
            attributes={
                **span.attributes,
                "retrospan.call.timeout_ms": 300,
                "http.request.body.content": "{}",
                "http.response.body.content": "{}",
            },
        )
        for span in spans
    ]


def payment() -> Recording:
    """A payment that tells everything."""
    flow = Recording()
    flow.reserve(10, 20)
    flow.charge(30, 40)
    return flow


def filled(
    tmp_path: Path,
    spans: Sequence[Span],
    logs: Sequence[LogRecord] = (),
    decisions: Sequence[Decision] = (),
) -> Store:
    store = Store(tmp_path / "s.duckdb")
    batch = Batch(
        source="t", content_sha256="0", reader="t/1", rules_sha256="0",
        spans=spans, logs=logs, decisions=decisions,
    )  # fmt: skip
    with store.lease("test", create=True) as session:
        write_batch(session, batch)
    rebuild(store, RebuildSettings())
    return store


def of(
    tmp_path: Path,
    spans: Sequence[Span],
    logs: Sequence[LogRecord] = (),
    decisions: Sequence[Decision] = (),
    within: Range = EVER,
) -> QualityReport:
    with filled(tmp_path, spans, logs, decisions).lease("test") as session:
        return quality_report(session, within)


def found(report: QualityReport, name: str) -> list[GapCount]:
    return [gap for gap in report.gaps if gap.gap.name == name]


def names(report: QualityReport) -> set[str]:
    return {gap.gap.name for gap in report.gaps}


def test_an_empty_store_gives_no_score_rather_than_a_full_one(tmp_path: Path) -> None:
    report = of(tmp_path, [])
    assert (report.services, report.gaps) == ([], [])
    assert len(report.not_applicable) == len(CATALOGUE)


def test_a_flow_that_tells_everything_has_no_gap(tmp_path: Path) -> None:
    report = of(tmp_path, full(payment().all_spans()))
    assert names(report) == set()
    assert {one.score for one in report.services} == {Fraction(1)}
    assert all(one.best is None for one in report.services)


@pytest.mark.parametrize(
    ("attribute", "gap", "affected"),
    [
        ("retrospan.idempotency_key", "missing_idempotency_key", 2),
        ("retrospan.saga.role", "missing_saga_role", 2),
        ("retrospan.saga.resource", "missing_saga_resource", 2),
        ("retrospan.call.timeout_ms", "missing_timeout", 2),
        ("http.response.body.content", "missing_body", 2),
        ("retrospan.flow.name", "missing_flow_name", 1),
    ],
)
def test_hiding_an_attribute_is_counted_under_its_own_gap(
    tmp_path: Path, attribute: str, gap: str, affected: int
) -> None:
    report = of(tmp_path, without(full(payment().all_spans()), attribute))
    assert names(report) == {gap}
    (count,) = found(report, gap)
    assert (count.service, count.affected, count.undetermined) == ("orchestrator", affected, 0)
    (hurt,) = [one for one in report.services if one.service == "orchestrator"]
    assert hurt.best == count
    assert hurt.score == 1 - count.gain < 1


def test_leaving_out_a_service_shows_as_unheard_not_as_its_own_fault(tmp_path: Path) -> None:
    spans = [span for span in full(payment().all_spans()) if span.service != "gateway-eu"]
    report = of(tmp_path, spans)
    (count,) = found(report, "callee_unheard")
    assert (count.service, count.affected, count.checked) == ("orchestrator", 1, 2)
    assert found(report, "client_without_server") == []


def test_a_call_whose_callee_was_heard_of_elsewhere_is_a_client_without_server(
    tmp_path: Path,
) -> None:
    flow = payment()
    flow.charge(50, 60, key="c2", callee_seen=False)
    report = of(tmp_path, full(flow.all_spans()))
    (count,) = found(report, "client_without_server")
    assert (count.affected, count.checked) == (1, 3)


def test_a_call_that_an_open_breaker_held_back_needs_no_server(tmp_path: Path) -> None:
    flow = payment()
    flow.call(
        "gateway-eu", "POST /charges", 50, 51, key="c2", callee_seen=False, error="breaker_open",
        saga={"role": "compensatable", "resource": "order-1/charge"},
        extra={"retrospan.breaker.state": "open"},
    )  # fmt: skip
    assert found(of(tmp_path, full(flow.all_spans())), "client_without_server") == []


def test_a_lost_caller_makes_orphans_and_takes_the_root(tmp_path: Path) -> None:
    spans = [span for span in full(payment().all_spans()) if span.service != "orchestrator"]
    report = of(tmp_path, spans)
    assert {gap.service for gap in found(report, "orphan_span")} == {"inventory", "gateway-eu"}
    (rootless,) = found(report, "missing_root")
    assert (rootless.service, rootless.checked) == ("inventory", 1)


def test_a_second_root_and_a_link_to_nowhere_are_counted(tmp_path: Path) -> None:
    flow = payment()
    flow.add("loose", 100, 110, parent=None, links=[SpanLink(trace_id="f" * 32, span_id="e" * 16)])
    report = of(tmp_path, full(flow.all_spans()))
    assert {"several_roots", "link_to_absent_span"} <= names(report)


def test_a_callee_whose_clock_is_ahead_is_skewed_and_a_late_end_is_not(tmp_path: Path) -> None:
    flow = payment()
    flow.charge(50, 60, key="c2", callee_end=500)
    late = full(flow.all_spans())
    assert found(of(tmp_path, late), "clock_skew") == []
    ahead = [
        replace(span, start_ns=span.start_ns + 10**9, end_ns=(span.end_ns or 0) + 10**9)
        if span.service == "inventory"
        else span
        for span in late
    ]
    (tmp_path / "b").mkdir()
    (count,) = found(of(tmp_path / "b", ahead), "clock_skew")
    assert (count.service, count.affected, count.checked) == ("inventory", 1, 1)


def test_a_span_of_another_flow_than_its_parent_breaks_correlation(tmp_path: Path) -> None:
    flow = payment()
    flow.add("work", 70, 80, attributes={"retrospan.flow.id": "order-2"})
    (count,) = found(of(tmp_path, full(flow.all_spans())), "broken_correlation")
    assert (count.affected, count.checked) == (1, 1)


def test_nothing_said_of_sampling_is_undetermined_not_affected(tmp_path: Path) -> None:
    silent = [replace(span, trace_state="") for span in full(payment().all_spans())]
    (count,) = found(of(tmp_path, silent), "unknown_sampling")
    assert (count.affected, count.undetermined, count.checked) == (0, 1, 1)


def test_what_single_spans_lack_is_counted_at_their_service(tmp_path: Path) -> None:
    flow = payment()
    flow.add("a", 100, None)
    flow.add("b", 100, 90)
    flow.add("c", 100, 110, kind="unspecified", service="unknown_service")
    flow.add("d", 100, 110, attributes={"retrospan.body.truncated": True})
    report = of(tmp_path, full(flow.all_spans()))
    expected = {
        "unfinished_span": "orchestrator",
        "impossible_times": "orchestrator",
        "missing_span_kind": "unknown_service",
        "missing_service_name": "unknown_service",
        "truncated_record": "orchestrator",
    }
    for name, service in expected.items():
        (count,) = found(report, name)
        assert (count.service, count.affected) == (service, 1), name
        assert count.evidence[0].span_id is not None


def test_a_decision_and_a_log_whose_span_was_never_sent_are_counted(tmp_path: Path) -> None:
    decision = Decision(
        decision_id="d", time_ns=START_NS, chosen="approve", flow_id="order-1",
        record={"actor": {"service": "scorer"}},
    )  # fmt: skip
    log = LogRecord(
        time_ns=START_NS, observed_ns=START_NS, trace_id="f" * 32, span_id="e" * 16,
        severity_number=9, severity_text="INFO", event_name="", body="x", service="scorer",
    )  # fmt: skip
    report = of(tmp_path, full(payment().all_spans()), [log], [decision])
    assert names(report) == {"decision_without_span", "log_of_absent_span"}
    assert {gap.service for gap in report.gaps} == {"scorer"}


def test_every_gap_of_the_catalogue_is_counted_by_some_question(tmp_path: Path) -> None:
    """A span of each sort makes every gap applicable."""
    flow = payment()
    flow.add("linked", 70, 80, links=[SpanLink(trace_id="f" * 32, span_id="e" * 16)],
             attributes={"retrospan.flow.id": "order-1"})  # fmt: skip
    log = LogRecord(
        time_ns=START_NS, observed_ns=START_NS, trace_id="f" * 32, span_id="e" * 16,
        severity_number=9, severity_text="INFO", event_name="", body="x", service="scorer",
    )  # fmt: skip
    decision = Decision(decision_id="d", time_ns=START_NS, chosen="a", flow_id="order-1")
    report = of(tmp_path, flow.all_spans(), [log], [decision])
    assert report.not_applicable == []


def later(spans: Sequence[Span], trace_id: str, by_ns: int) -> list[Span]:
    """The same recorded again, in a trace of its own, at a later time."""
    return [
        replace(span, trace_id=trace_id, start_ns=span.start_ns + by_ns, end_ns=span.end_ns + by_ns)
        for span in spans
        if span.end_ns is not None
    ]


def test_counts_of_two_ranges_add_up_to_those_of_both(tmp_path: Path) -> None:
    spans = payment().all_spans()
    hour = 3_600 * 10**9
    border = START_NS + hour // 2
    store = filled(tmp_path, [*spans, *later(without(spans, "retrospan.flow.id"), "b" * 32, hour)])

    def added(*ranges: Range) -> dict[tuple[str, str], tuple[int, int, int]]:
        rows: list[Counted] = []
        with store.lease("test") as session:
            for within in ranges:
                looked = looked_at(session, within)
                for name in questions():
                    rows += counted(session, name, looked)
        sums: dict[tuple[str, str], tuple[int, int, int]] = {}
        for row in rows:
            key = row.gap.name, row.service
            checked, affected, undetermined = sums.get(key, (0, 0, 0))
            sums[key] = (
                checked + row.checked,
                affected + row.affected,
                undetermined + row.undetermined,
            )
        return sums

    whole = added(EVER)
    assert added((None, border), (border, None)) == whole
    assert added((None, border)) != whole


def test_a_range_without_data_has_no_score(tmp_path: Path) -> None:
    report = of(tmp_path, full(payment().all_spans()), within=(START_NS + 10**15, None))
    assert (report.services, report.gaps) == ([], [])
