"""The governance commands say what they measured, of how many, and what they could not tell."""

import json
from pathlib import Path

import pytest

from tests.retrospan.conftest import Command

SAME = """
schema: retrospan.policy/1
id: p
version: v1
rules: []
default: escalate
"""


def policy(text: str = SAME) -> str:
    Path("policy.yaml").write_text(text)
    return "policy.yaml"


@pytest.mark.usefixtures("db")
def test_a_report_is_the_same_every_time_and_every_metric_bears_its_n(command: Command) -> None:
    said = command("governance", "report", "--json")
    assert said.code == 0
    assert said.out == command("governance", "report", "--json").out
    measures = said.document["metrics"]
    assert len({row["metric"] for row in measures}) > 30
    for row in measures:
        assert row["n"] > 0 or row["value"] is None, row["metric"]
        if row["status"] == "measured":
            assert row["low"] <= row["value"] <= row["high"], row["metric"]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("by", ["model", "policy", "arm", "flow"])
def test_slices_name_what_they_are_of(command: Command, by: str) -> None:
    said = command("governance", "report", "--by", by, "--json")
    assert said.code == 0
    assert all(set(row["filter"]) == {by} for row in said.document["metrics"])


@pytest.mark.usefixtures("db")
def test_the_risk_document_supports_evidence_and_claims_no_compliance(command: Command) -> None:
    assert command("governance", "report", "--for", "risk", "-o", "risk.md").code == 0
    text = Path("risk.md").read_text()
    assert text.count("## ") > 8
    assert text.count("What is not here: ") == text.count("Asks that ")
    assert text.count("Supports evidence for it:") + text.count(
        "Nothing is measured."
    ) == text.count("Asks that ")
    assert "no finding that a duty is met" in text
    assert "complian" not in text.lower()


@pytest.mark.usefixtures("db")
def test_options_that_do_not_go_together_are_refused(command: Command) -> None:
    assert command("governance", "report", "-o", "x.md").code == 2
    assert command("governance", "report", "--for", "risk", "--by", "model").code == 2
    assert command("governance", "backtest", "--policy", policy(), "--rule", "data.a").code == 2


@pytest.mark.usefixtures("db")
def test_what_is_set_is_checked_by_name(command: Command) -> None:
    Path("retrospan.toml").write_text("[governance]\nresample = 3\n")
    said = command("governance", "report")
    assert said.code == 2
    assert "[governance] may not have resample" in said.err
    Path("retrospan.toml").write_text('[governance]\nprices = "gone.toml"\n')
    assert "gone.toml" in command("governance", "report").err


@pytest.mark.usefixtures("db")
def test_a_policy_that_changed_fails_the_cases_it_breaks(command: Command) -> None:
    assert command("governance", "cases", "-o", "cases.jsonl").code == 0
    cases = [json.loads(line) for line in Path("cases.jsonl").read_text().splitlines()]
    assert cases
    outcomes = {case["outcome"] for case in cases}
    for outcome in ("allow", "deny"):
        text = SAME.replace("escalate", outcome)
        said = command(
            "governance", "test", "--policy", policy(text), "--cases", "cases.jsonl", "--json"
        )
        broken = [case for case in cases if case["outcome"] != outcome]
        assert said.code == (3 if broken else 0)
        assert len(said.document["failed"]) == len(broken)
    assert outcomes <= {"allow", "deny", "escalate", "modify"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no case"),
        ("{", "line 1 is no JSON"),
        ("{}", "is no case"),
        ('{"schema": "retrospan.policy_case/1", "facts": {}}', "needs facts"),
        (
            '{"schema": "retrospan.policy_case/1", "facts": {"x": 1}, "outcome": "deny"}',
            "no policy reads x",
        ),
    ],
)
def test_bad_cases_are_refused_by_line(command: Command, text: str, said: str) -> None:
    Path("cases.jsonl").write_text(text)
    found = command("governance", "test", "--policy", policy(), "--cases", "cases.jsonl")
    assert found.code == 4
    assert said in found.err
