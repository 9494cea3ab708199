"""S5, S6 and S14 on good and bad flows: what may still happen once the undoing has begun."""

from dataclasses import replace

from analyzer.sagas import coverage_of
from store.conclusions import Verdict
from tests.analyzer.builder import Recording, check_of


def pivot(flow: Recording, start: float, **more: object) -> None:
    flow.call(
        "ledger", "POST /postings", start, start + 5, key="p",
        saga={"step": "post", "role": "pivot"}, **more,  # type: ignore[arg-type]
    )  # fmt: skip


class TestS5:
    """No forward step begins after the first compensation."""

    def test_a_charge_begun_during_the_undoing_is_a_violation(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        flow.release(reserved, 30, 40)
        charged = flow.charge(35, 45, ref="ch-1")
        flow.refund(charged, 50, 60, ref="re-1")
        result = check_of(flow, "S5")
        assert result.verdict is Verdict.VIOLATION
        assert result.message == (
            "charge-eu order-1 at gateway-eu began after release sku-1 at inventory had begun"
        )

    def test_another_try_begun_during_the_undoing_is_one_too(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        flow.charge(22, 25, http=503)
        flow.release(reserved, 30, 40)
        flow.charge(35, 45, ref="ch-1")
        assert "an attempt of charge-eu" in check_of(flow, "S5").message

    def test_a_step_that_was_still_going_on_is_none(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        charged = flow.charge(25, 45, ref="ch-1")
        flow.release(reserved, 30, 40)
        flow.refund(charged, 50, 60, ref="re-1")
        assert check_of(flow, "S5").verdict is Verdict.PASS

    def test_a_retriable_step_may_run_on(self) -> None:
        flow = Recording(status="failed")
        flow.release(flow.reserve(10, 20), 30, 40)
        flow.call(
            "notification", "POST /messages", 50, 60, key="n",
            saga={"step": "notify", "role": "retriable"},
        )  # fmt: skip
        assert check_of(flow, "S5").verdict is Verdict.PASS

    def test_going_forward_again_to_success_is_suspected_at_most(self) -> None:
        flow = Recording(status="completed")
        flow.release(flow.reserve(10, 20, "sku-1"), 30, 40, "sku-1")
        flow.reserve(50, 60, "sku-2")
        assert check_of(flow, "S5").verdict is Verdict.SUSPECTED

    def test_a_step_of_another_saga_is_its_own_business(self) -> None:
        flow = Recording(status="failed")
        flow.release(flow.reserve(10, 20), 30, 40)
        flow.charge(50, 60, ref="ch-1")
        for place, saga_id in ((0, "a"), (2, "a"), (4, "b")):
            span = flow.spans[place]
            said = {**span.attributes, "retrospan.saga.id": saga_id}
            flow.spans[place] = replace(span, attributes=said)
        assert check_of(flow, "S5").verdict is Verdict.PASS

    def test_a_call_without_a_role_leaves_it_open(self) -> None:
        flow = Recording(status="failed")
        flow.release(flow.reserve(10, 20), 30, 40)
        flow.call("gateway-eu", "POST /charges", 50, 60)
        assert check_of(flow, "S5").verdict is Verdict.UNKNOWN


class TestS6:
    """Nothing is compensated after the pivot committed."""

    def test_a_release_after_the_posting_is_a_violation(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        pivot(flow, 30)
        flow.release(reserved, 50, 60)
        result = check_of(flow, "S6")
        assert result.verdict is Verdict.VIOLATION
        assert "post at ledger committed before release sku-1" in result.message

    def test_a_pivot_that_committed_unknown_to_its_caller_counts(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        pivot(flow, 30, error="timeout", at_callee=201)
        flow.release(reserved, 50, 60)
        assert "unknown to its caller" in check_of(flow, "S6").message

    def test_a_pivot_that_was_refused_leaves_the_way_back_open(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        pivot(flow, 30, http=409)
        flow.release(reserved, 50, 60)
        assert check_of(flow, "S6").verdict is Verdict.PASS

    def test_a_pivot_of_unknown_end_is_unknown(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        pivot(flow, 30, error="timeout", callee_seen=False)
        flow.release(reserved, 50, 60)
        assert check_of(flow, "S6").verdict is Verdict.UNKNOWN

    def test_taking_back_a_failed_try_is_cleaning_up(self) -> None:
        flow = Recording(status="completed")
        timed_out = flow.charge(10, 20, error="timeout", at_callee=201, callee_ref="ch-1")
        flow.charge(22, 28, gateway="us", ref="ch-2")
        pivot(flow, 30)
        flow.refund(timed_out, 50, 60, ref="re-1")
        assert check_of(flow, "S6").verdict is Verdict.PASS


class TestS14:
    """No step completes after its compensation."""

    def raced(self, *, callee_start: float, callee_end: float) -> Recording:
        """A charge that timed out, was refunded, and was worked on at the callee meanwhile."""
        flow = Recording(status="failed")
        charged = flow.charge(10, 20, error="timeout", callee_seen=False)
        flow.add(
            "POST /charges", callee_start, callee_end, kind="server", service="gateway-eu",
            parent=charged.span_id, attributes={"http.response.status_code": 201},
        )  # fmt: skip
        flow.refund(charged, 30, 40)
        return flow

    def test_a_charge_worked_on_after_its_refund_is_a_violation(self) -> None:
        result = check_of(self.raced(callee_start=50, callee_end=60), "S14")
        assert result.verdict is Verdict.VIOLATION
        assert "charge-eu order-1 at gateway-eu completed after refund" in result.message

    def test_a_charge_that_ended_late_may_have_been_made_early(self) -> None:
        assert check_of(self.raced(callee_start=15, callee_end=60), "S14").verdict is (
            Verdict.SUSPECTED
        )

    def test_a_charge_that_ended_before_is_fine(self) -> None:
        assert check_of(self.raced(callee_start=15, callee_end=25), "S14").verdict is Verdict.PASS

    def test_without_the_callees_data_nobody_knows(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(10, 20, error="timeout", callee_seen=False)
        flow.refund(charged, 30, 40)
        assert check_of(flow, "S14").verdict is Verdict.UNKNOWN

    def test_a_late_charge_that_was_refunded_again_is_no_orphan(self) -> None:
        flow = Recording(status="failed")
        flow.charge(10, 15, http=503)
        charged = flow.charge(20, 25, ref="ch-1")
        flow.refund(charged, 30, 40, key="f1", ref="re-1")
        assert check_of(flow, "S14").verdict is Verdict.PASS


def test_a_failed_compensation_at_the_edge_of_the_data_may_be_tried_again() -> None:
    flow = Recording(status="failed")
    flow.refund(flow.charge(30, 40, ref="ch-1"), 50, 60, http=500)
    edge = coverage_of(flow.all_spans())
    assert check_of(flow, "S7", edge).verdict is Verdict.OPEN
