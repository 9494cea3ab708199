"""What is claimed of a changed flow is what the true program does with the same answers.

Cannot prove that other kinds fare alike; the full measure is `benchmarks/counterfactuals.py`.
"""

from collections import Counter
from random import Random

import pytest

from replay.change import donors_of
from replay.engine import Folds, replay_recording
from replay.recording import recording_of
from replay.settings import ReplaySettings
from tests.replay.changes import NEVER_SEEN, SEEN, Seen, Truth, draw, right
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS

ALL = {**KINDS, **OTHER_KINDS}
FLOWS, CHANGED = 130, 20


@pytest.mark.parametrize("name", ["payment", "trip", "race"])
def test_no_claim_on_a_changed_flow_is_wrong_and_most_changes_get_one(name: str) -> None:
    recordings = [
        recording_of(true_flow(name, index, seed=12, kinds=ALL)) for index in range(FLOWS)
    ]
    kind, seen = Folds(recordings, ReplaySettings()), Seen(recordings)
    told: Counter[tuple[str, str]] = Counter()
    for index, recording in enumerate(recordings[:CHANGED]):
        donors = donors_of(kind.machine_for(recording.flow_id)[0].program)
        for how in (*SEEN, *NEVER_SEEN):
            asked = draw(how, Random(f"{index} {how}"), recording, seen)
            if asked is None:
                continue
            answering = Truth(recording, asked, donors, ALL[name][1](12, index))
            truth = recording_of(true_flow(name, index, seed=12, answering=answering, kinds=ALL))
            result = replay_recording(recording, kind, scenario=asked.scenario, baseline=truth)
            if result.control_verdict == "diverged":
                continue
            word = "none" if result.claim is None else "right" if right(result) else "wrong"
            told["seen" if how in SEEN else "never", word] += 1
    assert told["seen", "wrong"] == told["never", "wrong"] == 0, told
    assert told["seen", "right"] >= 0.7 * (told["seen", "right"] + told["seen", "none"]), told
    # Of a failure nobody ever saw there, nobody knows what the code does.
    assert told["never", "none"] > 20, told
