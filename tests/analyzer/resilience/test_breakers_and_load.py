"""Circuit breakers and refused load."""

from pathlib import Path

from store.conclusions import Finding, Verdict
from store.model import Span
from tests.analyzer.population import flow, moved, said

EDGE = ("gateway", "POST /charges")
STATE = "retrospan.breaker.state"


def behind_breaker(states: list[str], apart_ms: float = 1000) -> list[Span]:
    """One call per flow, in the breaker's states in turn; open calls never leave."""
    spans: list[Span] = []
    for number, state in enumerate(states):
        made = flow(number)
        if state == "open":
            made.call(*EDGE, 10, 11, error="breaker_open", callee_seen=False, extra={STATE: state})
        else:
            status = (
                503 if state == "half_open" and states[number + 1 : number + 2] == ["open"] else 201
            )
            made.call(*EDGE, 10, 60, http=status, extra={STATE: state})
        spans += moved(made.all_spans(), number * apart_ms)
    return spans


class TestBreakerIntervals:
    """When breakers were open."""

    def test_an_opening_is_told_with_its_probes_and_accuses_nobody(self, tmp_path: Path) -> None:
        states = ["closed"] * 5 + ["open"] * 4 + ["half_open", "open", "half_open"] + ["closed"] * 5
        (finding,) = said(tmp_path, "breaker_intervals", behind_breaker(states)).findings
        assert (finding.verdict, finding.severity) == (Verdict.PASS, "info")
        assert (finding.facts["refused"], finding.facts["probes"]) == (5, 2)
        assert (finding.facts["probes_failed"], finding.facts["openings"]) == (1, 1)

    def test_opening_again_and_again_is_flapping(self, tmp_path: Path) -> None:
        states = ["closed", "closed", "open", "half_open"] * 4
        (finding,) = said(tmp_path, "breaker_intervals", behind_breaker(states)).findings
        assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "warning")
        assert finding.facts["openings_at_most"] == 4

    def test_openings_far_apart_are_no_flapping(self, tmp_path: Path) -> None:
        states = ["closed", "closed", "open", "half_open"] * 3
        spans = behind_breaker(states, apart_ms=15_000)
        (finding,) = said(tmp_path, "breaker_intervals", spans).findings
        assert finding.verdict is Verdict.PASS

    def test_a_closed_breaker_is_fine(self, tmp_path: Path) -> None:
        told = said(tmp_path, "breaker_intervals", behind_breaker(["closed"] * 10))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)

    def test_without_states_failing_at_once_is_only_suspected(self, tmp_path: Path) -> None:
        spans: list[Span] = []
        for number in range(12):
            made = flow(number)
            if number % 2:
                made.call(*EDGE, 10, 11, error="Refused", callee_seen=False)
            else:
                made.call(*EDGE, 10, 60)
            spans += moved(made.all_spans(), number * 100)
        (finding,) = said(tmp_path, "breaker_intervals", spans).findings
        assert (finding.verdict, finding.facts["fast"]) == (Verdict.SUSPECTED, 6)


def by_priority(folder: Path, shed: dict[str | None, int], status: int = 429) -> list[Finding]:
    """Thirty calls of each priority, of which so many were refused."""
    spans: list[Span] = []
    number = 0
    for priority, refused in shed.items():
        for place in range(30):
            made = flow(number)
            made.call(
                *EDGE, 10, 20, http=status if place < refused else 201,
                extra={} if priority is None else {"retrospan.priority": priority},
            )  # fmt: skip
            spans += made.all_spans()
            number += 1
    told = said(folder, "load_shedding", spans)
    if not told.findings:
        assert told.coverage.verdict in (Verdict.PASS, Verdict.UNKNOWN)
    return list(told.findings)


class TestLoadShedding:
    """Who was refused."""

    def test_refusing_the_important_more_is_critical(self, tmp_path: Path) -> None:
        (finding,) = by_priority(tmp_path, {"critical": 20, "low": 2})
        assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "critical")
        assert "20 of 30 calls of priority critical" in finding.message

    def test_refusing_the_unimportant_more_is_how_it_should_be(self, tmp_path: Path) -> None:
        (finding,) = by_priority(tmp_path, {"critical": 2, "low": 20})
        assert (finding.verdict, finding.severity) == (Verdict.PASS, "info")

    def test_a_small_difference_is_chance(self, tmp_path: Path) -> None:
        (finding,) = by_priority(tmp_path, {"u=0": 6, "u=7, i": 4})
        assert finding.verdict is Verdict.PASS

    def test_without_priorities_it_is_unknown(self, tmp_path: Path) -> None:
        (finding,) = by_priority(tmp_path, {None: 12})
        assert finding.verdict is Verdict.UNKNOWN
        assert "unknown" in finding.message

    def test_a_bare_503_is_not_taken_for_shedding(self, tmp_path: Path) -> None:
        assert by_priority(tmp_path, {None: 12}, status=503) == []

    def test_nothing_refused_is_fine(self, tmp_path: Path) -> None:
        assert by_priority(tmp_path, {"critical": 0, "low": 1}) == []
