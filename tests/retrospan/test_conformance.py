"""`conformance report`, `quality report` and `flows contrast` as a person runs them."""

from pathlib import Path

import pytest

from tests.retrospan.conftest import Command

pytestmark = pytest.mark.usefixtures("db")


def declare(text: str) -> None:
    Path("retrospan.toml").write_text(text)


def test_a_broken_rule_ends_with_exit_code_3_and_names_the_pair(command: Command) -> None:
    declare('[conformance]\nallowed_calls = ["a -> b"]\n')
    said = command("conformance", "report", "--report", "allowed_calls")
    assert said.code == 3
    assert "orchestrator -> payment" in said.out


def test_nothing_declared_is_shown_and_ends_well(command: Command) -> None:
    said = command("conformance", "report")
    assert said.code == 0
    assert "Coupling of services [coupling]: not applicable" in said.out


def test_a_report_that_is_not_there_lists_those_that_are(command: Command) -> None:
    said = command("conformance", "report", "--report", "weather")
    assert said.code == 2
    assert "boundary" in said.err


def test_a_convention_file_lies_beside_the_configuration(command: Command) -> None:
    declare('[conformance]\nconvention_file = "rules.toml"\n')
    assert command("conformance", "report").code == 2
    Path("rules.toml").write_text('[[rules]]\nname = "a"\nattribute = "b"\n')
    said = command("conformance", "report", "--report", "conventions")
    assert said.code == 0
    assert "1 rules" in said.out


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[rules]]\nname = 'a'\n", "rule 1 has name and attribute"),
        ("[[rules]]\nname = 'a'\nattribute = 'b'\npattern = '('\n", "pattern"),
        ("[[rules]]\nname = 'a'\nattribute = 3\n", "all values are text"),
        ("rules = 3\n", "[[rules]]"),
        ("[[rules\n", "is not TOML"),
        (
            "[[rules]]\nname='a'\nattribute='b'\n[[rules]]\nname='a'\nattribute='c'\n",
            "more than one",
        ),
    ],
)
def test_a_convention_file_that_cannot_be_is_refused(
    command: Command, text: str, fault: str
) -> None:
    declare('[conformance]\nconvention_file = "rules.toml"\n')
    Path("rules.toml").write_text(text)
    said = command("conformance", "report")
    assert said.code == 2
    assert "rules.toml" in said.err
    assert fault in said.err


def test_the_forms_of_a_report_agree(command: Command) -> None:
    document = command("conformance", "report", "--json").document
    lines = command("conformance", "report", "--format", "jsonl").out.splitlines()
    assert len(lines) == len(document["reports"])
    head, *rows = command("conformance", "report", "--format", "csv").out.splitlines()
    assert head.startswith("report,verdict")
    assert len(rows) == len(lines)


def test_quality_of_flows_without_spans_says_what_it_looked_at(command: Command) -> None:
    said = command("quality", "report")
    assert said.code == 0
    assert "Looked at 0 spans" in said.out
    assert "decision_without_span" in said.out


def test_the_contrast_of_flows_finds_what_only_the_failed_have(command: Command) -> None:
    said = command("flows", "contrast")
    assert said.code == 0
    assert "6 against 34 flows" in said.out
    assert "notify at payment" in said.out


def test_a_group_made_by_hand_is_not_explained_by_itself(command: Command) -> None:
    document = command(
        "flows", "contrast", "--selected", "outcome=partially_compensated", "--json"
    ).document
    assert (document["n_selected"], document["n_baseline"]) == (6, 34)
    assert all(row["attribute"] != "outcome" for row in document["values"])


def test_an_empty_group_is_told_and_gives_no_values(command: Command) -> None:
    said = command("flows", "contrast", "--selected", "version=9", "--json")
    assert said.code == 0
    assert "empty" in said.err
    assert said.document["values"] == []


@pytest.mark.parametrize(
    "options",
    [
        ("--by", "slow", "--after", "1m"),
        ("--after", "1m", "--selected", "name=a"),
        ("--baseline", "name=a"),
        ("--selected", "name"),
    ],
)
def test_groups_that_contradict_each_other_are_refused(
    command: Command, options: tuple[str, ...]
) -> None:
    assert command("flows", "contrast", *options).code == 2


def test_an_incident_is_compared_with_the_time_before_it(command: Command) -> None:
    document = command("flows", "contrast", "--incident", "inc-1", "--json").document
    assert (document["n_selected"], document["n_baseline"], document["n_neither"]) == (6, 20, 14)


def test_names_out_of_the_data_cannot_steer_a_terminal(command: Command) -> None:
    said = command("flows", "contrast", "--selected", "name=\x1b[2Jpayment")
    assert "\x1b" not in said.out
    declare('[conformance.paths."\\u001b[2J"]\nold = "a b"\nnew = "a c"\n')
    shown = command("conformance", "report", "--report", "paths")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert "\\x1b" in shown.out
