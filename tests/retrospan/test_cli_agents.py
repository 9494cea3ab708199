"""A run of agents is loaded, listed, and asked for the step that decided it, as a user would."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.retrospan.conftest import Command

QUESTION = {
    "question": "How many islands?",
    "question_ID": "q-1",
    "is_correct": False,
    "history": [
        {"content": text, "name": name, "role": "user"}
        for name, text in (
            ("Asker", "You are given a task: how many islands are there?"),
            ("Counter", "Let me look at the list of them first, then count."),
            ("Guesser", "I assume there are 412 of them, as is typical of such seas."),
            ("Checker", "The final answer is 412.\nTERMINATE"),
        )
    ],
    "mistake_agent": "Checker",
    "mistake_step": "3",
}


def trajectory(trial: int, reward: float, seat: str) -> dict[str, Any]:
    call = {"id": "c", "type": "function",
            "function": {"name": "book_seat", "arguments": json.dumps({"seat": seat})}}  # fmt: skip
    return {
        "task_id": 1, "trial": trial, "reward": reward, "info": {"task": {"user_id": "mia"}},
        "traj": [
            {"role": "user", "content": "A seat at the window, please."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "name": "book_seat", "content": "done"},
            {"role": "assistant", "content": "Your seat is booked."},
        ],
    }  # fmt: skip


@pytest.fixture
def loaded(command: Command) -> Command:
    Path("question.json").write_text(json.dumps(QUESTION))
    Path("served.json").write_text(
        json.dumps([trajectory(0, 0.0, "12C"), trajectory(1, 1.0, "12A")])
    )
    assert command("ingest", "question.json", "served.json").code == 0
    return command


def flow_id(loaded: Command, name: str, outcome: str) -> str:
    flows = loaded("flows", "list", "--outcome", outcome, "--json").document["flows"]
    (found,) = [flow["flow_id"] for flow in flows if flow["name"] == name]
    assert isinstance(found, str)
    return found


def test_every_message_of_an_agent_is_listed_as_a_decision(loaded: Command) -> None:
    decisions = loaded("decisions", "list", "--json").document["decisions"]
    assert [it["actor"]["agent"] for it in decisions].count("agent") == 4
    assert {it["flow_id"] for it in decisions} == {
        flow["flow_id"] for flow in loaded("flows", "list", "--json").document["flows"]
    }
    assert {"Asker", "Counter", "Guesser", "Checker"} < {it["actor"]["agent"] for it in decisions}


def test_the_step_that_guessed_is_named_whatever_the_label_says(loaded: Command) -> None:
    run = flow_id(loaded, "agents answer a question", "failed")
    found = loaded("governance", "decisive", run, "--json").document
    assert (found["method"], found["agent"]) == ("signs", "Guesser")
    assert found["step"]["turn"] == 2
    assert "assumes, simulates or estimates" in found["candidates"][0]["reasons"]
    said = loaded("governance", "decisive", run).out
    assert "decisive step: message 2 of Guesser" in said


def test_what_the_run_that_succeeded_did_not_do_is_named(loaded: Command) -> None:
    failed = flow_id(loaded, "agent serves a customer", "failed")
    found = loaded("governance", "decisive", failed, "--json").document
    assert (found["method"], found["peers"], found["step"]["turn"]) == ("contrast", 1, 1)
    assert "its call of book_seat is the first that no run which succeeded" in found["why"]
    good = flow_id(loaded, "agent serves a customer", "succeeded")
    fine = loaded("governance", "decisive", good, "--json").document
    assert (fine["step"], fine["agent"], fine["method"]) == (None, None, "none")


def test_candidates_are_a_list_for_other_programs_and_an_unknown_flow_is_named(
    loaded: Command,
) -> None:
    run = flow_id(loaded, "agents answer a question", "failed")
    lines = loaded("governance", "decisive", run, "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["rank"] for line in lines] == [1, 2, 3, 4]
    missing = loaded("governance", "decisive", "nowhere")
    assert missing.code == 4
    assert "nowhere" in missing.err


def test_evaluations_of_flags_are_listed_by_their_kind_and_hinted_at(command: Command) -> None:
    log = {
        "timeUnixNano": "1772618400000000000", "traceId": "1" * 32, "spanId": "2" * 16,
        "eventName": "feature_flag.evaluation",
        "attributes": [{"key": "feature_flag.key", "value": {"stringValue": "dark"}},
                       {"key": "feature_flag.result.variant", "value": {"stringValue": "on"}}],
    }  # fmt: skip
    Path("logs.json").write_text(
        json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]})
    )
    assert command("ingest", "logs.json").code == 0
    (found,) = command("decisions", "list", "--kind", "flag", "--json").document["decisions"]
    assert (found["kind"], found["source"], found["feature_flags"]) == (
        "flag",
        "log",
        {"dark": "on"},
    )
    assert "dark=on" in command("decisions", "list", "--kind", "all").out
    assert "1 evaluations of feature flags" in command("decisions", "list").err
