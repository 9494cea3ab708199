"""An altered answer shows exactly where the program reads it."""

from collections.abc import Callable

import pytest

from replay.engine import Folds, replay_recording
from replay.leaves import Scalar
from replay.recording import Recording, alter, recording_of
from replay.settings import ReplaySettings
from store.conclusions import Flow, ReplayResult

SETTINGS = ReplaySettings()


@pytest.fixture(scope="module")
def kind(payments: list[Flow]) -> Folds:
    return Folds([recording_of(flow) for flow in payments], SETTINGS)


def plain(payments: list[Flow], kind: Folds) -> list[Recording]:
    """Recordings that went straight through and replay without a doubt."""
    found = []
    for flow in payments:
        recording = recording_of(flow)
        if flow.outcome.value != "succeeded":
            continue
        if any(len(step.attempts) > 1 for step in recording.steps):
            continue
        if not replay_recording(recording, kind).flags:
            found.append(recording)
    assert len(found) > 10
    return found[:12]


def altered(recording: Recording, kind: Folds, op: str, fields: dict[str, Scalar]) -> ReplayResult:
    changed = alter(recording, op, fields=fields)
    return replay_recording(changed, kind, baseline=recording)


def test_an_answer_the_program_branches_on_diverges_at_the_first_step_that_depends_on_it(
    payments: list[Flow], kind: Folds
) -> None:
    for recording in plain(payments, kind):
        result = altered(recording, kind, "risk POST /score", {"score": 0.97})
        assert result.verdict == "diverged"
        first = result.divergences[0]
        gate = next(step for step in recording.steps if step.op == "gate risk-limit")
        assert first.step_id == gate.step_id
        assert first.source == ""
        assert result.outcome == "compensated"
        assert "missing_call" in {d.kind for d in result.divergences}


def test_what_follows_from_a_divergence_names_its_source(payments: list[Flow], kind: Folds) -> None:
    recording = plain(payments, kind)[0]
    result = altered(recording, kind, "risk POST /score", {"score": 0.97})
    gate = next(step for step in recording.steps if step.op == "gate risk-limit")
    missing = [d for d in result.divergences if d.kind == "missing_call"]
    assert missing
    assert missing[0].source == gate.step_id
    assert all(d.source for d in result.divergences[1:])


def test_an_answer_bound_into_a_later_request_changes_its_arguments(
    payments: list[Flow], kind: Folds
) -> None:
    for recording in plain(payments, kind):
        charged = next(s.op for s in recording.steps if s.op.endswith("POST /charges"))
        result = altered(recording, kind, charged, {"charge_id": "ch-other"})
        assert result.verdict == "diverged"
        first = result.divergences[0]
        shipping = next(s for s in recording.steps if s.op == "shipping POST /shipments")
        assert (first.kind, first.path) == ("args_changed", "request.charge")
        assert (first.step_id, first.replayed) == (shipping.step_id, "ch-other")
        assert ("result_changed", "output.charge") in {(d.kind, d.path) for d in result.divergences}


def test_a_call_under_another_key_is_said_to_be_answered_by_likeness(
    payments: list[Flow], kind: Folds
) -> None:
    """The reservation's number is the key of its undoing, so the recorded undoing is not sure."""
    op = "stock POST /reservations"
    undone = [
        recording
        for recording in map(recording_of, payments)
        if recording.outcome == "compensated" and any(step.op == op for step in recording.steps)
    ]
    seen = 0
    for recording in undone[:12]:
        result = altered(recording, kind, op, {"reservation": "r-other"})
        told = [d for d in result.divergences if d.path in ("key", "rung")]
        for key, rung in zip(told[::2], told[1::2], strict=True):
            assert (key.kind, key.replayed) == ("args_changed", "r-other")
            assert (rung.kind, rung.recorded, rung.replayed) == (
                "answer_rung_lowered", "explicit", "structural",
            )  # fmt: skip
            assert rung.step_id == key.step_id
            seen += 1
    assert seen


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("risk POST /score", {"model": "risk-9"}),
        ("stock POST /reservations", {"depot": 77}),
        ("gateway-eu POST /charges", {"fee": 3_000, "extra": "new"}),
    ],
)
def test_an_answer_that_nothing_reads_changes_nothing(
    payments: list[Flow], kind: Folds, op: str, fields: dict[str, Scalar]
) -> None:
    seen = 0
    for recording in plain(payments, kind):
        if all(step.op != op for step in recording.steps):
            continue
        seen += 1
        result = altered(recording, kind, op, fields)
        assert result.verdict == "identical"
        assert result.digest != replay_recording(recording, kind).digest
    assert seen


def test_a_failure_put_in_is_retried_failed_over_or_undone(
    payments: list[Flow], kind: Folds
) -> None:
    recording = plain(payments, kind)[0]
    changed = alter(recording, "shipping POST /shipments", status="409")
    result = replay_recording(changed, kind, baseline=recording)
    extra = [d.replayed for d in result.divergences if d.kind == "extra_call"]
    ops = [item["op"] for item in extra if isinstance(item, dict)]
    assert any("refunds" in str(op) for op in ops)
    assert any("DELETE /reservations" in str(op) for op in ops)
    failed = next(step.step_id for step in recording.steps if step.op == "shipping POST /shipments")
    undone = [d for d in result.divergences if d.kind == "extra_call" and "DELETE" in d.step_id]
    assert {divergence.source for divergence in undone} == {failed}
    assert any(flag.startswith("missing_answer") for flag in result.flags)


@pytest.mark.parametrize("factor", [3, 10])
def test_a_slow_answer_moves_all_that_waits_for_it(
    payments: list[Flow], kind: Folds, factor: int
) -> None:
    recording = plain(payments, kind)[0]
    step = next(s for s in recording.steps if s.op == "shipping POST /shipments")
    slower = step.attempts[0].latency_ns * factor
    result = replay_recording(
        alter(recording, step.op, latency_ns=slower), kind, baseline=recording
    )
    assert {d.kind for d in result.divergences} == {"timing_changed"}
    mail = next(s for s in recording.steps if s.op == "mail POST /messages")
    assert result.divergences[0].step_id == mail.step_id


def test_every_altered_answer_gives_another_digest(payments: list[Flow], kind: Folds) -> None:
    recording = plain(payments, kind)[0]
    changes: list[Callable[[], Recording]] = [
        lambda: recording,
        lambda: alter(recording, "risk POST /score", fields={"score": 0.0123}),
        lambda: alter(recording, "risk POST /score", latency_ns=1),
        lambda: alter(recording, "mail POST /messages", status="503"),
    ]
    digests = {replay_recording(change(), kind).digest for change in changes}
    assert len(digests) == len(changes)


def test_a_request_value_that_the_user_calls_noise_is_not_compared(
    payments: list[Flow], kind: Folds
) -> None:
    recording = plain(payments, kind)[0]
    charged = next(s.op for s in recording.steps if s.op.endswith("POST /charges"))
    changed = alter(recording, charged, fields={"charge_id": "ch-other"})
    settings = ReplaySettings(noise=("request.char*",))
    result = replay_recording(changed, kind, baseline=recording, settings=settings)
    assert "request.charge" not in {d.path for d in result.divergences}
