"""Lists select, print every form, and end with the contract's exit codes."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from retrospan.edge import worst
from store import read, write
from store.lease import Store
from tests.retrospan import world
from tests.retrospan.conftest import Command
from tests.retrospan.test_contract import schema


@pytest.mark.usefixtures("db")
def test_flows_are_listed_as_a_table_on_standard_output(command: Command) -> None:
    said = command("flows", "list", "--limit", 2)
    assert (said.code, said.err) == (0, "the first 2; --limit shows more\n")
    assert "flow-000" in said.out and "flow-001" in said.out and "flow-002" not in said.out
    assert "duration" in said.out and "5.00 s" in said.out


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--outcome", "partially_compensated"], 6),
        (["--service", "payment"], 40),
        (["--service", "nobody"], 0),
        (["--where", "name=payment"], 40),
        (["--where", "step_count=4"], 6),
        (["--where", "complete=false"], 0),
        (["--where", "http.route=/pay"], 0),
        (["--since", "2026-03-04T10:06:00Z"], 4),
        (["--since", "2026-03-04T11:06:00+01:00", "--until", "2026-03-04T10:06:10Z"], 1),
        (["--limit", "7"], 7),
    ],
)
def test_options_select_flows(command: Command, options: list[str], count: int) -> None:
    assert len(command("flows", "list", "--json", *options).document["flows"]) == count


@pytest.mark.usefixtures("db")
def test_relative_times_count_back_from_the_end_of_the_data_not_from_now(command: Command) -> None:
    rows = command("decisions", "list", "--since", "60s", "--json").document["decisions"]
    assert 0 < len(rows) < world.FLOWS


@pytest.mark.usefixtures("db")
def test_json_lines_and_csv_hold_the_same_rows_as_the_document(command: Command) -> None:
    document = command("flows", "list", "--json").document["flows"]
    lines = command("flows", "list", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == document
    cells = list(csv.DictReader(io.StringIO(command("flows", "list", "--format", "csv").out)))
    assert [row["flow_id"] for row in cells] == [flow["flow_id"] for flow in document]
    assert cells[0]["trace_ids"] == world.trace_id(0)


@pytest.mark.usefixtures("db")
def test_documents_are_ascii_sorted_and_the_same_twice(command: Command) -> None:
    first, second = command("sagas", "list", "--json"), command("sagas", "list", "--json")
    assert first.out == second.out
    assert first.out.isascii()
    assert first.out.strip() == json.dumps(first.document, indent=2, sort_keys=True)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("noun", ["flows", "sagas", "decisions", "recordings"])
def test_a_limit_gives_the_first_rows_of_the_whole_list_and_the_same_exit_code(
    command: Command, noun: str
) -> None:
    whole = command(noun, "list", "--json")
    cut = command(noun, "list", "--limit", 1, "--json")
    assert cut.document[noun] == whole.document[noun][:1]
    assert len(whole.document[noun]) > 1
    assert cut.code == whole.code
    assert ("--limit shows more" in cut.err, "--limit shows more" in whole.err) == (True, False)


@pytest.mark.usefixtures("db")
def test_a_listed_violation_ends_with_three_and_a_clean_selection_with_zero(
    command: Command,
) -> None:
    assert command("sagas", "list").code == 3
    assert command("sagas", "list", "--where", "verdict=pass").code == 0
    assert command("findings", "list").code == 3
    assert command("flows", "list").code == 0


@pytest.mark.usefixtures("db")
def test_effects_left_standing_can_be_taken_as_csv(command: Command) -> None:
    said = command("sagas", "list", "--residual", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert [row["flow_id"] for row in rows] == [f"flow-{index:03d}" for index in world.BAD]
    assert {(row["amount"], row["currency"]) for row in rows} == {("12.50", "EUR")}


@pytest.mark.usefixtures("db")
def test_a_flow_is_shown_with_its_steps(command: Command) -> None:
    said = command("flows", "show", "flow-020")
    assert said.code == 0
    assert "partially_compensated" in said.out and "release" in said.out
    document = command("flows", "show", "flow-020", "--json").document
    assert [step["name"] for step in document["steps"]] == [
        "reserve",
        "charge",
        "notify",
        "release",
    ]


@pytest.mark.usefixtures("db")
def test_an_unknown_flow_shows_the_nearest_ids_and_ends_with_four(command: Command) -> None:
    said = command("flows", "show", "flow-0200")
    assert (said.code, said.out) == (4, "")
    assert "flow-020" in said.err and len(said.err.splitlines()) == 1


@pytest.mark.usefixtures("db")
def test_a_declared_incident_holds_the_affected_flows_and_is_listed(command: Command) -> None:
    said = command(
        "incidents", "declare", "--from", "2026-03-04T10:03:20Z", "--to", "2026-03-04T10:04:00Z",
        "--title", "Kept", "--json",
    )  # fmt: skip
    (incident,) = said.document["incidents"]
    assert said.code == 0
    assert incident["flow_count"] == 5
    assert incident["services"] == ["orchestrator", "payment"]
    listed = command("incidents", "list", "--json").document["incidents"]
    assert incident["incident_id"] in [row["incident_id"] for row in listed]
    shown = command("incidents", "show", incident["incident_id"])
    assert "Kept" in shown.out


@pytest.mark.usefixtures("db")
def test_declaring_the_same_window_twice_is_one_incident(command: Command) -> None:
    window = ("incidents", "declare", "--from", "1h", "--to", "0s", "--json")
    assert command(*window).out == command(*window).out
    assert len(command("incidents", "list", "--json").document["incidents"]) == 2


def test_an_empty_list_says_what_to_do_on_standard_error(command: Command, db: Path) -> None:
    said = command("flows", "list", "--service", "nobody", "--db", db)
    assert (said.code, said.out) == (0, "")
    assert "retrospan ingest" in said.err


@pytest.mark.usefixtures("db")
def test_reports_are_written_in_the_form_of_their_name_and_the_same_twice(
    command: Command, tmp_path: Path
) -> None:
    for _ in range(2):
        said = command("report", "write", "inc-1", "-o", tmp_path / "a.md", "--all")
        assert (said.code, said.out) == (0, "")
    first = (tmp_path / "a.md").read_bytes()
    command("report", "write", "inc-1", "-o", tmp_path / "b.md")
    assert (tmp_path / "b.md").read_bytes() == first
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
    assert not (tmp_path / "b.html").exists()


@pytest.mark.usefixtures("db")
def test_a_replay_is_stored_and_a_flow_without_enough_of_its_kind_ends_with_four(
    command: Command, db: Path
) -> None:
    rare = replace(world.flow(60), flow_id="rare", name="rare")
    with Store(db).lease("test") as session:
        assert write.replace_flows(
            session,
            generation=read.counts(session).generation,
            flows=[rare],
            members={},
            sagas=[],
            findings=[],
            code_digest="hand",
        )
    said = command("replay", "run", "flow-001", "rare")
    assert said.code == 4
    assert "too few" in said.out
    with Store(db).lease("test") as session:
        stored = {result.flow_id: result.verdict for result in read.read_replays(session)}
    assert (stored["flow-001"], stored["rare"]) == ("identical", "unreplayable")


def test_a_back_test_says_which_flows_it_compares(command: Command, db: Path) -> None:
    flows = [replace(world.flow(at), version=f"{1 + at % 2}.0") for at in range(1, 60)]
    with Store(db).lease("test") as session:
        assert write.replace_flows(
            session, generation=read.counts(session).generation, flows=flows, members={},
            sagas=[], findings=[], code_digest="hand",
        )  # fmt: skip
    line = ["replay", "batch", "--workers", "1", "--backtest", "2.0"]
    document = json.loads(command(*line, "--json").out)
    Draft202012Validator(schema("replay_outcomes")).validate(document)
    compared = document["backtest"]
    assert compared["side_by_side"]["beside"] == "1.0"
    assert (compared["before"], compared["predicted"], compared["real"]) == (29, 0, 29)
    said = command(*line).out
    assert said.startswith("answer    none: nothing could be predicted\n")
    assert "while 1.0 and 2.0 ran" in said


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["replay", "run"], 2),
        (["replay", "run", "flow-001", "--all"], 2),
        (["replay", "run", "nothing"], 4),
        (["replay", "run", "flow-001", "--scenario", "absent.yaml"], 4),
    ],
)
def test_a_replay_of_nothing_known_is_refused(command: Command, line: list[str], code: int) -> None:
    assert command(*line).code == code


def test_bad_data_wins_over_a_violation() -> None:
    assert worst(violation=True, bad_data=True) == 4
    assert worst(violation=True) == 3
    assert worst(violation=False) == 0
