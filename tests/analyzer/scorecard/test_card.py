"""What the scorecard says of flows: failures, reach, owners, governance."""

from fractions import Fraction

from analyzer.scorecard.blast import blasts
from analyzer.scorecard.decided import Counts
from analyzer.scorecard.governed import governance
from analyzer.scorecard.grouping import By
from analyzer.scorecard.scope import Undoing, World
from analyzer.scorecard.settings import UNKNOWN, Owners, owners_of
from analyzer.scorecard.soundness import compensation, endings, integrity
from analyzer.scorecard.timing import recovery
from store.conclusions import Incident
from tests.analyzer.scorecard.facts import START, flow

S = 1_000_000_000


def world(**given: object) -> World:
    known: dict[str, object] = {
        "verdicts": {},
        "decisions": {},
        "undoings": {},
        "incidents": (),
        "rollbacks": (),
        "owners": Owners(),
    }
    return World(**(known | given))  # type: ignore[arg-type]


def test_a_flow_undone_in_full_is_no_failed_flow_and_an_open_one_is_unknown() -> None:
    flows = [
        flow(1),
        flow(2, "compensated"),
        flow(3, "compensation_failed"),
        flow(4, "in_progress", ended=False),
    ]
    found = {it.name: it for it in endings(flows)}
    assert (found["error_rate"].n, found["error_rate"].unknown) == (3, 1)
    assert found["error_rate"].flow_ids == ["f003"]
    assert found["undone_rate"].flow_ids == ["f002"]


def test_a_flow_not_seen_whole_is_not_free_of_duplicates() -> None:
    flows = [flow(1), flow(2, complete=False), flow(3), flow(4)]
    said = {
        "f003": {"duplicate_effect": frozenset({"violation"})},
        "f004": {"S4": frozenset({"suspected"})},
    }
    found = {it.name: it for it in integrity(flows, world(verdicts=said))}["duplicate_effects"]
    assert (found.n, found.unknown, found.flow_ids) == (2, 2, ["f003"])


def test_steps_that_must_succeed_count_only_where_there_are_any() -> None:
    said = {"f001": {"S12": frozenset({"pass"})}, "f002": {"S12": frozenset({"violation"})}}
    flows = [flow(1), flow(2), flow(3)]
    found = {it.name: it for it in integrity(flows, world(verdicts=said))}["lost_effects"]
    assert (found.n, found.flow_ids) == (2, ["f002"])


def test_compensation_counts_flows_with_something_to_undo() -> None:
    def undoing(whole: bool | None, took: int | None) -> Undoing:
        return Undoing(
            concerns=True, compensated=whole, inconsistent_ns=took, counted=True, balanced=whole
        )

    undoings = {
        "f001": undoing(True, 5),
        "f002": undoing(False, None),
        "f003": undoing(None, None),
    }
    flows = [flow(1, "compensated"), flow(2, "failed"), flow(3, "failed"), flow(4)]
    found = {it.name: it for it in compensation(flows, world(undoings=undoings))}
    success = found["compensation_success"]
    assert (success.value, success.n, success.unknown) == (0.5, 2, 1)
    assert success.flow_ids == ["f002"]
    assert (found["time_inconsistent_p95"].value, found["time_inconsistent_p95"].unknown) == (5, 1)


def test_incidents_count_for_the_scope_whose_flows_they_met() -> None:
    one = Incident(
        incident_id="inc-1",
        start_ns=START,
        end_ns=START + 9 * S,
        declared_by="person",
        title="t",
        recovered_ns=START + 7 * S,
        flow_ids=("f001",),
    )
    with_it = {it.name: it for it in recovery((By.KIND, "a"), [flow(1)], world(incidents=(one,)))}
    assert with_it["time_to_recover"].value == 7 * S
    assert (with_it["time_to_detect"].value, with_it["time_to_detect"].unknown) == (None, 1)
    without = {it.name: it for it in recovery((By.KIND, "b"), [flow(2)], world(incidents=(one,)))}
    assert without["time_to_recover"].cases == []


def test_containment_is_of_flows_that_failed_while_the_service_did() -> None:
    flows = [
        flow(1, "failed", services=["shop", "bank"], failing_services=["bank"]),
        flow(2, "failed", services=["shop"]),
        flow(3, services=["shop", "bank"], failing_services=["bank"]),
        flow(60, "failed", services=["shop"]),
    ]
    (bank,) = blasts(flows, Owners(teams={"shop": "checkout"}))
    assert bank.service == "bank"
    assert (bank.containment.value, bank.containment.n) == (0.5, 2)
    assert bank.containment.flow_ids == ["f002"]
    assert bank.reached.flow_ids == ["f001", "f003"]
    assert bank.teams == ["checkout"]


def test_gates_count_actions_and_a_decision_without_scores_is_unknown() -> None:
    counts = Counts(decisions=3, complete=2, timed=3, gated=2, scored=2, below=1, unscored=1)
    found = {
        it.name: it for it in governance([flow(1), flow(2)], world(decisions={"f001": counts}))
    }
    assert (found["gate_coverage"].value, found["gate_coverage"].n) == (Fraction(2, 3), 3)
    assert (found["below_threshold_actions"].n, found["below_threshold_actions"].unknown) == (2, 1)
    assert found["audit_completeness"].flow_ids == ["f001"]


def test_a_service_that_two_teams_claim_belongs_to_none() -> None:
    owners = owners_of({"a": ["shop", "bank"], "b": ["bank"]})
    assert [owners.of(name) for name in ("shop", "bank", "depot")] == ["a", UNKNOWN, UNKNOWN]
