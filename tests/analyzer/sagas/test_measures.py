"""Measures of many sagas: known answers, the services' books, and what hiding does to them."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sagas import verify
from analyzer.sagas.conservation import Balance, balances
from analyzer.sagas.measures import PathVariant, SagaMeasures, Share, measure
from store.conclusions import Flow, SagaVerdict, Verdict
from store.model import Span
from tests.analyzer.builder import Recording, full_coverage, without
from tests.analyzer.sagas.worlds import Plan, flows_of, plans, planted, tell
from tests.analyzer.test_samples import sample

MS = 1_000_000


def judged(spans: list[Span]) -> list[tuple[Flow, SagaVerdict]]:
    coverage = full_coverage(spans)
    return [(flow, verify(flow, coverage)) for flow in flows_of(spans)]


def of(*recordings: Recording) -> SagaMeasures:
    return measure(
        (flow, verify(flow, full_coverage(recording.all_spans())))
        for recording in recordings
        for flow in [recording.flow()]
    )


def undone(**more: Any) -> Recording:
    flow = Recording(status="failed", **more)
    reserved, charged = flow.reserve(10, 20), flow.charge(30, 40, ref="ch-1")
    flow.refund(charged, 50, 60, ref="re-1")
    flow.release(reserved, 70, 80)
    return flow


def standing(**more: Any) -> Recording:
    flow = Recording(status="failed", **more)
    flow.charge(30, 40, ref="ch-1")
    return flow


def test_shares_count_what_is_known_and_what_is_not() -> None:
    went_through = Recording(flow_id="c", status="completed")
    went_through.charge(30, 40, ref="ch-1")
    unclear = Recording(flow_id="d", status="failed")
    charged = unclear.charge(30, 40, ref="ch-1")
    unclear.refund(charged, 50, 60, error="timeout", callee_seen=False)
    found = of(undone(flow_id="a"), standing(flow_id="b"), went_through, unclear)
    assert found.flows == 4
    assert found.aborts == Share(hits=3, n=4, unknown=0)
    assert found.compensated == Share(hits=1, n=2, unknown=1)
    assert found.compensated.unknown_share == pytest.approx(1 / 3)
    assert found.coverage == Share(hits=2, n=3, unknown=1)
    assert found.verdicts["S1"] == {
        "not_applicable": 1, "pass": 1, "unknown": 1, "violation": 1,
    }  # fmt: skip


def test_nothing_is_never_a_hundred_percent() -> None:
    empty = measure([])
    assert (empty.compensated.value, empty.compensated.interval) == (None, None)
    assert empty.inconsistent.quantile(Fraction(1, 2)) is None


def test_inconsistent_time_runs_from_the_first_effect_to_the_last_compensation() -> None:
    times = of(undone(flow_id="a"), standing(flow_id="b")).inconsistent
    assert times.values_ns == (60 * MS,)  # effects by their callees' clocks: 19 to 79
    assert (times.standing, times.unknown) == (1, 0)


def test_compensation_paths_are_counted_with_their_failures() -> None:
    failed = Recording(flow_id="c", status="failed")
    failed.refund(failed.charge(30, 40, ref="ch-1"), 50, 60, http=500)
    found = of(undone(flow_id="a"), undone(flow_id="b"), failed)
    assert found.paths == (
        PathVariant(path=("refund", "release"), flows=2),
        PathVariant(path=("refund!",), flows=1),
    )
    assert (found.compensations, found.depth_max) == (5, 2)


class TestConservation:
    """What was made minus what was taken back."""

    def test_a_flow_undone_comes_to_zero_in_money_and_stock(self) -> None:
        assert balances(undone().flow()) == [
            Balance(
                resource="order-1/charge", currency="EUR", counted=False,
                made=Decimal("10.50"), undone=Decimal("10.50"),
            ),
            Balance(
                resource="stock:sku-1", currency=None, counted=True,
                made=Decimal(1), undone=Decimal(1),
            ),
        ]  # fmt: skip

    def test_what_was_never_given_back_is_left(self) -> None:
        (account,) = balances(standing().flow())
        assert account.left == Decimal("10.50")

    def test_what_was_given_back_twice_is_below_zero(self) -> None:
        flow = Recording(status="failed")
        charged = flow.charge(30, 40, ref="ch-1")
        flow.refund(charged, 50, 60, key="f1", error="timeout", at_callee=201, callee_ref="re-1")
        flow.refund(charged, 70, 90, key="f2", ref="re-2")
        (account,) = balances(flow.flow())
        assert account.left == Decimal("-10.50")
        assert of(flow).money[0].given_twice == Decimal("10.50")

    @pytest.mark.parametrize("hidden", ["currency", "amount"])
    def test_a_sum_with_something_unsaid_is_unknown(self, hidden: str) -> None:
        flow = undone()
        flow.spans[4:6] = without(flow.spans[4:6], f"retrospan.saga.{hidden}")
        (money,) = [it for it in balances(flow.flow()) if it.resource == "order-1/charge"][:1]
        assert money.left is None

    def test_an_effect_nobody_is_sure_of_makes_the_sum_unknown(self) -> None:
        flow = Recording(status="failed")
        flow.charge(30, 40, error="timeout", callee_seen=False)
        (account,) = balances(flow.flow())
        assert (account.left, account.unknown) == (
            None, "an effect may or may not have been made",
        )  # fmt: skip

    def test_a_flow_that_went_through_owes_nothing(self) -> None:
        flow = Recording(status="completed")
        flow.charge(30, 40, ref="ch-1")
        assert balances(flow.flow()) == []


@settings(max_examples=40, deadline=None)
@given(plan=plans(aborts=True))
def test_clean_sagas_conserve_money(plan: Plan) -> None:
    found = measure(judged(tell(plan).spans))
    assert found.compensated == Share(hits=1, n=1, unknown=0)
    assert {it.left for flow in flows_of(tell(plan).spans) for it in balances(flow)} == {Decimal(0)}


@settings(max_examples=30, deadline=None)
@given(data=st.data(), fault=st.sampled_from(["S1", "S4", "S8"]))
def test_faults_of_effects_show_in_the_account_of_their_step(
    data: st.DataObject, fault: str
) -> None:
    plan = data.draw(planted(fault))
    (flow,) = flows_of(tell(plan, fault).spans)
    blamed = "unlucky" if fault == "S8" else plan.victim.name
    accounts = {it.resource: it.left for it in balances(flow)}
    sign = -1 if fault == "S4" else 1
    assert accounts[f"saga-1/{blamed}"] == sign * plan.victim.amount
    outside = [it for name, it in accounts.items() if name and "-w" not in name and it != 0]
    assert len(outside) == 1


@settings(max_examples=30, deadline=None)
@given(plan=plans(aborts=True), attribute=st.sampled_from(["amount", "currency", "resource"]))
def test_hiding_what_sums_are_made_of_makes_no_false_debt(plan: Plan, attribute: str) -> None:
    spans = without(tell(plan).spans, f"retrospan.saga.{attribute}")
    assert {it.left for flow in flows_of(spans) for it in balances(flow)} <= {None, Decimal(0)}


@pytest.mark.parametrize("name", ["payment-healthy", "payment-brownout"])
def test_accounts_of_a_recorded_incident_are_those_of_its_books(name: str) -> None:
    """The residual effects are held to the books elsewhere; the accounts must say the same."""
    made = sample(name)
    for order, flow in made.flows.items():
        money = [it for it in balances(flow) if not it.counted]
        assert None not in [it.left for it in money]
        if money:
            owed = sum(
                (effect.amount or Decimal(0)) * (-1 if effect.step == "refund" else 1)
                for effect in made.sagas[order].residual_effects
            )
            assert sum(it.left or Decimal(0) for it in money) == owed, order


def test_a_recorded_incident_is_summed_up_as_its_books_say() -> None:
    made = sample("payment-brownout")
    found = measure((made.flows[order], saga) for order, saga in made.sagas.items())
    outcomes = made.expected["outcomes"]
    assert found.verdicts["S1"]["violation"] == len(made.books("saga.S1"))
    assert found.aborts.hits + 3 == sum(outcomes.values()) - outcomes["succeeded"]
    assert found.compensated.n - found.compensated.hits == len(
        made.books("saga.S1") | made.with_verdict("S8", Verdict.VIOLATION)
    )


def test_an_effect_the_books_hold_and_nobody_learnt_of_breaks_s8_and_s13() -> None:
    made = sample("payment-brownout")
    held = {it["flow"] for it in made.expected["residuals"]}
    found = made.with_verdict("S8", Verdict.VIOLATION)
    assert found and found <= held
    assert made.with_verdict("S13", Verdict.VIOLATION) == found | made.books("saga.S1")


def test_without_our_attributes_every_measure_is_unknown() -> None:
    made = sample("payment-brownout-plain")
    found = measure((made.flows[order], saga) for order, saga in made.sagas.items())
    for share in (found.aborts, found.compensated, found.coverage, found.stock):
        assert (share.n, share.unknown > 0) == (0, True)
    assert found.money == ()
