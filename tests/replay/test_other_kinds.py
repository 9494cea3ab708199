"""Kinds whose author had not read the inference are reproduced, or wrong with a doubt.

Cannot prove that other kinds fare alike; the full measure at 300 recordings is
`benchmarks/inference.py`.
"""

from dataclasses import replace

import pytest

from replay.engine import replay_flows
from replay.fidelity import fidelity
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS

FLOWS = 120


@pytest.mark.parametrize("kind", sorted(OTHER_KINDS))
def test_a_kind_nobody_prepared_for_is_never_silently_wrong(kind: str) -> None:
    flows = [true_flow(kind, index, seed=5, kinds=OTHER_KINDS) for index in range(FLOWS)]
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.silent == 0, measured
    assert measured.unreplayable == 0, measured


def test_most_flows_of_these_kinds_are_reproduced() -> None:
    for kind in ("approval", "quorum", "parent", "trip", "cached"):
        flows = [true_flow(kind, index, seed=6, kinds=OTHER_KINDS) for index in range(FLOWS)]
        measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
        assert measured.right >= 0.97 * measured.flows, (kind, measured)
        assert measured.doubted <= 0.25 * measured.flows, (kind, measured)


def test_a_person_who_was_waited_for_and_not_recorded_is_doubted() -> None:
    """With the signal's own span the wait is an answer; without, nothing explains it."""
    flows = [true_flow("approval", index, seed=6, kinds=OTHER_KINDS) for index in range(FLOWS)]
    silent = [
        replace(flow, steps=[step for step in flow.steps if step.kind != "message"])
        for flow in flows
    ]
    results = replay_flows(silent, [flow.flow_id for flow in silent])
    assert all(result.flags for result in results)
