"""Detectors against flows that are known to be good or bad."""

import pytest

from store.conclusions import Finding, Verdict
from store.model import Decision, JsonValue
from tests.analyzer.builder import TRACE, Recording, at, findings_of, without


def twice_charged(status: str = "completed") -> Recording:
    """The first gateway charged after its caller gave up, the second one charged too."""
    flow = Recording(status=status)
    flow.charge(10, 20, error="timeout", at_callee=201, callee_end=60, callee_ref="ch-eu")
    flow.charge(30, 40, "us", ref="ch-us")
    return flow


class TestDuplicateEffect:
    """The same thing done more than once in one flow."""

    def test_a_failover_after_a_charge_that_took_effect_is_critical(self) -> None:
        (finding,) = findings_of(twice_charged())
        assert (finding.detector, finding.severity) == ("duplicate_effect", "critical")
        assert finding.verdict is Verdict.VIOLATION
        assert "ch-eu" in finding.message and "ch-us" in finding.message
        assert finding.facts["surplus_amount"] == "10.50"

    def test_what_was_undone_is_told_from_what_stands(self) -> None:
        flow = Recording(status="failed")
        eu = flow.charge(10, 20, error="timeout", at_callee=201, callee_end=25, callee_ref="ch-eu")
        us = flow.charge(30, 40, "us", ref="ch-us")
        flow.refund(us, 50, 60, "us", ref="re-us")
        (standing,) = findings_of(flow)
        assert (standing.facts["standing"], standing.severity) == (1, "critical")
        assert "undone: charge-us at gateway-us (ch-us) by refund" in standing.message
        flow.refund(eu, 70, 80, ref="re-eu")
        (undone,) = findings_of(flow)
        assert (undone.facts["standing"], undone.severity) == (0, "warning")

    def test_a_new_key_for_each_attempt_charges_twice_at_one_gateway(self) -> None:
        flow = Recording()
        flow.charge(10, 20, key="k1", error="timeout", at_callee=201, callee_ref="ch-1")
        flow.charge(30, 40, key="k2", ref="ch-2")
        (finding,) = findings_of(flow)
        assert finding.facts["standing"] == 2

    def test_a_repeat_under_the_same_key_is_one_charge(self) -> None:
        flow = Recording()
        flow.charge(10, 20, error="timeout", at_callee=201)
        flow.charge(30, 40, ref="ch-1")
        assert findings_of(flow) == []

    def test_different_articles_are_different_things(self) -> None:
        flow = Recording()
        flow.reserve(10, 20, "sku-1")
        flow.reserve(10, 20, "sku-2")
        assert findings_of(flow) == []

    def test_without_the_first_gateways_data_it_is_unknown_and_says_what_is_missing(self) -> None:
        flow = Recording()
        flow.charge(10, 20, error="timeout", callee_seen=False)
        flow.charge(30, 40, "us", ref="ch-us")
        (finding,) = findings_of(flow)
        assert (finding.verdict, finding.severity) == (Verdict.UNKNOWN, "info")
        assert finding.facts["missing"] == ["the spans of gateway-eu"]

    def test_without_declared_roles_it_is_only_suspected(self) -> None:
        flow = twice_charged()
        flow.spans = without(flow.spans, "retrospan.saga.")
        (finding,) = findings_of(flow)
        assert finding.verdict is Verdict.SUSPECTED

    def test_the_finding_keeps_its_id_when_more_is_learned(self) -> None:
        poor = Recording()
        poor.charge(10, 20, error="timeout", callee_seen=False)
        poor.charge(30, 40, "us", ref="ch-us")
        assert findings_of(poor)[0].finding_id == findings_of(twice_charged())[0].finding_id


def decided(
    confidence: str | None,
    threshold: str | None = "0.8",
    *,
    outcome: str | None = "allow",
    action: str | None = "order-1",
    record: dict[str, JsonValue] | None = None,
) -> list[Finding]:
    flow = Recording()
    flow.charge(30, 40, ref="ch-1")
    flow.decisions.append(
        Decision(
            decision_id="dec-1", time_ns=at(20), chosen="approve", trace_id=TRACE,
            confidence=confidence, threshold=threshold, policy_id="risk", policy_version="v7",
            policy_outcome=outcome, action_step_key=action, record=record or {},
        )
    )  # fmt: skip
    return findings_of(flow)


class TestBelowThresholdAction:
    """Decisions acted on although they were not sure enough."""

    def test_an_action_below_the_threshold_is_critical_and_names_the_policy(self) -> None:
        (finding,) = decided("0.62")
        assert (finding.verdict, finding.severity) == (Verdict.VIOLATION, "critical")
        assert "under policy risk v7" in finding.message
        assert finding.evidence[0].decision_id == "dec-1"

    @pytest.mark.parametrize("confidence", ["0.8", "0.80", "0.81", "1"])
    def test_at_or_above_the_threshold_all_is_well(self, confidence: str) -> None:
        assert decided(confidence) == []

    def test_numbers_are_compared_as_decimals(self) -> None:
        assert decided("0.30000000000000001", "0.3") == []
        assert len(decided("0.29999999999999999", "0.3")) == 1

    @pytest.mark.parametrize("outcome", ["escalate", "deny"])
    def test_an_escalation_or_denial_is_no_action(self, outcome: str) -> None:
        assert decided("0.62", outcome=outcome) == []

    def test_a_decision_a_person_reviewed_is_that_persons(self) -> None:
        assert decided("0.62", record={"human_review": {"by": "ana", "outcome": "approved"}}) == []

    @pytest.mark.parametrize(("confidence", "threshold"), [(None, "0.8"), ("0.6", None)])
    def test_a_missing_number_is_unknown(
        self, confidence: str | None, threshold: str | None
    ) -> None:
        (finding,) = decided(confidence, threshold)
        assert (finding.verdict, finding.severity) == (Verdict.UNKNOWN, "info")

    def test_without_gate_or_action_only_what_followed_speaks(self) -> None:
        (finding,) = decided("0.62", outcome=None, action=None)
        assert finding.verdict is Verdict.SUSPECTED

    def test_a_gate_span_is_enough_without_a_decision_log(self) -> None:
        flow = Recording()
        flow.add(
            "policy", 10, 12,
            attributes={
                "retrospan.step.kind": "gate",
                "retrospan.decision.id": "dec-1",
                "retrospan.decision.confidence": 0.62,
                "retrospan.decision.threshold": 0.8,
                "retrospan.decision.gate.outcome": "allow",
            },
        )  # fmt: skip
        flow.charge(30, 40, ref="ch-1")
        (finding,) = findings_of(flow)
        assert finding.verdict is Verdict.VIOLATION
