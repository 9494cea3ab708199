"""Answers recorded under another key than the one a changed flow asks with."""

from replay.engine import Folds, replay_recording
from replay.recording import alter, recording_of
from replay.settings import ReplaySettings
from tests.replay.kinds import true_flow
from tests.replay.other_kinds import OTHER_KINDS

HOTEL, NO_HOTEL = "hotel POST /bookings", "hotel DELETE /bookings/{id}"


def test_an_answer_lent_from_another_key_is_doubted() -> None:
    """What was undone there was another booking, and may have failed where this one would not."""
    flows = [true_flow("trip", index, seed=11, kinds=OTHER_KINDS) for index in range(120)]
    recordings = [recording_of(flow) for flow in flows]
    kind = Folds(recordings, ReplaySettings())
    undone = [r for r in recordings if any(step.op == NO_HOTEL for step in r.steps)]
    assert len(undone) >= 5
    for recording in undone[:5]:
        [booked] = [step for step in recording.steps if step.op == HOTEL]
        last = len(booked.attempts)
        other = alter(recording, HOTEL, nth=last, fields={"booking": "another-1"})
        same = replay_recording(recording, kind)
        assert not any(flag.startswith("answer_of_another_key") for flag in same.flags)
        result = replay_recording(other, kind)
        assert any(flag.startswith("answer_of_another_key") for flag in result.flags)
