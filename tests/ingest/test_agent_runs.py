"""Runs of agents, message by message: read as spans, their labels kept apart."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.limits import Limits
from ingest.reader import claimant, discover
from ingest.readers.tau_bench import READER as TAU_BENCH
from ingest.readers.who_and_when import READER as WHO_AND_WHEN
from ingest.told import told_by
from store.model import Rejected, Span
from tests.ingest.test_fuzz import check_read

ANSWERED: dict[str, Any] = {
    "is_correct": False,
    "question": "How many islands?",
    "question_ID": "q-1",
    "ground_truth": "3",
    "history": [
        {"content": "You are given a task: how many islands?", "name": "Planner", "role": "user"},
        {"content": "Run this\n```python\nprint(2)\n```", "name": "Coder", "role": "user"},
        {"content": "exitcode: 1 (execution failed)\nboom", "name": "Computer_terminal",
         "role": "user"},
        {"content": "I assume it is 2. TERMINATE", "name": "Coder", "role": "assistant"},
    ],
    "mistake_agent": "Coder",
    "mistake_step": "3",
    "mistake_reason": "guessed",
}  # fmt: skip
SERVED: dict[str, Any] = {
    "task_id": 4,
    "reward": 0.0,
    "trial": 1,
    "info": {"task": {"user_id": "mia", "instruction": "Cancel it.", "actions": []}},
    "traj": [
        {"role": "system", "content": "Be careful."},
        {"role": "user", "content": "Cancel it."},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function",
             "function": {"name": "cancel", "arguments": '{"id": "R1"}'}}]},
        {"role": "tool", "tool_call_id": "c1", "name": "cancel", "content": "Error: no such id"},
        {"role": "assistant", "content": "I could not."},
    ],
}  # fmt: skip


def read(reader: Any, value: object) -> list[Any]:
    return list(reader.read(io.BytesIO(json.dumps(value).encode()), Limits()))


def read_text(reader: Any, value: object) -> list[Span]:
    return [it for it in read(reader, value) if isinstance(it, Span)]


def evaluations(span: Span) -> dict[Any, Any]:
    return {event.attributes["gen_ai.evaluation.name"]: event.attributes for event in span.events}


def test_each_message_of_a_run_is_a_span_under_the_span_of_the_run() -> None:
    root, *messages = read_text(WHO_AND_WHEN, ANSWERED)
    assert root.parent_span_id is None
    assert root.attributes["retrospan.flow.outcome"] == "failed"
    assert root.attributes["retrospan.time.synthetic"] is True
    assert [it.name for it in messages] == [
        "chat Planner", "chat Coder", "execute_tool Computer_terminal", "chat Coder",
    ]  # fmt: skip
    assert {it.parent_span_id for it in messages} == {root.span_id}
    assert [it.attributes["retrospan.agent.turn"] for it in messages] == [0, 1, 2, 3]


def test_what_was_said_of_a_run_afterwards_is_an_evaluation_of_its_root_alone() -> None:
    root, *messages = read_text(WHO_AND_WHEN, ANSWERED)
    told = evaluations(root)
    assert told["decisive_step"]["gen_ai.evaluation.score.label"] == "Coder"
    assert told["decisive_step"]["gen_ai.evaluation.score.value"] == 3.0
    assert told["expected_answer"]["gen_ai.evaluation.score.label"] == "3"
    assert not any(it.events for it in messages)


def test_a_terminal_runs_the_code_of_the_message_before_it_and_may_fail() -> None:
    terminal = read_text(WHO_AND_WHEN, ANSWERED)[3]
    assert terminal.status == "error"
    assert terminal.attributes["gen_ai.tool.call.arguments"] == "print(2)\n"


def test_a_run_without_labels_is_read_and_nobody_is_said_to_have_failed() -> None:
    bare = {key: ANSWERED[key] for key in ("question", "history")}
    root, *messages = read_text(WHO_AND_WHEN, bare)
    assert len(messages) == 4
    assert "retrospan.flow.outcome" not in root.attributes
    assert root.events == ()


def test_asides_of_an_orchestrator_are_its_own_messages_and_people_are_no_agents() -> None:
    history = [
        {"content": "what is it?", "role": "human"},
        {"content": "plan", "role": "Orchestrator (thought)"},
        {"content": "go", "role": "Orchestrator (-> WebSurfer)"},
        {"content": "done", "role": "WebSurfer"},
    ]
    _, *messages = read_text(WHO_AND_WHEN, {"history": history, "question_ID": "q"})
    assert [it.attributes.get("gen_ai.agent.name") for it in messages] == [
        None, "Orchestrator", "Orchestrator", "WebSurfer",
    ]  # fmt: skip


def test_every_message_of_an_agent_is_a_decision() -> None:
    decisions = told_by(read_text(WHO_AND_WHEN, ANSWERED))
    assert [it.record["actor"]["agent"] for it in decisions] == ["Planner", "Coder", "Coder"]  # type: ignore[index,call-overload]
    assert decisions[2].chosen == "I assume it is 2. TERMINATE"


def test_a_tool_call_is_the_decision_and_its_answer_a_step_with_arguments_and_result() -> None:
    spans = read_text(TAU_BENCH, [SERVED])
    call, tool = spans[3], spans[4]
    assert told_by([call])[0].chosen == "cancel"
    assert tool.name == "execute_tool cancel"
    assert tool.status == "error"
    assert tool.attributes["gen_ai.tool.call.arguments"] == '{"id": "R1"}'
    assert tool.attributes["gen_ai.tool.call.result"] == "Error: no such id"


@pytest.mark.parametrize(
    ("reward", "outcome"), [(1.0, "succeeded"), (0.0, "failed"), (1, "succeeded")]
)
def test_a_reward_is_kept_and_says_how_the_run_ended(reward: float, outcome: str) -> None:
    root = read_text(TAU_BENCH, [{**SERVED, "reward": reward}])[0]
    assert root.attributes["retrospan.flow.outcome"] == outcome
    assert evaluations(root)["reward"]["gen_ai.evaluation.score.value"] == reward
    assert root.attributes["retrospan.agent.task"] == "4 mia"


def test_equal_runs_have_equal_ids_and_runs_of_one_task_other_ones() -> None:
    first = read_text(TAU_BENCH, [SERVED, {**SERVED, "trial": 2}])
    assert [it.span_id for it in first] == [
        it.span_id for it in read_text(TAU_BENCH, [SERVED, {**SERVED, "trial": 2}])
    ]
    assert len({it.trace_id for it in first}) == 2


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (WHO_AND_WHEN, {"history": [], "question": "?"}),
        (WHO_AND_WHEN, {"history": "no", "question": "?"}),
        (TAU_BENCH, {"task_id": 1, "reward": 1, "traj": []}),
        (TAU_BENCH, [{"traj": 5}]),
    ],
)
def test_what_holds_no_message_is_refused_with_a_reason(reader: Any, value: object) -> None:
    (found,) = read(reader, value)
    assert isinstance(found, Rejected)
    assert "a list of messages" in found.reason


@pytest.mark.parametrize("value", [ANSWERED, {"history": ANSWERED["history"]}, SERVED, [SERVED]])
def test_a_run_is_claimed_by_its_own_reader_alone(value: object) -> None:
    reader = claimant(json.dumps(value).encode(), discover())
    assert reader is not None
    assert reader.name == ("who_and_when" if "history" in str(value) else "tau_bench")


@pytest.mark.parametrize(
    "head",
    [
        b'{"history": {"events": [{"eventId": "1", "eventType": "WorkflowExecutionStarted"}]}}',
        b'{"history": [1, 2], "question": "?"}',
        b'{"messages": [{"role": "user", "content": "x"}], "question": "?"}',
        b'{"task_id": 1, "reward": 1}',
        b'{"traj": [{"role": "user"}]}',
        b'{"decision_id": "d", "result": true, "labels": {}, "history": []}',
    ],
)
def test_json_of_other_kinds_is_not_claimed(head: bytes) -> None:
    assert not WHO_AND_WHEN.sniff(head)
    assert not TAU_BENCH.sniff(head)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4), VALUES, VALUES)
def test_hostile_messages_become_spans_or_refusals_and_never_an_error(
    messages: list[Any], reward: Any, info: Any
) -> None:
    document = {"history": messages, "question": info, "mistake_step": reward}
    check_read("who_and_when", json.dumps(document).encode())
    served = {"task_id": info, "reward": reward, "info": info, "traj": messages}
    check_read("tau_bench", json.dumps(served).encode())
