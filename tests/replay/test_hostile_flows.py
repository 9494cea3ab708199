"""Partial, odd and hostile flows are answered, never crashed on."""

import dataclasses
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from replay.engine import replay_flows
from store.conclusions import Flow, FlowOutcome, Step
from tests.replay.kinds import true_flows

VERDICTS = {"identical", "equivalent", "diverged", "unreplayable"}


def test_flows_without_an_end_are_unreplayable_and_teach_nothing(claims: list[Flow]) -> None:
    broken = [dataclasses.replace(f, flow_id=f"cut-{f.flow_id}", end_ns=None) for f in claims[:40]]
    results = replay_flows([*claims, *broken], [f.flow_id for f in [*claims[:20], *broken]])
    assert [r.verdict for r in results[20:]] == ["unreplayable"] * 40
    assert all(r.reason == "the flow has no recorded end" for r in results[20:])
    alone = replay_flows(claims, [f.flow_id for f in claims[:20]])
    assert results[:20] == alone


def without_bodies(flow: Flow) -> Flow:
    steps = [
        dataclasses.replace(
            step,
            attempts=[
                dataclasses.replace(
                    a, request=None, response=None, has_request=False, has_response=False
                )
                for a in step.attempts
            ],
        )
        for step in flow.steps
    ]
    return dataclasses.replace(flow, steps=steps, input=None, output=None, replayability="R2")


@pytest.mark.parametrize("kind", ["payment", "claims"])
def test_flows_without_bodies_are_replayed_with_doubts_or_refused_with_the_reason(
    kind: str,
) -> None:
    """Branches on what was not recorded cannot be right; they must not be silent either."""
    flows = [without_bodies(flow) for flow in true_flows(kind, 100)]
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert {r.verdict for r in results} <= VERDICTS
    refused = [r for r in results if r.verdict == "unreplayable"]
    assert all("explains" in r.reason and "response bodies" in r.reason for r in refused)
    wrong = [r for r in results if r.verdict == "diverged"]
    assert all(r.divergences for r in wrong)
    assert sum(not r.flags for r in wrong) <= 2


def test_one_lost_step_in_a_few_recordings_does_not_spoil_the_program(
    payments: list[Flow],
) -> None:
    lossy = []
    for number, flow in enumerate(payments):
        lost = number % 40 == 0
        steps = [s for s in flow.steps if not (lost and s.callee == "stock")]
        lossy.append(dataclasses.replace(flow, steps=steps))
    results = replay_flows(lossy, [flow.flow_id for flow in lossy])
    whole = [r for number, r in enumerate(results) if number % 40]
    right = sum(r.verdict in ("identical", "equivalent") for r in whole)
    assert right >= 0.85 * len(whole)
    damaged = [r for number, r in enumerate(results) if number % 40 == 0]
    assert all(r.verdict == "diverged" for r in damaged)


def test_flows_that_all_fail_are_replayed(payments: list[Flow]) -> None:
    flows = [f for f in true_flows("payment", 200) if f.outcome != FlowOutcome.SUCCEEDED]
    assert len(flows) >= 30
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert {r.verdict for r in results} <= VERDICTS


def test_steps_at_the_same_instant_and_of_no_duration_are_fine(claims: list[Flow]) -> None:
    flat = []
    for flow in claims[:60]:
        steps = [
            dataclasses.replace(
                step,
                start_ns=flow.start_ns,
                attempts=[
                    dataclasses.replace(a, start_ns=flow.start_ns, end_ns=flow.start_ns)
                    for a in step.attempts
                ],
            )
            for step in flow.steps
        ]
        flat.append(dataclasses.replace(flow, steps=steps, end_ns=flow.start_ns))
    results = replay_flows(flat, [flow.flow_id for flow in flat])
    assert {r.verdict for r in results} <= VERDICTS


odd_values: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=4), st.booleans() | st.floats(), max_size=3),
)


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data())
def test_any_bodies_statuses_and_times_give_a_verdict(data: st.DataObject) -> None:
    flows = []
    for flow in true_flows("claims", 35):
        if data.draw(st.integers(0, 9)) < 6:
            flows.append(flow)
            continue
        steps = [_odd(step, data) for step in flow.steps]
        flows.append(dataclasses.replace(flow, steps=steps, input=data.draw(odd_values)))
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert {r.verdict for r in results} <= VERDICTS
    again = replay_flows(flows, [flow.flow_id for flow in flows])
    assert [r.digest for r in again] == [r.digest for r in results]


def _odd(step: Step, data: st.DataObject) -> Step:
    attempts = [
        dataclasses.replace(
            attempt,
            status=data.draw(st.sampled_from(["ok", "ok", "503", "", "[redacted:x:1]"])),
            response=data.draw(odd_values),
            start_ns=attempt.start_ns + data.draw(st.integers(-(10**10), 10**10)),
            has_response=True,
        )
        for attempt in step.attempts
    ]
    return dataclasses.replace(step, attempts=attempts, key=data.draw(st.text(max_size=3)))
