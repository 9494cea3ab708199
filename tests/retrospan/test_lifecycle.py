"""`store upgrade` and `purge` on the command line, on recorded data."""

import gzip
from pathlib import Path

import duckdb
import pytest

from tests.retrospan.conftest import Command

ROOT = Path(__file__).parents[2]
LINES = 40


@pytest.fixture
def loaded(command: Command, tmp_path: Path) -> list[str]:
    """A store of some recorded payments; the ids of their flows."""
    recorded = ROOT / "sample_traces" / "payment-healthy" / "traces.jsonl.gz"
    with gzip.open(recorded, "rt") as stream:
        lines = [line for line, _ in zip(stream, range(LINES), strict=False)]
    (tmp_path / "traces.jsonl").write_text("".join(lines))
    assert command("ingest", "traces.jsonl").code == 0
    flows = command("flows", "list", "--json").document["flows"]
    assert len(flows) > 1
    return [flow["flow_id"] for flow in flows]


def test_an_old_store_is_upgraded_and_its_flows_are_derived(command: Command) -> None:
    with duckdb.connect("retrospan.duckdb") as connection:
        connection.execute((ROOT / "tests" / "store" / "old" / "v0.sql").read_text())
    said = command("flows", "list")
    assert said.code == 4
    said = command("store", "upgrade", "--json")
    assert said.code == 0, said.err
    assert said.document["rows"]["spans"] == 3
    assert Path(said.document["backup"]).is_file()
    assert "flows derived: 1" in said.err
    (flow,) = command("flows", "list", "--json").document["flows"]
    assert flow["span_count"] == 3
    again = command("store", "upgrade")
    assert (again.code, again.out) == (0, "schema 3 already: nothing to do\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ([], "--before TIME"),
        (["--before", "1d", "--flow", "x"], "not both"),
        (["--before", "soon"], "RFC 3339"),
    ],
)
def test_a_purge_says_what_it_needs_to_know(
    command: Command, db: Path, line: list[str], said: str
) -> None:
    assert db.is_file()
    told = command("purge", *line)
    assert (told.code, said in told.err) == (2, True), told.err


def test_a_purged_flow_does_not_come_back_with_its_file(
    command: Command, loaded: list[str]
) -> None:
    gone, *rest = loaded
    would = command("purge", "--flow", gone, "--dry-run", "--json").document
    assert (would["flows"], would["dry_run"]) == (1, True)
    said = command("purge", "--flow", gone, "--rewrite", "--json")
    assert said.code == 0, said.err
    assert said.document["spans"] == would["spans"] > 0
    assert said.document["bytes_freed"] is not None
    assert command("ingest", "traces.jsonl").code == 0
    left = [flow["flow_id"] for flow in command("flows", "list", "--json").document["flows"]]
    assert left == rest
    assert command("flows", "show", gone).code == 4
    assert command("purge", "--flow", gone).code == 4


def test_everything_before_the_end_of_the_data_can_be_purged(
    command: Command, loaded: list[str]
) -> None:
    assert loaded
    said = command("purge", "--before", "2100-01-01T00:00:00Z")
    assert said.out.startswith(f"purged: flows {len(loaded)}, ")
    assert command("flows", "list", "--json").document["flows"] == []
    assert command("purge", "--before", "2100-01-01T00:00:00Z").out == "purged: nothing\n"
