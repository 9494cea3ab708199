"""Saga checks against flows that are known to be good or bad.

They prove what the checks say of these shapes; that the shapes are those of real systems is what
the recorded samples are for.
"""

from dataclasses import replace

import pytest

from analyzer.assign import AssignSettings, assign
from analyzer.derive import DeriveSettings, derive
from analyzer.sagas import coverage_of, verify
from store.conclusions import FlowOutcome, Verdict
from tests.analyzer.builder import (
    Recording,
    check_of,
    full_coverage,
    verdict_of,
)


def undone() -> Recording:
    """Reserve and charge, then abort and undo both in reverse order."""
    flow = Recording(status="failed")
    reserved = flow.reserve(10, 20)
    charged = flow.charge(30, 40, ref="ch-1")
    flow.refund(charged, 50, 60, ref="re-1")
    flow.release(reserved, 70, 80)
    return flow


def test_a_flow_undone_in_full_and_in_order_passes_every_check() -> None:
    verdict = verdict_of(undone())
    assert {result.check: result.verdict for result in verdict.checks} == {
        **{f"S{number}": Verdict.PASS for number in (1, 2, 3, 4, 5, 7, 11, 13, 14)},
        **{f"S{number}": Verdict.NOT_APPLICABLE for number in (6, 8, 9, 10, 12)},
    }
    assert verdict.verdict is Verdict.PASS
    assert verdict.residual_effects == []
    assert undone().flow().outcome is FlowOutcome.COMPENSATED


def test_a_flow_that_went_through_has_nothing_to_undo() -> None:
    flow = Recording(status="completed")
    flow.charge(30, 40, ref="ch-1")
    assert check_of(flow, "S1").verdict is Verdict.NOT_APPLICABLE
    assert verdict_of(flow).residual_effects == []


class TestS1:
    """Every completed step of an aborted flow was compensated."""

    def test_a_charge_never_refunded_is_a_violation_that_names_it(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        result = check_of(flow, "S1")
        assert result.verdict is Verdict.VIOLATION
        assert "charge-eu order-1 at gateway-eu" in result.message
        assert result.evidence[0].span_id == charged.span_id
        (residual,) = verdict_of(flow).residual_effects
        assert (residual.external_ref, str(residual.amount), residual.currency) == (
            "ch-1", "10.50", "EUR",
        )  # fmt: skip

    def test_a_failed_compensation_leaves_the_step_standing(self) -> None:
        flow = Recording(status="failed")
        flow.refund(flow.charge(30, 40, ref="ch-1"), 50, 60, http=500)
        assert check_of(flow, "S1").verdict is Verdict.VIOLATION
        assert flow.flow().outcome is FlowOutcome.COMPENSATION_FAILED

    def test_a_timed_out_compensation_without_the_callees_data_may_have_worked(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, error="timeout", callee_seen=False)
        result = check_of(flow, "S1")
        assert result.verdict is Verdict.UNKNOWN
        assert result.missing == ["the spans of gateway-eu below refund"]

    def test_absence_proves_nothing_at_the_edge_of_the_data(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, ref="ch-1")
        assert check_of(flow, "S1", coverage_of(flow.all_spans())).verdict is Verdict.OPEN

    def test_absence_proves_nothing_without_the_orchestrators_later_data(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, ref="ch-1")
        coverage = full_coverage(flow.all_spans())
        services = {k: v for k, v in coverage.services.items() if k != "orchestrator"}
        result = check_of(flow, "S1", replace(coverage, services=services))
        assert result.verdict is Verdict.UNKNOWN
        assert result.missing == ["spans of orchestrator after the flow's end"]

    def test_absence_proves_nothing_in_sampled_data(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, ref="ch-1")
        coverage = replace(full_coverage(flow.all_spans()), unknown_sampling=True)
        assert check_of(flow, "S1", coverage).verdict is Verdict.UNKNOWN

    def test_a_call_that_reads_like_the_compensation_keeps_it_from_accusing(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, ref="ch-1")
        flow.call("gateway-eu", "POST /refunds", 50, 60)
        result = check_of(flow, "S1")
        assert result.verdict is Verdict.UNKNOWN
        assert "retrospan.saga.compensates" in result.missing

    def test_a_timed_out_step_that_took_effect_is_a_residue_and_not_a_breach(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, error="timeout", at_callee=201, callee_end=90, callee_ref="ch-9")
        verdict = verdict_of(flow)
        assert check_of(flow, "S1").verdict is Verdict.NOT_APPLICABLE
        assert [effect.external_ref for effect in verdict.residual_effects] == ["ch-9"]

    def test_a_flow_still_running_is_open(self) -> None:
        flow = Recording()
        flow.charge(30, 40, ref="ch-1")
        spans = [replace(span, end_ns=None) if span.parent_span_id is None else span
                 for span in flow.all_spans()]  # fmt: skip
        (rows,) = assign(spans, [], [], AssignSettings())
        running = derive(rows, DeriveSettings())
        assert running.outcome is FlowOutcome.IN_PROGRESS
        verdict = verify(running, full_coverage(spans))
        assert verdict.checks[0].verdict is Verdict.OPEN


class TestS2:
    """Nothing is compensated that was never done."""

    def test_a_refund_of_a_declined_charge_is_a_violation_and_stands(self) -> None:
        flow = Recording(status="declined")
        declined = flow.charge(30, 40, http=402)
        flow.refund(declined, 50, 60, ref="re-1")
        assert check_of(flow, "S2").verdict is Verdict.VIOLATION
        assert [it.external_ref for it in verdict_of(flow).residual_effects] == ["re-1"]

    def test_a_refund_in_vain_of_a_declined_charge_is_a_violation_too(self) -> None:
        flow = Recording(status="declined")
        flow.refund(flow.charge(30, 40, http=402), 50, 60, http=500)
        assert check_of(flow, "S2").verdict is Verdict.VIOLATION
        assert verdict_of(flow).residual_effects == []

    def test_undoing_a_timed_out_step_under_its_own_key_is_allowed(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, error="timeout", callee_seen=False)
        flow.refund(charged, 50, 60, key="c-eu")
        assert check_of(flow, "S2").verdict is Verdict.PASS

    def test_undoing_a_timed_out_step_under_another_key_cannot_be_judged(self) -> None:
        flow = Recording(status="failed")
        flow.refund(flow.charge(30, 40, error="timeout", callee_seen=False), 50, 60)
        result = check_of(flow, "S2")
        assert result.verdict is Verdict.UNKNOWN
        assert result.missing == ["the spans of gateway-eu below charge-eu"]

    def test_undoing_a_timed_out_step_that_took_effect_is_right(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, error="timeout", at_callee=201, callee_ref="ch-1")
        flow.refund(charged, 50, 60, ref="re-1")
        assert check_of(flow, "S2").verdict is Verdict.PASS
        assert verdict_of(flow).residual_effects == []


class TestS3:
    """Compensations run in reverse order of completion."""

    def test_undoing_the_first_step_first_is_a_violation(self) -> None:
        flow = Recording(status="failed")
        reserved, charged = flow.reserve(10, 20), flow.charge(30, 40, ref="ch-1")
        flow.release(reserved, 50, 60)
        flow.refund(charged, 70, 80, ref="re-1")
        result = check_of(flow, "S3")
        assert result.verdict is Verdict.VIOLATION
        assert "reserve sku-1 at inventory completed before charge-eu" in result.message

    @pytest.mark.parametrize("first", ["sku-1", "sku-2"])
    def test_steps_that_overlapped_may_be_undone_in_any_order(self, first: str) -> None:
        flow = Recording(status="failed")
        made = {"sku-1": flow.reserve(10, 30, "sku-1"), "sku-2": flow.reserve(20, 40, "sku-2")}
        second = "sku-2" if first == "sku-1" else "sku-1"
        flow.release(made[first], 50, 60, first)
        flow.release(made[second], 70, 80, second)
        assert check_of(flow, "S3").verdict is Verdict.PASS

    def test_compensations_that_overlap_are_only_suspected(self) -> None:
        flow = Recording(status="failed")
        reserved, charged = flow.reserve(10, 20), flow.charge(30, 40, ref="ch-1")
        flow.release(reserved, 50, 70)
        flow.refund(charged, 60, 80, ref="re-1")
        assert check_of(flow, "S3").verdict is Verdict.SUSPECTED

    def test_a_step_that_never_completed_has_no_place_in_the_order(self) -> None:
        flow = Recording(status="failed")
        reserved, declined = flow.reserve(10, 20), flow.charge(30, 40, http=402)
        flow.release(reserved, 50, 60)
        flow.refund(declined, 70, 80, ref="re-1")
        assert check_of(flow, "S3").verdict is Verdict.NOT_APPLICABLE


class TestS4:
    """Each step is undone at most once."""

    def test_a_refund_that_timed_out_and_took_effect_counts(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, key="f1", error="timeout", at_callee=201, callee_ref="re-1")
        flow.refund(charged, 70, 90, key="f2", ref="re-2")
        result = check_of(flow, "S4")
        assert result.verdict is Verdict.VIOLATION
        assert "re-1" in result.message and "re-2" in result.message
        assert [it.external_ref for it in verdict_of(flow).residual_effects] == ["re-2"]

    def test_a_repeat_under_the_same_key_is_the_same_effect(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, error="timeout", at_callee=201)
        flow.refund(charged, 70, 90, ref="re-1")
        assert check_of(flow, "S4").verdict is Verdict.PASS

    def test_without_the_callees_data_a_second_refund_cannot_be_ruled_out(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, key="f1", error="timeout", callee_seen=False)
        flow.refund(charged, 70, 90, key="f2", ref="re-2")
        result = check_of(flow, "S4")
        assert result.verdict is Verdict.UNKNOWN
        assert result.missing == ["the spans of gateway-eu"]

    def test_two_refunds_nothing_tells_apart_are_suspected(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, key=None, error="timeout", at_callee=201)
        flow.refund(charged, 70, 90, key=None)
        assert check_of(flow, "S4").verdict is Verdict.SUSPECTED

    def test_partial_refunds_that_add_up_are_one_undoing(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        for number, start in ((1, 50), (2, 70)):
            saga = {
                "step": "refund", "role": "compensation", "compensates": charged.span_id,
                "amount": "5.25", "currency": "EUR",
            }  # fmt: skip
            flow.call(
                "gateway-eu", "POST /refunds", start, start + 10, saga=saga,
                key=f"f{number}", ref=f"re-{number}",
            )  # fmt: skip
        assert check_of(flow, "S4").verdict is Verdict.PASS
