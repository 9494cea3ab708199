"""Kinds whose author had not read the inference are reproduced, or wrong with a doubt.

Cannot prove that other kinds fare alike; the full measure at 300 recordings is
`benchmarks/inference.py`.
"""

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
