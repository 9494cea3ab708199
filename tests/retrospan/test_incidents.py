"""Incidents are found by behaviour, and shown with causes that replays have tried."""

from dataclasses import replace
from pathlib import Path

import pytest

from retrospan.finding_times import times_of
from retrospan.incident import found
from retrospan.report.build import build
from retrospan.report.facts import IncidentFacts
from store.conclusions import Finding, Flow, FlowOutcome
from store.model import JsonValue
from tests.retrospan import world
from tests.retrospan.conftest import Command

SECOND = 1_000_000_000
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
    (key,) = (one for one in candidates if one["kind"] == "setting")
    assert key["name"] == (
        "setting idempotency key of repeats of orchestrator calling gateway-eu POST /charges "
        "new at each attempt"
    )
    assert key["confirmed"] == "untested"
    assert "keys are no part of a program" in key["reason"]
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


def payments(region: str, count: int, bad: range) -> tuple[list[Flow], dict[str, list[str]]]:
    """Flows of one region, one a second; those in `bad` fail."""
    flows = [
        replace(
            world.flow(1),
            flow_id=f"{region}-{n}",
            start_ns=world.START + n * SECOND,
            end_ns=world.START + n * SECOND + 1_000,
            outcome=FlowOutcome.FAILED if n in bad else FlowOutcome.SUCCEEDED,
        )
        for n in range(count)
    ]
    return flows, {flow.flow_id: [region] for flow in flows}


def test_a_region_that_fails_while_the_whole_hardly_shows_it_is_an_incident() -> None:
    small, of_small = payments("south", 100, range(50, 60))
    big: list[Flow] = []
    of_big: dict[str, list[str]] = {}
    for copy in range(12):  # the same seconds, a dozen flows each, some of which always fail
        flows, regions = payments(f"north-{copy}", 100, range(copy, 100, 9))
        big += flows
        of_big |= {flow_id: ["north"] for flow_id in regions}
    (incident,) = found([*small, *big], [], [], regions={**of_small, **of_big})
    assert incident.title.startswith("flows payment in south: 10 bad")
    assert set(incident.flow_ids) == {f"south-{n}" for n in range(50, 60)}
    assert found([*small, *big], [], []) == []


def test_what_ran_at_another_time_is_no_finding_of_the_incident() -> None:
    def storm(*times: int) -> Finding:
        facts: dict[str, JsonValue] = {"service": "a", "callee": "b"}
        if times:
            facts |= {"from_ns": times[0], "until_ns": times[1]}
        return replace(world.finding(), flow_id=None, scope="population", facts=facts)

    end = world.INCIDENT.end_ns
    facts = IncidentFacts(
        incident=world.INCIDENT,
        flows=world.FLOW_LIST,
        findings=[storm(), storm(end - 5, end + 5), storm(end + 5, end + 9)],
    )
    assert [times_of(one) for one in facts.findings_here] == [[], [(end - 5, end + 5)]]
    document = build(facts)
    said = " ".join(one.text for one in document.statements)
    assert "2 of them are about many flows: 1 ran in the window's time, 1 are true" in said
    (timeline,) = (one for one in document.sections if one.key == "timeline")
    assert "a → b" in str(timeline)
