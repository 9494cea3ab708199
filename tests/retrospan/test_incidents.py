"""Incidents are found by behaviour, and shown with causes that replays have tried."""

from pathlib import Path

import pytest

from retrospan.incident import found
from tests.retrospan import world
from tests.retrospan.conftest import Command

SAMPLE = Path(__file__).resolve().parents[2] / "sample_traces" / "payment-brownout"


def test_few_flows_are_no_incident() -> None:
    assert found([world.flow(1), world.flow(2)], [world.saga(1)], []) == []


@pytest.fixture
def brownout(command: Command) -> str:
    """The id of the incident that is found in the sample."""
    assert command("ingest", SAMPLE).code == 0
    said = command("incidents", "find", "--json")
    assert said.code == 0
    (incident,) = said.document["incidents"]
    again = command("incidents", "find", "--json")
    assert again.document == said.document
    assert incident["start_ns"] < incident["detected_ns"] < incident["mitigated_ns"]
    return str(incident["incident_id"])


def test_the_brownout_is_found_once_and_its_cause_confirmed(
    command: Command, brownout: str, tmp_path: Path
) -> None:
    shown = command("incidents", "show", brownout, "--json")
    (incident,) = shown.document["incidents"]
    candidates = incident["candidates"]
    assert (candidates[0]["name"], candidates[0]["confirmed"]) == ("gateway-eu", "confirmed")
    services = {one["name"]: one["confirmed"] for one in candidates if one["kind"] == "service"}
    assert [name for name, status in services.items() if status == "confirmed"] == ["gateway-eu"]
    changed = {one["name"]: one for one in candidates if one["kind"] in ("policy", "version")}
    assert changed["policy payment-risk v7"]["confirmed"] == "confirmed"
    assert "cannot be told apart" in changed["policy payment-risk v7"]["reason"]
    assert changed["orchestrator 2.4.0"]["confirmed"] == "confirmed"
    assert candidates[0]["parts"]["self_time"]["n"] > 100
    assert incident["impact"]["contained_by"]["service"] == "gateway-eu"
    assert {"v7", "2.4.0"} <= {change["name"] for change in incident["changes"]}

    changes = tmp_path / "changes.json"
    changes.write_text(
        '[{"at": "2020-01-01T00:00:00", "kind": "deploy", "service": "a", "name": "b"}]'
    )
    refused = command("incidents", "show", brownout, "--changes", changes)
    assert refused.code == 4
    assert "change 1" in refused.err

    page = command("incidents", "show", brownout, "--no-confirm")
    assert page.code == 0
    assert "1. service gateway-eu" in page.out
    assert "untested" in page.out
