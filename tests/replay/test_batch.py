"""Many flows at once give what each gives alone; predictions stand beside what really happened."""

from dataclasses import replace

import pytest

from replay import workers
from replay.backtest import back_test, side_by_side
from replay.engine import Folds, replay_flows, replay_recording
from replay.flip import smallest_flip
from replay.recording import recording_of
from replay.scenario import Change, Scenario
from replay.settings import ReplaySettings
from replay.workers import replay_with_workers
from store.conclusions import Flow
from store.errors import DataError, UsageError
from tests.replay.kinds import true_flows

SETTINGS = ReplaySettings()
EU = "gateway-eu POST /charges"
GATE = "gate risk-limit"


@pytest.mark.parametrize("scenario", [None, Scenario(name="v2", version="2")])
def test_any_number_of_processes_gives_the_same_results(
    scenario: Scenario | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FLOWS_PER_PIECE_MAX", 9)
    flows = [*true_flows("payment", 110), *true_flows("payment", 110, version="2")]
    ids = [flow.flow_id for flow in flows if flow.version == "1"]
    alone = replay_flows(flows, ids, scenario=scenario, settings=SETTINGS)
    told: list[tuple[int, int]] = []
    for processes in (1, 2):
        made = replay_with_workers(
            flows,
            ids,
            workers=processes,
            scenario=scenario,
            settings=SETTINGS,
            progress=lambda done, whole: told.append((done, whole)),
        )
        assert made == alone
    assert told[-1] == (110, 110)


def test_a_release_rolled_out_is_predicted_from_the_flows_before_it() -> None:
    """The new version asks for more certainty; both versions met weather of one kind."""
    before = true_flows("payment", 200)
    real = true_flows("payment", 200, seed=2, threshold=0.6)
    flows = before
    scenario = Scenario(name="stricter", changes=(Change(operation=GATE, threshold=0.6),))
    predicted = replay_flows(flows, [f.flow_id for f in flows], scenario=scenario)
    claimed = [result for result in predicted if result.claim is not None]
    assert len(claimed) > 140
    rows = {
        row.what: row
        for row in back_test(
            [recording_of(f) for f in before], claimed, [recording_of(f) for f in real]
        )
    }
    assert rows["ends succeeded"].agrees
    assert rows["calls shipping POST /shipments"].agrees
    shipped = rows["calls shipping POST /shipments"]
    assert shipped.predicted / shipped.predicted_n < shipped.before / shipped.before_n - 0.05


def test_only_flows_that_began_while_both_ran_are_compared() -> None:
    """What was different at other times says nothing about the release."""
    made = true_flows("payment", 70)

    def begun(version: str, first: int, last: int) -> list[Flow]:
        return [replace(made[at], version=version, start_ns=at) for at in range(first, last)]

    real = begun("2", 30, 60)
    sides = side_by_side([*begun("0", 0, 35), *begun("1", 20, 50)], real)
    assert sides is not None
    assert {flow.version for flow in sides[0]} == {"1"}
    assert [[flow.start_ns for flow in side] for side in sides] == [[*range(30, 50)]] * 2
    assert side_by_side(begun("1", 0, 45), real) is None
    assert side_by_side([], real) is None


def test_a_wrong_prediction_is_seen_as_wrong() -> None:
    before = [recording_of(f) for f in true_flows("payment", 200)]
    real = [recording_of(f) for f in true_flows("payment", 200, threshold=0.3)]
    unchanged = replay_flows(
        true_flows("payment", 200), [r.flow_id for r in before], settings=SETTINGS
    )
    rows = {row.what: row for row in back_test(before, unchanged, real)}
    assert not rows["ends succeeded"].agrees


@pytest.fixture(scope="module")
def kind(payments: list[Flow]) -> Folds:
    return Folds([recording_of(flow) for flow in payments], SETTINGS)


def test_the_smallest_change_flips_and_the_next_smaller_does_not(
    payments: list[Flow], kind: Folds
) -> None:
    found = 0
    for flow in payments:
        recording = recording_of(flow)
        gates = [step for step in recording.steps if step.op == GATE]
        if not gates or flow.outcome.value != "succeeded":
            continue
        try:
            flip = smallest_flip(recording, kind, GATE, "threshold", SETTINGS)
        except DataError as error:
            assert "diverged" in str(error)
            continue
        if flip.value is None:
            continue
        found += 1
        score = next(s for s in recording.steps if s.op == "risk POST /score")
        value = score.attempts[-1].response["score"]
        assert isinstance(value, float)
        assert flip.near is not None
        # The flow's own score lies between the last threshold that passes it and the first not.
        assert flip.value <= value + 1e-9
        assert value <= flip.near + 1e-9
        assert flip.near - flip.value == pytest.approx(1 / 10_000, abs=1e-9)
        if found == 5:
            return
    raise AssertionError(f"only {found} flows flip")


def test_a_flow_that_nothing_flips_says_so(payments: list[Flow], kind: Folds) -> None:
    recording = recording_of(next(f for f in payments if f.outcome.value == "succeeded"))
    flip = smallest_flip(recording, kind, "mail POST /messages", "attempts", SETTINGS)
    assert flip.value is None
    assert flip.after == flip.before == "succeeded"
    assert flip.tried > 3
    assert flip.reason


def test_what_only_lent_answers_turn_flips_nothing_for_sure(
    payments: list[Flow], kind: Folds
) -> None:
    again = [
        recording
        for recording in map(recording_of, payments)
        if any(step.op == EU and len(step.attempts) > 1 for step in recording.steps)
        and replay_recording(recording, kind).verdict == "identical"
    ]
    flips = [smallest_flip(recording, kind, EU, "attempts", SETTINGS) for recording in again[:12]]
    may = [flip for flip in flips if "it may at" in flip.reason]
    assert len(may) >= 3
    assert all(flip.value is None and "with bad ones" in flip.reason for flip in may)


@pytest.mark.parametrize(
    ("operation", "change", "why"),
    [
        ("nobody", "timeout", "never calls 'nobody'"),
        (EU, "colour", "flip knows the changes"),
        ("mail POST /messages", "threshold", "no numeric threshold"),
    ],
)
def test_what_cannot_be_searched_is_said(
    payments: list[Flow], kind: Folds, operation: str, change: str, why: str
) -> None:
    recording = recording_of(next(f for f in payments if f.outcome.value == "succeeded"))
    with pytest.raises((DataError, UsageError), match=why):
        smallest_flip(recording, kind, operation, change, SETTINGS)
