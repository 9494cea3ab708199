"""What the recorded incidents show of many flows is what their fault plans put there.

The fault plan slows gateway-eu in its charges and refunds, beyond the 300 ms its clients wait, and
makes the ledger refuse postings; everything else fails once in a while at most.
"""

from pathlib import Path

import pytest

from analyzer.population import PopulationSettings, judge_population
from store.conclusions import Finding
from store.population import read_population_state
from store.read import read_findings
from tests.analyzer.population import stored
from tests.analyzer.test_samples import records

FAULTY = {("gateway-eu", "POST /charges"), ("gateway-eu", "POST /refunds")}


def judged(folder: Path, name: str) -> tuple[list[Finding], dict[str, Finding]]:
    """Findings on many flows, and what each detector looked at."""
    spans, _, _ = records(name)
    store = stored(folder, spans)
    judge_population(store, PopulationSettings())
    with store.lease("test") as session:
        coverage = {it.detector: it for it in read_population_state(session).coverage}
        return [it for it in read_findings(session) if it.flow_id is None], coverage


def edges(findings: list[Finding], detector: str) -> set[tuple[object, object]]:
    """Callee and operation of a detector's findings."""
    return {
        (it.facts["callee"], it.facts["operation"]) for it in findings if it.detector == detector
    }


def test_on_a_quiet_day_all_looked_and_none_complains(tmp_path: Path) -> None:
    findings, coverage = judged(tmp_path, "payment-healthy")
    assert findings == []
    assert coverage["retry_storm"].facts["examined"] == {"edges": 9, "attempts": 2079}


@pytest.mark.parametrize("name", ["payment-brownout", "payment-brownout-plain"])
def test_the_brownout_shows_what_its_plan_put_there(tmp_path: Path, name: str) -> None:
    findings, _ = judged(tmp_path, name)
    assert edges(findings, "retry_storm") == {
        ("gateway-eu", "POST /charges"),
        ("ledger", "POST /postings"),
    }
    assert edges(findings, "wasted_work") == FAULTY
    assert {it.severity for it in findings} <= {"info", "warning"}
    told = {it.detector for it in findings}
    assert told <= {"retry_storm", "wasted_work", "breaker_intervals"}
    assert all(it.remedy and it.evidence and it.facts["flow_ids"] for it in findings)
