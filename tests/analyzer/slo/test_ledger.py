"""Who spent the budget, and when an alert would have said so."""

from fractions import Fraction
from pathlib import Path

from analyzer.facts import FlowFacts
from analyzer.slo.backtest import backtest
from analyzer.slo.ledger import Causes, Spending, ledger
from analyzer.slo.precision import incident_ids, precision
from analyzer.slo.timeline import Timeline, timeline
from store.conclusions import Incident
from store.model import JsonValue
from tests.analyzer.slo.documents import SLO, START, S, line, objective, read

FACTS: dict[int, dict[str, JsonValue]] = {
    at: {
        "version": "2" if at >= 8 else "1",
        "failing_services": ["gateway"] if at == 9 else [],
    }
    for at in range(10)
}


def spent(found: Timeline, facts: Causes = FACTS) -> list[Spending]:
    return ledger(found, found.rows, facts, objective("0.9"))


def test_each_cause_shows_its_share_and_the_budget_without_it() -> None:
    found = {(it.dimension, it.cause): it for it in spent(line(*[True] * 8, False, False))}
    assert found.keys() == {("service", "gateway"), ("version", "2")}
    version = found["version", "2"]
    assert version.bad_flows == 2
    assert version.spent == 1
    assert version.share_of_good == 0
    assert version.remaining_without == 1
    assert version.flow_ids == ["f000008", "f000009"]
    gateway = found["service", "gateway"]
    assert gateway.spent == Fraction(1, 2)
    assert gateway.remaining_without == 0


def test_a_cause_as_common_among_good_flows_says_so() -> None:
    facts: dict[int, dict[str, JsonValue]] = {kind: {"version": "1"} for kind in FACTS}
    (only,) = spent(line(*[True] * 9, False), facts)
    assert only.spent == 1
    assert only.share_of_good == 1


def test_nothing_bad_spends_nothing() -> None:
    assert spent(line(True, None, True)) == []


def test_a_back_test_tells_when_an_alert_fired_and_resolved(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO.replace("duration: 30d", "duration: 10d"))
    minute = 60 * S
    words = [True] * 120 + [False] * 30 + [True] * 120
    (fast, _, _) = backtest(slo, slo.objectives[0], line(*words, every=minute))
    (firing,) = fast.firings
    bad_from = START + 120 * minute
    assert firing.first_bad_ns == bad_from
    assert bad_from < firing.fired_ns <= bad_from + 10 * minute
    assert firing.resolved_ns is not None
    assert bad_from + 30 * minute < firing.resolved_ns <= bad_from + 40 * minute
    assert firing.bad_before >= 5


def test_an_alert_that_burns_to_the_end_of_the_data_is_open(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO.replace("duration: 30d", "duration: 10d"))
    (fast, _, _) = backtest(slo, slo.objectives[0], line(*[True] * 60, *[False] * 30, every=60 * S))
    assert [firing.resolved_ns for firing in fast.firings] == [None]


def test_flows_that_have_not_ended_and_flows_that_do_not_count_are_left_out(
    tmp_path: Path,
) -> None:
    def flow(
        flow_id: str, name: str, *, ended: bool = True, succeeded: bool | None = True
    ) -> FlowFacts:
        values: dict[str, JsonValue] = {"name": name, "succeeded": succeeded}
        return FlowFacts(
            flow_id=flow_id,
            at_ns=START,
            start_ns=START,
            ended=ended,
            weight=Fraction(1),
            values=values,
        )

    flows = [
        flow("a", "payment"),
        flow("b", "payment", succeeded=None),
        flow("c", "onboarding"),
        flow("d", "payment", ended=False),
    ]
    found = timeline(read(tmp_path, SLO), flows)
    assert [(event.flow_id, event.good) for event in found.events] == [("a", True), ("b", None)]
    assert found.open_flows == 1


def test_firings_are_held_against_declared_incidents(tmp_path: Path) -> None:
    slo = read(tmp_path, SLO.replace("duration: 30d", "duration: 10d"))
    minute = 60 * S
    words = [True] * 120 + [False] * 30 + [True] * 120
    (fast, _, _) = backtest(slo, slo.objectives[0], line(*words, every=minute))

    def incident(name: str, from_minute: int, to_minute: int) -> Incident:
        return Incident(
            incident_id=name,
            start_ns=START + from_minute * minute,
            end_ns=START + to_minute * minute,
            declared_by="person",
            title=name,
        )

    seen, missed = incident("seen", 119, 150), incident("missed", 10, 20)
    found = precision(fast, [seen, missed])
    assert (found.firings, found.matching, found.detected) == (1, 1, 1)
    (first, second) = found.detections
    assert first.delay_ns == fast.firings[0].fired_ns - seen.start_ns
    assert second.delay_ns is None
    assert precision(fast, [missed]).matching == 0
    assert incident_ids(fast.firings[0], [seen, missed]) == ["seen"]
