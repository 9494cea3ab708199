"""`findings list` shows what is fresh, `findings coverage` what each detector looked at."""

import json
from pathlib import Path

import pytest

from analyzer.population import PopulationSettings, judge_population
from store.lease import Store
from store.model import Batch
from store.write import write_batch
from tests.analyzer.builder import Recording
from tests.retrospan.conftest import Command


@pytest.mark.usefixtures("db")
def test_a_store_nobody_judged_says_so(command: Command) -> None:
    assert "have not run" in command("findings", "list").err
    told = json.loads(command("findings", "coverage", "--json").out)
    assert {row["scope"] for row in told["detectors"]} == {"flow"}


def test_what_each_detector_looked_at_is_listed_with_what_it_lacked(
    command: Command, db: Path
) -> None:
    judge_population(Store(db), PopulationSettings())
    said = command("findings", "coverage", "--json")
    rows = {row["detector"]: row for row in json.loads(said.out)["detectors"]}
    assert said.code == 0
    assert rows["retry_storm"]["examined"]["attempts"] > 0
    assert all(row["fresh"] for row in rows.values())
    assert rows["duplicate_effect"]["runbook"] == "docs/runbooks/duplicate_effect.md"
    assert "findings coverage" in command("findings", "list").err


def test_after_new_data_findings_of_many_flows_are_withheld_and_it_is_said(
    command: Command, db: Path
) -> None:
    judge_population(Store(db), PopulationSettings())
    late = Recording(flow_id="late", trace="e" * 32)
    batch = Batch(
        source="t", content_sha256="late", reader="t/1", rules_sha256="0", spans=late.all_spans()
    )
    with Store(db).lease("test") as session:
        write_batch(session, batch)
    said = command("findings", "list", "--json")
    assert {row["scope"] for row in json.loads(said.out)["findings"]} <= {"flow"}
    assert "are not shown" in said.err
    told = json.loads(command("findings", "coverage", "--json").out)["detectors"]
    assert {row["fresh"] for row in told if row["scope"] == "population"} == {False}


@pytest.mark.usefixtures("db")
def test_the_gravest_come_first_and_each_names_its_runbook(command: Command) -> None:
    rows = json.loads(command("findings", "list", "--json").out)["findings"]
    order = ["critical", "warning", "info"]
    assert [row["severity"] for row in rows] == sorted(
        (row["severity"] for row in rows), key=order.index
    )
    assert all(row["runbook"] == f"docs/runbooks/{row['detector']}.md" for row in rows)


@pytest.mark.usefixtures("db")
def test_selecting_flows_leaves_many_flows_out_and_says_so(command: Command) -> None:
    assert "left out" in command("findings", "list", "--service", "orders").err
