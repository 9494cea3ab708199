"""Where a threshold lies is as open as the recordings leave it, and is doubted there."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from replay.engine import program_of, replay_flows
from replay.fidelity import fidelity
from replay.infer.grow import grow, roundest
from replay.infer.tree import Split
from replay.infer.view import Ref
from replay.leaves import Scalar
from tests.replay.infer.more_kinds import MORE_KINDS
from tests.replay.kinds import true_flow

SURE: Ref = ("answer", "model", "sure")
KIND: Ref = ("answer", "model", "kind")


def test_recordings_of_which_a_threshold_decides_nothing_do_not_hold_it() -> None:
    """Old models are never trusted, so their 5 says nothing of where trust in new ones begins."""
    sure: list[int] = [1, 2, 3, 5, 8, 9, 1, 2, 5, 7, 8, 9]
    kind: list[str] = ["new"] * 3 + ["old"] + ["new"] * 2 + ["old"] * 6
    labels = [k == "new" and s > 6 for s, k in zip(sure, kind, strict=True)]
    root = grow({SURE: sure * 3, KIND: kind * 3}, labels * 3).root
    found: list[tuple[float | None, float | None]] = []
    while isinstance(root, Split):
        if root.test.ref == SURE:
            found.append((root.low, root.high))
        root = root.yes
    assert found == [(3, 8)]


def test_a_value_is_doubted_only_where_the_two_sides_differ() -> None:
    sure, kind = [1, 2, 8, 9] * 6, (["new"] * 4 + ["old"] * 4) * 3
    labels = [k == "new" and s > 5 for s, k in zip(sure, kind, strict=True)]
    tree = grow({SURE: sure, KIND: kind}, labels)
    new: dict[Ref, Scalar] = {SURE: 5, KIND: "new"}
    old: dict[Ref, Scalar] = {SURE: 5, KIND: "old"}
    assert [word for word, _ in tree.read(new.get)[1]] == ["threshold_gap"]
    assert tree.read(old.get) == (False, [])


@pytest.mark.parametrize(
    ("low", "high", "number"),
    [(0.7617, 0.8088, 0.8), (0.9699, 0.9702, 0.97), (412.5, 530.1, 500), (2, 3, 2.5), (-3, 4, 0)],
)
def test_a_threshold_is_taken_to_be_the_roundest_number_it_can_be(
    low: float, high: float, number: float
) -> None:
    assert roundest(low, high) == number


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_a_round_threshold_parts_the_recordings_as_they_were(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assume(low < high)
    assert low <= roundest(low, high) < high


def test_a_program_that_acts_before_its_check_is_over_is_reproduced() -> None:
    """Trusted answers skip the check, and many of those flows are undone later on."""
    flows = [true_flow("optimistic", index, seed=7, kinds=MORE_KINDS) for index in range(200)]
    assert program_of(flows, flows[0].flow_id).places == ("bank POST /accounts",)
    measured = fidelity(replay_flows(flows, [flow.flow_id for flow in flows]))
    assert measured.right >= 0.97 * measured.flows, measured
    assert measured.silent == 0, measured
    assert measured.doubted <= 0.5 * measured.flows, measured
