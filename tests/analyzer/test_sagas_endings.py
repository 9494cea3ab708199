"""Saga checks on how compensations end and which keys they use, on good and bad flows.

They prove what the checks say of these shapes; that the shapes are those of real systems is what
the recorded samples are for.
"""

from analyzer.sagas import coverage_of
from store.conclusions import Verdict
from tests.analyzer.builder import Recording, check_of, verdict_of


class TestS7:
    """Each compensation ended well."""

    def test_a_refund_that_ended_in_errors_is_a_violation(self) -> None:
        flow = Recording(status="failed")
        flow.refund(flow.charge(30, 40, ref="ch-1"), 50, 60, http=500)
        result = check_of(flow, "S7")
        assert result.verdict is Verdict.VIOLATION
        assert "ended in 500 after 1 attempts" in result.message

    def test_a_refund_that_never_ended_is_stuck_only_if_its_service_went_on(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, None, http=None, callee_seen=False)
        assert "stuck" in check_of(flow, "S7").message
        assert check_of(flow, "S7", coverage_of(flow.all_spans())).verdict is Verdict.OPEN


class TestS11:
    """The idempotency key is stable over attempts."""

    def test_a_retry_under_a_new_key_is_a_violation(self) -> None:
        flow = Recording()
        flow.charge(30, 40, key="k1", http=503)
        flow.charge(50, 60, key="k2", ref="ch-1")
        result = check_of(flow, "S11")
        assert result.verdict is Verdict.VIOLATION
        assert "k1, k2" in result.message

    def test_an_attempt_the_breaker_stopped_needs_no_key(self) -> None:
        flow = Recording()
        flow.charge(30, 40, key="k1", http=503)
        flow.charge(50, 51, key=None, error="breaker_open", callee_seen=False)
        assert check_of(flow, "S11").verdict is Verdict.PASS

    def test_attempts_without_recorded_keys_are_unknown(self) -> None:
        flow = Recording()
        flow.charge(30, 40, key=None, http=500)
        flow.charge(50, 60, key=None, ref="ch-1")
        result = check_of(flow, "S11")
        assert result.verdict is Verdict.UNKNOWN
        assert result.missing == ["retrospan.idempotency_key"]


def test_a_settled_charge_is_one_effect_and_its_refund_undoes_it() -> None:
    """The charge timed out, an inquiry found it, the refund names the inquiry."""
    flow = Recording(status="failed")
    flow.charge(30, 40, error="timeout", at_callee=201, callee_end=80, callee_ref="ch-1")
    settled = flow.call("gateway-eu", "POST /charges/resolve", 90, 95, http=200, ref="ch-1")
    flow.refund(settled, 100, 110, ref="re-1")
    verdict = verdict_of(flow)
    assert verdict.verdict is Verdict.PASS
    assert verdict.residual_effects == []


class TestS12:
    """Retriable steps ended in success."""

    def notify(self, flow: Recording, start: float, **more: object) -> None:
        flow.call(
            "notification", "POST /messages", start, start + 10, key="n",
            saga={"step": "notify", "role": "retriable"}, **more,  # type: ignore[arg-type]
        )  # fmt: skip

    def test_a_message_never_sent_is_a_violation(self) -> None:
        flow = Recording()
        self.notify(flow, 10, http=503)
        self.notify(flow, 30, http=503)
        result = check_of(flow, "S12")
        assert result.verdict is Verdict.VIOLATION
        assert "ended in 503 after 2 attempts" in result.message

    def test_a_retry_that_succeeds_is_what_retriable_means(self) -> None:
        flow = Recording()
        self.notify(flow, 10, http=503)
        self.notify(flow, 30, http=202)
        assert check_of(flow, "S12").verdict is Verdict.PASS

    def test_a_timeout_without_the_callees_data_is_unknown(self) -> None:
        flow = Recording()
        self.notify(flow, 10, error="timeout", callee_seen=False)
        assert check_of(flow, "S12").verdict is Verdict.UNKNOWN
