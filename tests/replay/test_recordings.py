"""What is kept of a flow, and how it travels."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replay.leaves import flatten
from replay.recording import Recording, alter, from_json, recording_of, to_json
from store.conclusions import Flow, FlowOutcome
from store.errors import DataError
from store.model import JsonValue
from tests.replay.kinds import true_flow


def test_only_what_the_flows_own_caller_did_is_recorded(payments: list[Flow]) -> None:
    for flow in payments[:20]:
        assert any(step.parent_step_id for step in flow.steps)
        recording = recording_of(flow)
        assert "database SELECT" not in {step.op for step in recording.steps}
        assert len(recording.steps) == len(flow.steps) - 1


def test_times_are_relative_to_the_flows_start(payments: list[Flow]) -> None:
    for flow in payments[:20]:
        recording = recording_of(flow)
        starts = [a.start_ns for step in recording.steps for a in step.attempts]
        assert 0 < min(starts) < 100_000_000
        assert flow.end_ns is not None
        assert recording.duration_ns == flow.end_ns - flow.start_ns


def test_a_recording_survives_the_way_through_json(payments: list[Flow]) -> None:
    for flow in payments[:20]:
        recording = recording_of(flow)
        again = from_json(to_json(recording))
        assert again == recording
        assert to_json(again) == to_json(recording)


def test_an_unknown_format_version_is_refused(payments: list[Flow]) -> None:
    document = json.loads(to_json(recording_of(payments[0])))
    document["format"] = "retrospan.recording/2"
    with pytest.raises(DataError, match=r"retrospan\.recording/2"):
        from_json(json.dumps(document))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "retrospan.recording/1"}', "nonsense"]
)
def test_a_broken_document_is_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(DataError):
        from_json(text)


def test_unknown_fields_are_refused(payments: list[Flow]) -> None:
    document = json.loads(to_json(recording_of(payments[0])))
    document["colour"] = "red"
    with pytest.raises(DataError, match="colour"):
        from_json(json.dumps(document))


def test_an_altered_answer_leaves_the_rest_alone(payments: list[Flow]) -> None:
    recording = recording_of(payments[0])
    changed = alter(
        recording, "risk POST /score", status="503", latency_ns=5, fields={"score": 1.5}
    )
    attempt = next(s for s in changed.steps if s.op == "risk POST /score").attempts[0]
    assert (attempt.status, attempt.latency_ns) == ("503", 5)
    assert attempt.response["score"] == 1.5
    others = [step for step in changed.steps if step.op != "risk POST /score"]
    assert others == [step for step in recording.steps if step.op != "risk POST /score"]


def test_altering_an_answer_that_is_not_there_names_those_that_are(payments: list[Flow]) -> None:
    with pytest.raises(DataError, match="risk POST /score"):
        alter(recording_of(payments[0]), "nowhere", status="ok")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"end_ns": None}, "no recorded end"),
        ({"replayability": "R1", "evidence_gaps": ["sampled"]}, "sampled"),
        ({"replayability": "R0"}, "R0"),
        ({"outcome": FlowOutcome.IN_PROGRESS}, "in_progress"),
        ({"steps": []}, "no top-level step"),
        ({"service": "someone-else"}, "no top-level step"),
    ],
)
def test_a_partial_flow_says_why_it_cannot_be_replayed(
    payments: list[Flow], changes: dict[str, object], why: str
) -> None:
    flow = dataclasses.replace(payments[0], **changes)  # type: ignore[arg-type]
    assert why in recording_of(flow).unusable


def test_an_attempt_without_an_end_makes_a_recording_unusable() -> None:
    flow = true_flow("claims", 0)
    step = flow.steps[0]
    cut = dataclasses.replace(step.attempts[-1], end_ns=None)
    steps = [dataclasses.replace(step, attempts=[*step.attempts[:-1], cut]), *flow.steps[1:]]
    recording: Recording = recording_of(dataclasses.replace(flow, steps=steps))
    assert "no recorded end" in recording.unusable


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values: st.SearchStrategy[JsonValue] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


@given(json_values)
def test_any_json_value_flattens_to_scalars(value: JsonValue) -> None:
    for path, leaf in flatten(value).items():
        assert path
        assert leaf is None or isinstance(leaf, bool | int | float | str)


def test_decimal_text_becomes_a_number_and_other_text_stays() -> None:
    leaves = flatten({"a": "0.71", "b": "007", "c": "1e3", "d": "12", "e": "-3.5"})
    assert leaves == {"a": 0.71, "b": "007", "c": "1e3", "d": "12", "e": -3.5}
