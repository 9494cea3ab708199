"""What a what-if must not claim: ways that only a lent answer, or chance, decides.

Cannot prove that nothing else is claimed wrongly; `benchmarks/counterfactuals.py` measures that.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from replay.engine import Folds, replay_recording, replay_with
from replay.infer.cancel import learn_outlasting
from replay.infer.places import observe
from replay.interpret import Machine
from replay.recording import RecordedStep, Recording, recording_of
from replay.scenario import AlteredAnswer, Scenario
from replay.settings import ReplaySettings
from store.conclusions import ReplayResult
from tests.replay.kinds import KINDS, true_flow
from tests.replay.other_kinds import OTHER_KINDS

ALL = {**KINDS, **OTHER_KINDS}
FLOWS = 150
CLASSIFY = "model POST /classify"
SUBMIT, STATUS = "jobs POST /jobs", "jobs GET /jobs/{id}"
ADDRESS, CREDIT, SANCTIONS = (
    f"{service} POST /check" for service in ("address", "credit", "sanctions")
)


@cache
def recorded(kind: str) -> tuple[Folds, list[Recording]]:
    recordings = [recording_of(true_flow(kind, n, seed=8, kinds=ALL)) for n in range(FLOWS)]
    return Folds(recordings, ReplaySettings()), recordings


def asked(kind: Folds, recording: Recording, operation: str, **answer: object) -> ReplayResult:
    altered = AlteredAnswer(operation=operation, **answer)  # type: ignore[arg-type]
    return replay_recording(recording, kind, scenario=Scenario(name="what if", answers=(altered,)))


def flags_of(result: ReplayResult) -> set[str]:
    return {flag.split(" ")[0] for flag in result.flags}


def with_step(kind: str, operation: str) -> Iterator[tuple[Recording, RecordedStep]]:
    for recording in recorded(kind)[1]:
        for step in recording.steps:
            if step.op == operation:
                yield recording, step


def test_a_lent_label_by_which_the_flow_goes_on_is_no_ground_for_a_claim() -> None:
    kind, _ = recorded("claims")
    healed = 0
    for recording, step in with_step("claims", CLASSIFY):
        if step.attempts[-1].status == "ok":
            continue
        healed += 1
        result = asked(kind, recording, CLASSIFY, nth=len(step.attempts), status="ok")
        assert result.claim is None
        assert "lent_value_decides" in flags_of(result)
    for recording, step in list(with_step("claims", CLASSIFY))[:10]:
        if step.attempts[0].status == "ok":
            said = dict(step.attempts[0].response)
            told = asked(kind, recording, CLASSIFY, nth=1, fields=said)
            assert "lent_value_decides" not in flags_of(told)
    # Of each retry that was called again nobody knows what it would have said at once.
    retried = [r for r, step in with_step("claims", CLASSIFY) if len(step.attempts) > 1]
    early = [asked(kind, recording, CLASSIFY, nth=1, status="ok") for recording in retried]
    assert healed + len(early) > 5
    assert all(result.claim is None for result in early)


def test_a_poll_that_only_donors_answer_is_no_ground_for_a_claim() -> None:
    kind, _ = recorded("job")
    polled = 0
    for recording, step in list(with_step("job", STATUS))[:20]:
        result = asked(kind, recording, STATUS, nth=len(step.attempts), fields={"state": "running"})
        if result.answers["donor"]:
            polled += 1
            assert result.claim is None
            assert "lent_value_decides" in flags_of(result)
    assert polled > 10


def test_what_the_scenario_states_of_every_answer_is_not_lent() -> None:
    kind, _ = recorded("job")
    lent = 0
    for recording, _step in list(with_step("job", STATUS))[:20]:
        result = asked(kind, recording, STATUS, nth=None, fields={"state": "running"})
        if result.answers["donor"]:
            lent += 1
            assert "lent_value_decides" not in flags_of(result)
    assert lent > 10


def test_answers_follow_an_id_that_the_scenario_exchanges() -> None:
    """The job bears another name, and is the same job."""
    kind, _ = recorded("job")
    claimed = 0
    for recording, step in list(with_step("job", SUBMIT))[:20]:
        if step.attempts[-1].status != "ok":
            continue
        result = asked(
            kind, recording, SUBMIT, nth=len(step.attempts), fields={"job_id": "another-job"}
        )
        assert "answer_of_another_key" not in flags_of(result)
        assert result.claim == "C2"
        assert "were recorded for" in result.reason
        assert {event["key"] for event in result.events if event.get("op") == STATUS} == {
            "another-job"
        }
        claimed += 1
    assert claimed > 10


def quick_failure(kind: Folds, recording: Recording, after_ms: int) -> ReplayResult:
    return asked(kind, recording, CREDIT, nth=1, status="409", latency_ms=after_ms)


def test_a_call_that_no_recording_shows_beside_such_an_end_is_doubted() -> None:
    kind, recordings = recorded("together")
    met = 0
    for recording in recordings[:40]:
        steps = {step.op: step for step in recording.steps}
        address = steps.get(ADDRESS)
        if CREDIT not in steps or address is None or address.attempts[-1].status != "ok":
            continue
        machine = kind.machine_for(recording.flow_id)[0]
        rules = {op: replace(rule, by={**rule.by}) for op, rule in machine.program.cancels.items()}
        rules.pop(ADDRESS, None)
        blind = Machine(replace(machine.program, cancels=rules, outlasting={}))
        answer = AlteredAnswer(operation=CREDIT, status="409", latency_ms=1)
        scenario = Scenario(name="quick", answers=(answer,))
        result = replay_with(recording, blind, recordings=FLOWS, scenario=scenario)
        if result.control_verdict not in ("identical", "equivalent"):
            continue
        met += 1
        assert "overlap_unseen" in flags_of(result), result
        assert result.claim is None
    assert met > 5


def test_an_end_too_close_to_what_it_calls_off_is_doubted() -> None:
    kind, recordings = recorded("together")
    tied = apart = 0
    for recording in recordings[:40]:
        steps = {step.op: step for step in recording.steps}
        if any(op not in steps or steps[op].attempts[0].status != "ok"
               for op in (ADDRESS, CREDIT, SANCTIONS)):  # fmt: skip
            continue
        credit, sanctions = (steps[op].attempts[0] for op in (CREDIT, SANCTIONS))
        at_once = (sanctions.end_ns - credit.start_ns) // 1_000_000
        if at_once < 50:
            continue
        near, early = (
            quick_failure(kind, recording, after_ms=wait) for wait in (at_once, at_once // 2)
        )
        tied += "cancel_tie" in flags_of(near) and near.claim is None
        apart += f"cancel_tie {SANCTIONS}" not in " ".join(early.flags)
    assert tied > 5
    assert apart > 5


@pytest.mark.parametrize("name", ["hedge", "race"])
def test_what_is_called_off_any_later_than_recorded_may_have_answered(name: str) -> None:
    """Whatever the clock of a replay does not know, a millisecond more is a millisecond more."""
    kind, recordings = recorded(name)
    later = sooner = 0
    for recording in recordings[:60]:
        ends = {step.op: step.attempts[-1] for step in recording.steps}
        off = next((op for op, last in ends.items() if last.status == "cancelled"), None)
        if off is None:
            continue
        [winner] = [
            op for op, last in ends.items() if op != off and last.end_ns == ends[off].end_ns
        ]
        took_ms = ends[winner].latency_ns // 1_000_000
        slow, quick = (
            asked(kind, recording, winner, nth=1, latency_ms=took_ms + more) for more in (1, 0)
        )
        if slow.control_verdict == "diverged":
            continue
        assert slow.claim is None, slow
        later += f"cancelled_answer {off}" in slow.flags
        sooner += f"cancelled_answer {off}" not in quick.flags
    assert later > 5
    assert sooner == later


def test_outlasting_tells_how_the_others_ended() -> None:
    _, recordings = recorded("together")
    observations = [observe(recording) for recording in recordings]
    ended = [
        {op for op, node in one.nodes.items() if node.status not in ("ok", "cancelled")}
        for one in observations
    ]
    seen = learn_outlasting(observations, ended, 500_000)
    assert seen[CREDIT][ADDRESS] == ("ok",)
    assert ADDRESS not in seen.get(ADDRESS, {})
