"""A suspect is confirmed by putting its answers back, and by nothing else doing the same.

The recorded incidents come from small systems whose true causes are known from their fault plans.
"""

from collections.abc import Sequence
from functools import cache

import pytest

from replay.confirm import Swap, Trial, confirm, judged
from replay.settings import ReplaySettings
from store.conclusions import Finding, Flow, Verdict
from tests.replay.test_samples import flows_of

SECOND_NS = 1_000_000_000


@cache
def doubled(sample: str) -> tuple[Finding, ...]:
    """A finding for every flow that charged in Europe again after no clear answer."""
    return tuple(
        Finding(
            finding_id=flow.flow_id,
            detector="duplicate_effect",
            scope="flow",
            severity="critical",
            verdict=Verdict.VIOLATION,
            flow_id=flow.flow_id,
            message="charged again",
            remedy="",
        )
        for flow in flows_of(sample)
        if flow.version == "2.4.0"
        and any(
            step.callee == "gateway-eu"
            and step.operation == "POST /charges"
            and len(step.attempts) > 1
            and step.attempts[0].status == "timeout"
            for step in flow.steps
        )
    )


@cache
def trials(sample: str, first: str, last: str) -> tuple[Trial, ...]:
    flows = flows_of(sample)
    by_name = {flow.flow_id: flow for flow in flows}
    start, end = by_name[first].start_ns, by_name[last].start_ns
    return tuple(confirm(flows, start_ns=start, end_ns=end, findings=doubled(sample)))


def brownout() -> Sequence[Trial]:
    return trials("payment-brownout", "order-000180", "order-000429")


def test_the_slow_gateway_is_confirmed_and_no_other_service_is() -> None:
    statuses = {
        swap.name: judged(brownout(), "service", swap.name).status
        for trial in brownout()
        for swap in trial.swaps
        if swap.kind == "service"
    }
    assert statuses["gateway-eu"] == "confirmed"
    assert [name for name, status in statuses.items() if status == "confirmed"] == ["gateway-eu"]
    assert {statuses[name] for name in ("inventory", "fraud-scorer", "order-validation")} == {
        "refuted"
    }


def test_a_confirmation_states_its_share_with_an_interval_and_the_best_placebo() -> None:
    told = judged(brownout(), "service", "gateway-eu").reason
    assert "goes in" in told
    assert "% to 100%" in told
    assert "placebo swaps the best" in told


def test_the_failing_directory_is_confirmed_for_onboarding() -> None:
    found = trials("onboarding-model-rollout", "applicant-000232", "applicant-000319")
    assert judged(found, "service", "crm").status == "confirmed"
    assert judged(found, "service", "risk-model").status == "refuted"
    assert judged(found, "service", "billing").status != "confirmed"


def test_the_same_trial_twice_is_the_same() -> None:
    flows = flows_of("payment-brownout")
    by_name = {flow.flow_id: flow for flow in flows}
    again = confirm(
        list(reversed(flows)),
        start_ns=by_name["order-000180"].start_ns,
        end_ns=by_name["order-000429"].start_ns,
        findings=doubled("payment-brownout"),
    )
    assert tuple(again) == brownout()


def test_without_flows_from_before_nothing_is_tried() -> None:
    flows = flows_of("payment-healthy")
    found = confirm(flows, start_ns=flows[0].start_ns, end_ns=flows[-1].start_ns)
    assert judged(found, "service", "gateway-eu").status == "untested"
    assert "ended before the incident" in judged(found, "service", "gateway-eu").reason


def test_flows_without_a_program_are_untested_with_the_reason() -> None:
    flows = flows_of("payment-healthy")
    settings = ReplaySettings(scenario_flows_min=10_000)
    middle = flows[len(flows) // 2].start_ns
    found = confirm(flows, start_ns=middle, end_ns=flows[-1].start_ns, settings=settings)
    assert "replays as recorded" in judged(found, "service", "gateway-eu").reason


def test_a_healthy_stretch_confirms_nothing() -> None:
    flows: list[Flow] = flows_of("payment-healthy")
    middle = flows[len(flows) // 2].start_ns
    found = confirm(flows, start_ns=middle, end_ns=flows[-1].start_ns)
    names = {swap.name for trial in found for swap in trial.swaps}
    assert not [name for name in names if judged(found, "service", name).status == "confirmed"]


def swap(name: str, gone: int, n: int = 100, **more: object) -> Swap:
    low, high = max(0.0, gone / n - 0.09), min(1.0, gone / n + 0.09)
    return Swap(
        kind="service",
        name=name,
        gone=gone,
        n=n,
        low=low,
        high=high,
        **{"unsure": 0, **more},  # type: ignore[arg-type]
    )


def tried(*swaps: Swap) -> list[Trial]:
    return [Trial(symptom="slow", during=(90, 100), before=(5, 100), swaps=swaps)]


@pytest.mark.parametrize(
    ("swaps", "status"),
    [
        ((swap("a", 90), swap("b", 5)), "confirmed"),
        ((swap("a", 90), swap("b", 88)), "untested"),
        ((swap("a", 90, deeper="c failed below it"), swap("b", 5)), "refuted"),
        ((swap("a", 20), swap("b", 5)), "refuted"),
        ((swap("a", 52), swap("b", 5)), "untested"),
        ((swap("a", 20, unsure=60), swap("b", 5)), "untested"),
        ((swap("b", 5),), "untested"),
    ],
)
def test_a_verdict_needs_a_share_placebos_and_nothing_deeper(
    swaps: tuple[Swap, ...], status: str
) -> None:
    assert judged(tried(*swaps), "service", "a").status == status
