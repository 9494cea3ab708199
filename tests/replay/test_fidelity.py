"""Programs made from other flows reproduce the flow at hand.

Cannot prove that real programs are covered: the worlds were written by the same hands.
"""

from collections import Counter

import pytest

from replay.engine import fold_of, replay_flows
from replay.fidelity import fidelity
from store.conclusions import Flow
from store.errors import NotFoundError
from tests.replay.kinds import true_flows


@pytest.mark.parametrize(("kind", "version"), [("payment", "1"), ("payment", "2"), ("claims", "1")])
def test_most_held_out_flows_are_reproduced_and_none_is_silently_wrong(
    kind: str, version: str
) -> None:
    # Every program is made from about 200 of these.
    flows = true_flows(kind, 250, version=version, seed=41)
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    measured = fidelity(results)
    assert measured.right >= 0.97 * measured.flows, measured
    assert measured.silent <= 0.002 * measured.flows, measured
    assert measured.width_ppm < 150_000, measured
    for result in results:
        assert result.program_flows < len(flows)
        assert result.leave_one_out
        if result.verdict != "identical":
            assert result.flags or result.divergences, result


def test_sequences_that_no_training_flow_shows_are_reproduced_too() -> None:
    """A play-back of known sequences could not pass."""
    flows = true_flows("payment", 200, seed=41)
    results = {r.flow_id: r for r in replay_flows(flows, [flow.flow_id for flow in flows])}
    shapes = {
        flow.flow_id: tuple(
            sorted(
                (step.callee, step.operation, len(step.attempts))
                for step in flow.steps
                if step.parent_step_id is None
            )
        )
        for flow in flows
    }
    times_seen = Counter(shapes.values())
    rare = [flow_id for flow_id, shape in shapes.items() if times_seen[shape] == 1]
    assert len(rare) > 30
    right = sum(results[flow_id].verdict == "identical" for flow_id in rare)
    assert right >= 0.9 * len(rare)


def test_the_flow_under_test_is_in_none_of_the_training_sets(payments: list[Flow]) -> None:
    """Changing a flow must not change the program it is replayed with."""
    flow = payments[7]
    [before] = replay_flows(payments, [flow.flow_id])
    others = [f for f in payments if fold_of(f.flow_id, 5) != fold_of(flow.flow_id, 5)]
    [alone] = replay_flows([*others, flow], [flow.flow_id])
    assert alone.program_digest == before.program_digest
    assert before.program_flows == len(others)


def test_the_order_in_which_flows_arrive_does_not_matter(claims: list[Flow]) -> None:
    ids = [flow.flow_id for flow in claims[:30]]
    forwards = replay_flows(claims, ids)
    backwards = replay_flows(list(reversed(claims)), list(reversed(ids)))
    assert {r.flow_id: r for r in forwards} == {r.flow_id: r for r in backwards}


def test_few_recordings_of_a_kind_give_no_program() -> None:
    flows = true_flows("claims", 29)
    results = replay_flows(flows, [flow.flow_id for flow in flows])
    assert {r.verdict for r in results} == {"unreplayable"}
    assert all("too few: 29" in r.reason for r in results)


def test_kinds_and_versions_are_not_mixed(payments: list[Flow]) -> None:
    """Two versions differ in the order of undoing; a mixed program could do neither."""
    newer = true_flows("payment", 150, version="2")
    results = replay_flows([*payments, *newer], [payments[0].flow_id, newer[0].flow_id])
    assert results[0].program_digest != results[1].program_digest
    assert max(r.program_flows for r in results) < 150


def test_an_unknown_flow_id_shows_the_nearest(payments: list[Flow]) -> None:
    with pytest.raises(NotFoundError, match="payment-1-1-1"):
        replay_flows(payments, ["payment-1-1-1x"])


def test_progress_is_told(claims: list[Flow]) -> None:
    told: list[tuple[int, int]] = []
    replay_flows(
        claims,
        [f.flow_id for f in claims[:3]],
        progress=lambda done, all_: told.append((done, all_)),
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
