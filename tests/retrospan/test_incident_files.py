"""Causes are kept with their incident while they hold; files given for it reach its report."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from replay.settings import ReplaySettings
from retrospan.causes import causes_of, kept_causes
from retrospan.cli import run
from retrospan.edge import Edge
from store import read
from store.incident_records import read_incident_inputs
from tests.retrospan.conftest import Command

SAMPLE = Path(__file__).resolve().parents[2] / "sample_traces" / "payment-brownout"
SECRET = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the sample and the incident found in it."""
    path = tmp_path_factory.mktemp("sample") / "retrospan.duckdb"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CONFIG_HOME", str(path.parent))
        for line in (["ingest", str(SAMPLE)], ["incidents", "find"]):
            assert run(["-q", "--db", str(path), *line]) == 0
    return path


@pytest.fixture
def incident(command: Command, loaded: Path) -> tuple[str, int]:
    """The incident found in the sample: its id and start."""
    here = Path("retrospan.duckdb")
    here.write_bytes(loaded.read_bytes())
    here.chmod(0o600)
    (found,) = command("incidents", "list", "--json").document["incidents"]
    return found["incident_id"], found["start_ns"]


def at(start_ns: int, seconds: int) -> str:
    moment = datetime.fromtimestamp(start_ns // 1_000_000_000, UTC) + timedelta(seconds=seconds)
    return moment.isoformat()


def write_files(folder: Path, start_ns: int) -> tuple[Path, Path]:
    """A change before the incident with a secret in it, one long ago; a metric that saturates."""
    changes, metrics = folder / "changes.json", folder / "cpu.csv"
    changes.write_text(
        json.dumps(
            [
                {
                    "at": at(start_ns, -20),
                    "kind": "deploy",
                    "service": "gateway-eu",
                    "name": "acquirer-pool-4",
                    "text": f"acquirer connection pool, token={SECRET}",
                },
                {"at": "2001-01-01T00:00:00Z", "kind": "deploy", "service": "x", "name": "old"},
            ]
        )
    )
    rows = [
        f"{at(start_ns, second)},gateway-eu,cpu_percent,{98 if second >= 0 else 20 + second % 3}"
        for second in range(-60, 40, 2)
    ]
    metrics.write_text("\n".join(["timestamp,service,metric,value", *rows]))
    return changes, metrics


def edge() -> Edge:
    return Edge(db=Path("retrospan.duckdb"), config=None, quiet=True)


def test_causes_are_kept_until_the_data_changes(
    command: Command, incident: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    incident_id, _ = incident
    first = command("incidents", "show", incident_id, "--json")
    (listed,) = command("incidents", "list", "--json").document["incidents"]
    assert listed["candidates"] == first.document["incidents"][0]["candidates"]

    def never(*_: object, **__: object) -> None:
        raise AssertionError("causes that still hold were looked for again")

    with monkeypatch.context() as patched:
        patched.setattr("retrospan.causes.rank", never)
        assert command("incidents", "show", incident_id, "--json").document == first.document
        with pytest.raises(AssertionError, match="looked for again"):
            causes_of(edge(), incident_id, anew=True)
    with edge().lease("purging") as session:
        stored = read.read_incident(session, incident_id)
        assert kept_causes(session, stored, ReplaySettings()) is not None
        assert kept_causes(session, stored, ReplaySettings(folds=3)) is None
    flow_id = stored.flow_ids[0]
    assert command("purge", "--flow", flow_id).code == 0
    with edge().lease("looking") as session:
        stored = read.read_incident(session, incident_id)
        assert kept_causes(session, stored, ReplaySettings()) is None
    (after,) = command("incidents", "list", "--json").document["incidents"]
    assert after["candidates"] == []


def test_files_given_for_an_incident_reach_its_report_and_are_verified(
    command: Command, incident: tuple[str, int], tmp_path: Path
) -> None:
    incident_id, start_ns = incident
    changes, metrics = write_files(tmp_path, start_ns)
    shown = command(
        *("incidents", "show", incident_id, "--json"), "--changes", changes, "--metrics", metrics
    ).document["incidents"][0]
    assert [(one["kind"], one["name"], one["records"]) for one in shown["inputs"]] == [
        ("changes", "changes.json", 1),
        ("metrics", "cpu.csv", 50),
    ]
    first = shown["candidates"][0]
    assert (first["name"], "measurements" in first["parts"]) == ("gateway-eu", True)
    assert "acquirer-pool-4" in {change["name"] for change in shown["changes"]}
    with edge().lease("looking") as session:
        kept = read_incident_inputs(session, incident_id)
    assert SECRET not in "".join(one.content for one in kept)

    changes.unlink()
    metrics.unlink()
    report = tmp_path / "report.md"
    assert command("report", "write", incident_id, "-o", report).code == 0
    text = report.read_text()
    assert "deploy gateway-eu acquirer-pool-4" in text
    assert "Of the changes file `changes.json` that was given" in text
    verified = command("report", "verify", report, "--json")
    assert (verified.code, verified.document["drifted"]) == (0, [])

    assert command("incidents", "show", incident_id, "--forget-files").code == 0
    again = command("report", "verify", report, "--json")
    assert again.code == 3
    assert again.document["drifted"]


def test_a_file_of_another_time_is_refused_by_name(
    command: Command, incident: tuple[str, int], tmp_path: Path
) -> None:
    old = tmp_path / "old.csv"
    old.write_text("timestamp,service,metric,value\n2001-01-01T00:00:00Z,a,cpu,1\n")
    refused = command("incidents", "show", incident[0], "--metrics", old)
    assert refused.code == 4
    assert "old.csv: nothing in it lies around incident" in refused.err
