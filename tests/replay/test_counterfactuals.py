"""What is claimed of a changed flow is what the true program does with the same answers.

Cannot prove that other kinds fare alike; the full measure is `benchmarks/counterfactuals.py`.
"""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from replay.change import donors_of
from replay.engine import Folds, replay_recording, replay_with
from replay.interpret import Machine
from replay.recording import recording_of
from replay.scenario import AlteredAnswer, Scenario
from replay.settings import ReplaySettings
from tests.replay.changes import NEVER_SEEN, SEEN, Seen, Truth, draw, right
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS

ALL = {**KINDS, **OTHER_KINDS}
FLOWS, CHANGED = 130, 14
CLASSIFIED = "model POST /classify"


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
    assert told["never", "none"] > 14, told


def test_a_program_that_left_recordings_aside_claims_times_only() -> None:
    """What it does not explain may be just what the change leads to."""
    recordings = [recording_of(true_flow("claims", index, seed=12)) for index in range(FLOWS)]
    kind = Folds(recordings, ReplaySettings())
    slower = Scenario(
        name="slow", answers=(AlteredAnswer(operation=CLASSIFIED, latency_percent=300),)
    )
    deny = Scenario(
        name="deny", answers=(AlteredAnswer(operation=CLASSIFIED, fields={"label": "deny"}),)
    )
    compared = 0
    for recording in recordings[:CHANGED]:
        machine, _ = kind.machine_for(recording.flow_id)
        odd = Machine(replace(machine.program, set_aside=26))
        sure, less = (
            [
                replay_with(recording, made, recordings=FLOWS, scenario=scenario)
                for scenario in (slower, deny)
            ]
            for made in (machine, odd)
        )
        if None in {result.claim for result in sure} or sure[1].digest == sure[1].control_digest:
            continue
        compared += 1
        assert (less[0].claim, less[1].claim) == (sure[0].claim, None)
        assert "26 of" in less[1].reason
    assert compared > 2
