"""Retries: storms, layers, waits."""

from pathlib import Path

import pytest

from analyzer.detectors import population_detectors
from analyzer.population import PopulationSettings, said_by
from analyzer.resilience.retry_storm import RetryStormSettings
from store.conclusions import Incident, Verdict
from store.model import Span
from store.write_derived import write_incident
from tests.analyzer.builder import Recording, at
from tests.analyzer.population import flow, moved, said, stored

EDGE = ("ledger", "POST /postings")


def tried(
    number: int, attempts: int, wait: float = 50, *, growth: float = 2, jitter: bool = True
) -> Recording:
    """A flow whose one call failed until its last attempt."""
    made = flow(number)
    start = 10.0
    for attempt in range(attempts):
        last = attempt == attempts - 1
        made.call(*EDGE, start, start + 10, http=201 if last else 503)
        spread = 1 + (number * 37 % 50 / 50 - 0.5 if jitter else 0)
        start += 10 + wait * growth**attempt * spread
    return made


def stretch(attempts: list[int], apart_ms: float = 250) -> list[Span]:
    """Flows one after the other, each with so many attempts."""
    return [
        span
        for number, count in enumerate(attempts)
        for span in moved(tried(number, count).all_spans(), number * apart_ms)
    ]


class TestRetryStorm:
    """Too much of the load is retries."""

    def test_a_run_of_bins_full_of_retries_is_a_storm(self, tmp_path: Path) -> None:
        (finding,) = said(tmp_path, "retry_storm", stretch([1] * 40 + [3] * 60)).findings
        assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "warning")
        assert (finding.facts["callee"], finding.facts["attempts_max"]) == ("ledger", 3)
        calm = (finding.facts["calm_logical_calls"], finding.facts["calm_attempts"])
        assert calm[0] == calm[1] or calm[1] < calm[0] * 2  # type: ignore[operator]
        assert finding.facts["flow_ids"]

    @pytest.mark.parametrize(("mitigated_s", "severity"), [(5, "critical"), (40, "warning")])
    def test_a_storm_that_outlives_its_trigger_may_feed_itself(
        self, tmp_path: Path, mitigated_s: int, severity: str
    ) -> None:
        store = stored(tmp_path, stretch([3] * 100))
        incident = Incident(
            incident_id="i", start_ns=at(0), end_ns=at(60_000), declared_by="test", title="",
            mitigated_ns=at(mitigated_s * 1000),
        )  # fmt: skip
        with store.lease("test") as session:
            write_incident(session, incident)
        (asked,) = [it for it in population_detectors() if it.name == "retry_storm"]
        finding, coverage = said_by(store, asked, PopulationSettings())
        assert finding.severity == severity
        assert ("may feed itself" in finding.message) == (severity == "critical")
        assert coverage.facts["missing"] == []

    def test_a_retry_now_and_then_is_none(self, tmp_path: Path) -> None:
        told = said(tmp_path, "retry_storm", stretch([2 if n % 10 == 0 else 1 for n in range(80)]))
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)
        assert told.coverage.facts["examined"] == {"edges": 1, "attempts": 88}

    def test_one_bad_moment_is_no_storm(self, tmp_path: Path) -> None:
        told = said(tmp_path, "retry_storm", stretch([3] * 12 + [1] * 60, apart_ms=400))
        assert not told.findings

    def test_few_calls_prove_nothing(self, tmp_path: Path) -> None:
        assert not said(tmp_path, "retry_storm", stretch([3] * 20, apart_ms=2_000)).findings

    def test_the_limit_can_be_set(self, tmp_path: Path) -> None:
        settings = PopulationSettings(
            detectors={"retry_storm": RetryStormSettings(retry_percent_min=250)}
        )
        assert not said(tmp_path, "retry_storm", stretch([3] * 60), settings).findings


class TestLayeredRetries:
    """Retries inside retries."""

    def nested(self, number: int, inner: int) -> list[Span]:
        made = flow(number)
        for outer in range(2):
            start = 10 + outer * 300
            above = made.call("shop", "POST /orders", start, start + 200, http=503)
            server = made.spans[-1]
            for attempt in range(inner):
                at = start + 5 + attempt * 40
                last = attempt == inner - 1
                made.add(
                    "POST /postings", at, at + 10, kind="client", service="shop",
                    parent=server.span_id, status="unset" if last else "error",
                    attributes={
                        "http.request.method": "POST", "url.template": "/postings",
                        "service.peer.name": "ledger",
                        "http.response.status_code": 201 if last else 503,
                    },
                )  # fmt: skip
            assert above.end_ns is not None
        return moved(made.all_spans(), number * 1000)

    def test_attempts_of_attempts_multiply(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in self.nested(number, 3)]
        (finding,) = said(tmp_path, "layered_retries", spans).findings
        assert finding.verdict is Verdict.VIOLATION
        assert finding.facts["inner_attempts_most"] == 6
        assert "up to 6 calls at ledger" in finding.message

    def test_retries_at_one_layer_are_fine(self, tmp_path: Path) -> None:
        spans = [span for number in range(4) for span in self.nested(number, 1)]
        told = said(tmp_path, "layered_retries", spans)
        assert (list(told.findings), told.coverage.verdict) == ([], Verdict.PASS)


class TestBackoffQuality:
    """How retries wait."""

    def faults(self, folder: Path, flows: list[Recording], apart_ms: float = 300) -> set[object]:
        spans = [
            span
            for number, one in enumerate(flows)
            for span in moved(one.all_spans(), number * apart_ms)
        ]
        return {it.facts["fault"] for it in said(folder, "backoff_quality", spans).findings}

    def test_growing_and_jittered_waits_are_fine(self, tmp_path: Path) -> None:
        assert self.faults(tmp_path, [tried(number, 3) for number in range(30)]) == set()

    def test_a_retry_at_once_is_told(self, tmp_path: Path) -> None:
        flows = [tried(number, 2, wait=0.5) for number in range(30)]
        assert self.faults(tmp_path, flows) == {"no wait"}

    def test_even_waits_are_told(self, tmp_path: Path) -> None:
        flows = [tried(number, 2, jitter=False) for number in range(30)]
        assert self.faults(tmp_path, flows) == {"no jitter"}

    def test_waits_that_do_not_grow_are_told(self, tmp_path: Path) -> None:
        flows = [tried(number, 3, growth=1) for number in range(30)]
        assert self.faults(tmp_path, flows) == {"no growth"}

    def test_clients_that_come_back_together_are_told(self, tmp_path: Path) -> None:
        flows = [tried(number, 2, jitter=False) for number in range(30)]
        assert "at once" in self.faults(tmp_path, flows, apart_ms=0)

    @pytest.mark.parametrize("count", [0, 10])
    def test_few_retries_prove_nothing(self, tmp_path: Path, count: int) -> None:
        flows = [tried(number, 2, wait=0.5) for number in range(count)]
        assert self.faults(tmp_path, flows) == set()
