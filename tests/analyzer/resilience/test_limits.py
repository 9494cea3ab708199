"""Time limits: none, not in force, the wrong way round; and work nobody waits for."""

from collections.abc import Sequence
from pathlib import Path

from store.conclusions import Verdict
from store.model import AttributeValue, Span
from tests.analyzer.population import flow, moved, said

EDGE = ("ledger", "POST /postings")


def calls(durations: Sequence[float], limit: int | None = None, **more: object) -> list[Span]:
    """Flows with one call each, of so many milliseconds."""
    extra: dict[str, AttributeValue] = {}
    if limit is not None:
        extra["retrospan.call.timeout_ms"] = limit
    spans: list[Span] = []
    for number, duration in enumerate(durations):
        made = flow(number, end=duration + 100)
        made.call(*EDGE, 10, 10 + duration, extra=extra, **more)  # type: ignore[arg-type]
        spans += moved(made.all_spans(), number * 100)
    return spans


class TestMissingTimeout:
    """Calls without a limit that holds."""

    def test_a_long_tail_without_any_limit_is_suspected(self, tmp_path: Path) -> None:
        told = said(tmp_path, "missing_timeout", calls([50] * 60 + [42_000]))
        (finding,) = told.findings
        assert (finding.verdict, finding.severity) == (Verdict.SUSPECTED, "warning")
        assert "42 s" in finding.message

    def test_a_declared_limit_that_calls_outlast_is_a_violation(self, tmp_path: Path) -> None:
        told = said(tmp_path, "missing_timeout", calls([50] * 20 + [900] * 3, limit=300))
        (finding,) = told.findings
        assert (finding.verdict, finding.facts["over"]) == (Verdict.VIOLATION, 3)

    def test_a_limit_that_holds_is_fine(self, tmp_path: Path) -> None:
        told = said(tmp_path, "missing_timeout", calls([50] * 20 + [310] * 5, limit=300))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_without_limits_or_long_calls_it_is_unknown(self, tmp_path: Path) -> None:
        told = said(tmp_path, "missing_timeout", calls([50] * 60))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)
        assert told.coverage.facts["missing"] == [
            "retrospan.call.timeout_ms of orchestrator calling ledger POST /postings"
        ]

    def test_a_slow_job_is_not_a_hanging_call(self, tmp_path: Path) -> None:
        assert not said(tmp_path, "missing_timeout", calls([9_000] * 60 + [15_000])).findings


def inside(
    number: int, outer_ms: int | None, inner_ms: int | None, attempts: int = 1
) -> list[Span]:
    """A call made inside another one, both with their limits."""

    def limit(value: int | None) -> dict[str, AttributeValue]:
        if value is None:
            return {}
        return {"retrospan.call.timeout_ms": value, "retrospan.call.max_attempts": attempts}

    made = flow(number)
    made.call("shop", "POST /orders", 10, 200, extra=limit(outer_ms))
    server = made.spans[-1]
    made.add(
        "POST /postings", 20, 60, kind="client", service="shop", parent=server.span_id,
        attributes={
            "http.request.method": "POST", "url.template": "/postings",
            "service.peer.name": "ledger", "http.response.status_code": 201, **limit(inner_ms),
        },
    )  # fmt: skip
    return made.all_spans()


class TestDeadlineInversion:
    """Inner calls that may last longer than the outer one."""

    def test_a_longer_inner_limit_is_a_violation(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in inside(number, 300, 500)]
        (finding,) = said(tmp_path, "deadline_inversion", spans).findings
        assert finding.verdict is Verdict.VIOLATION
        assert "may take 500 ms" in finding.message and "after 300 ms" in finding.message

    def test_a_shorter_one_is_fine(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in inside(number, 500, 300)]
        told = said(tmp_path, "deadline_inversion", spans)
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_retries_together_beyond_the_outer_limit_are_suspected(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in inside(number, 500, 300, 3)]
        (finding,) = said(tmp_path, "deadline_inversion", spans).findings
        assert (finding.verdict, finding.severity) == (Verdict.SUSPECTED, "info")

    def test_without_limits_it_is_unknown(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in inside(number, None, 300)]
        told = said(tmp_path, "deadline_inversion", spans)
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)


class TestWastedWork:
    """Callees that work on for nobody."""

    def given_up(self, count: int, callee_end: float, seen: bool = True) -> list[Span]:
        spans: list[Span] = []
        for number in range(40):
            made = flow(number)
            if number < count:
                made.call(
                    *EDGE, 10, 300, error="timeout", at_callee=201, callee_end=callee_end,
                    callee_seen=seen,
                )  # fmt: skip
            else:
                made.call(*EDGE, 10, 60)
            spans += moved(made.all_spans(), number * 100)
        return spans

    def test_answers_that_come_too_late_are_told_with_what_they_changed(
        self, tmp_path: Path
    ) -> None:
        (finding,) = said(tmp_path, "wasted_work", self.given_up(8, 800)).findings
        assert finding.verdict is Verdict.VIOLATION
        assert (finding.facts["ran_on"], finding.facts["took_effect"]) == (8, 8)
        assert finding.facts["wasted_ns"] == 8 * 500_000_000

    def test_a_callee_that_stops_in_time_is_fine(self, tmp_path: Path) -> None:
        told = said(tmp_path, "wasted_work", self.given_up(8, 301))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_without_the_callees_spans_it_is_unknown(self, tmp_path: Path) -> None:
        told = said(tmp_path, "wasted_work", self.given_up(8, 800, seen=False))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.UNKNOWN)
        assert told.coverage.facts["missing"] == ["the spans of ledger for calls given up"]
