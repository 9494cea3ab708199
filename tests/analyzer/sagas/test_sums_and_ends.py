"""S8, S9, S10, S11 and S13 on good and bad flows: made, given back, left."""

from collections.abc import Mapping

import pytest

from analyzer.sagas import coverage_of
from store.conclusions import Verdict
from store.model import Span
from tests.analyzer.builder import Recording, check_of, verdict_of, without


class TestS8:
    """An unknown outcome is treated as possibly executed."""

    def test_an_effect_nobody_learnt_of_and_nobody_undid_is_a_violation(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, error="timeout", at_callee=201, callee_ref="ch-9")
        result = check_of(flow, "S8")
        assert result.verdict is Verdict.VIOLATION
        assert charged.span_id in {it.span_id for it in result.evidence}

    def test_without_the_callees_data_it_is_suspected(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, error="timeout", callee_seen=False)
        result = check_of(flow, "S8")
        assert result.verdict is Verdict.SUSPECTED
        assert result.missing == ["the spans of gateway-eu below charge-eu"]

    def test_undoing_it_is_treating_it(self) -> None:
        flow = Recording(status="failed")
        flow.refund(flow.charge(30, 40, error="timeout", callee_seen=False), 50, 60, key="c-eu")
        assert check_of(flow, "S8").verdict is Verdict.PASS

    def test_asking_after_it_leaves_the_answer_open(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, error="timeout", callee_seen=False)
        flow.call(
            "gateway-eu", "GET /charges", 50, 60, http=200, extra={"retrospan.step.key": "order-1"}
        )
        assert check_of(flow, "S8").verdict is Verdict.UNKNOWN

    def test_a_refusal_is_no_unknown_outcome(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, http=402)
        assert check_of(flow, "S8").verdict is Verdict.NOT_APPLICABLE

    def test_at_the_edge_of_the_data_it_may_yet_be_undone(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, error="timeout", at_callee=201, callee_ref="ch-9")
        assert check_of(flow, "S8", coverage_of(flow.all_spans())).verdict is Verdict.OPEN


class TestS9:
    """A compensation takes back the step's amount and resource."""

    def refunded(self, **said: str) -> Recording:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        saga = {
            "step": "refund", "role": "compensation", "compensates": charged.span_id,
            "resource": "order-1/charge", "amount": "10.50", "currency": "EUR", **said,
        }  # fmt: skip
        flow.call("gateway-eu", "POST /refunds", 50, 60, key="f", ref="re-1", saga=saga)
        return flow

    @pytest.mark.parametrize(
        ("said", "verdict"),
        [
            ({}, Verdict.PASS),
            ({"amount": "10.5"}, Verdict.PASS),
            ({"amount": "10.49"}, Verdict.VIOLATION),
            ({"amount": "10.51"}, Verdict.VIOLATION),
            ({"currency": "USD"}, Verdict.VIOLATION),
            ({"resource": "order-2/charge"}, Verdict.VIOLATION),
        ],
    )
    def test_what_is_given_back_is_compared(
        self, said: Mapping[str, str], verdict: Verdict
    ) -> None:
        assert check_of(self.refunded(**said), "S9").verdict is verdict

    @pytest.mark.parametrize("name", ["amount", "currency", "resource"])
    def test_what_one_of_the_two_does_not_say_is_unknown(self, name: str) -> None:
        flow = self.refunded()
        flow.spans[2:] = without(flow.spans[2:], f"retrospan.saga.{name}")
        result = check_of(flow, "S9")
        assert (result.verdict, result.missing) == (Verdict.UNKNOWN, [f"retrospan.saga.{name}"])

    def test_what_neither_says_is_not_held_against_them(self) -> None:
        flow = Recording(status="failed")
        flow.release(flow.reserve(10, 20), 30, 40)
        result = check_of(flow, "S9")
        assert result.verdict is Verdict.NOT_APPLICABLE
        assert result.missing == ["retrospan.saga.amount"]

    def test_a_part_given_back_may_be_followed_by_the_rest(self) -> None:
        flow = self.refunded(amount="5.00")
        assert check_of(flow, "S9", coverage_of(flow.all_spans())).verdict is Verdict.OPEN


class TestS10:
    """Locks are released; sagas of one flow do not build on what is taken back."""

    def lock(self, flow: Recording, *, unlocked: bool) -> Recording:
        said = {"step": "lock", "role": "compensatable", "resource": "account-1"}
        flow.call("accounts", "POST /accounts/lock", 10, 20, key="l", saga=said)
        if unlocked:
            flow.call("accounts", "POST /accounts/unlock", 50, 60, key="u")
        return flow

    def test_a_lock_never_released_is_suspected(self) -> None:
        result = check_of(self.lock(Recording(status="completed"), unlocked=False), "S10")
        assert result.verdict is Verdict.SUSPECTED

    def test_a_lock_released_by_the_commit_is_fine(self) -> None:
        result = check_of(self.lock(Recording(status="completed"), unlocked=True), "S10")
        assert result.verdict is Verdict.PASS

    def test_a_flow_with_one_saga_and_no_lock_says_nothing(self) -> None:
        flow = Recording(status="failed")
        flow.refund(flow.charge(10, 20, ref="ch-1"), 30, 40, ref="re-1")
        assert check_of(flow, "S10").verdict is Verdict.NOT_APPLICABLE


class TestS11:
    """A step whose attempts lost all that tells what they are is not taken for a reading one."""

    def retried(self, *names: str) -> list[Span]:
        flow = Recording()
        flow.reserve(5, 8)
        flow.charge(30, 40, key="k1", http=503)
        flow.charge(50, 60, key="k2", ref="ch-1")
        flow.spans[2:] = without(flow.spans[2:], *names)
        return flow.all_spans()

    def test_a_retried_charge_that_kept_its_step_key_alone_is_unknown(self) -> None:
        flow = Recording()
        flow.spans = self.retried("retrospan.saga.", "retrospan.idempotency_key")[1:]
        assert check_of(flow, "S11").verdict is Verdict.UNKNOWN

    def test_a_retried_call_that_no_saga_knows_of_is_no_concern(self) -> None:
        flow = Recording()
        flow.reserve(5, 8)
        for start, http in ((30, 503), (50, 200)):
            flow.call(
                "fraud-scorer", "POST /scores", start, start + 5, http=http,
                extra={"retrospan.step.key": "order-1"},
            )  # fmt: skip
        assert check_of(flow, "S11").verdict is Verdict.PASS


class TestS13:
    """The declared end was reached."""

    def with_pivot(self, status: str, http: int) -> Recording:
        flow = Recording(status=status)
        flow.charge(10, 20, ref="ch-1")
        flow.call(
            "ledger", "POST /postings", 30, 40, http=http, key="p",
            saga={"step": "post", "role": "pivot"},
        )  # fmt: skip
        return flow

    def test_a_completed_flow_whose_pivot_was_refused_is_a_violation(self) -> None:
        result = check_of(self.with_pivot("completed", 409), "S13")
        assert result.verdict is Verdict.VIOLATION
        assert result.message == "the flow went through, and post at ledger never committed"

    def test_a_completed_flow_whose_pivot_committed_passes(self) -> None:
        assert check_of(self.with_pivot("completed", 201), "S13").verdict is Verdict.PASS

    def test_a_flow_given_up_half_undone_is_a_mixed_end(self) -> None:
        flow = Recording(status="failed")
        reserved = flow.reserve(10, 20)
        flow.charge(30, 40, ref="ch-1")
        flow.release(reserved, 50, 60)
        result = check_of(flow, "S13")
        assert result.verdict is Verdict.VIOLATION
        assert result.message == "given up with 1 of 2 completed steps undone"

    def test_a_flow_that_went_through_with_a_step_undone_is_suspected(self) -> None:
        flow = self.with_pivot("completed", 201)
        flow.release(flow.reserve(50, 60), 70, 80)
        assert check_of(flow, "S13").verdict is Verdict.SUSPECTED

    def test_a_flow_that_does_not_say_how_it_ended_is_held_to_nothing(self) -> None:
        flow = self.with_pivot("completed", 409)
        flow.root_attributes = {"retrospan.flow.output": None, "http.response.status_code": 200}
        result = check_of(flow, "S13")
        assert result.verdict is Verdict.NOT_APPLICABLE
        assert "retrospan.flow.output" in result.missing


def test_a_message_says_each_step_once() -> None:
    flow = Recording(status="failed")
    flow.charge(30, 40, error="timeout", at_callee=201, callee_ref="ch-9")
    for result in verdict_of(flow).checks:
        assert result.message.count("charge-eu order-1 at gateway-eu") <= 1
