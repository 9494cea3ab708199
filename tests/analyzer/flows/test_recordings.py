"""The flows put together out of recordings are those of the services' own books.

The books were kept apart from the telemetry. In one recording an orchestrator leads, in another
nobody does: services pass messages on; only links, conversations and message ids tie the traces.
"""

import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from analyzer.rebuild import RebuildSettings, rebuild
from ingest.pipeline import IngestSettings, ingest_paths
from store.conclusions import Flow
from store.lease import Store
from store.read import read_flows

SAMPLES = Path(__file__).parents[3] / "sample_traces"
KEY = b"tests: nothing here is secret"


def flows_of(sample: str, folder: Path) -> list[Flow]:
    store = Store(folder / "s.duckdb")
    ingest_paths(store, [str(SAMPLES / sample)], IngestSettings(redaction_key=KEY))
    rebuild(store, RebuildSettings())
    with store.lease("test") as session:
        return read_flows(session)


def books(sample: str) -> dict[str, Any]:
    return tomllib.loads((SAMPLES / sample / "expected.toml").read_text())


@pytest.mark.parametrize(
    ("sample", "architecture"),
    [
        ("enrichment-drift", "choreographed"),
        ("enrichment-healthy", "choreographed"),
        ("onboarding-model-rollout", "central"),
        ("onboarding-healthy", "central"),
    ],
)
def test_flows_of_a_recording_are_those_of_the_books(
    tmp_path: Path, sample: str, architecture: str
) -> None:
    expected, flows = books(sample), flows_of(sample, tmp_path)
    assert len(flows) == expected["flows"]
    assert Counter(flow.architecture for flow in flows) == {architecture: expected["flows"]}
    outcomes = Counter(flow.outcome.value for flow in flows)
    assert outcomes == {name: n for name, n in expected["outcomes"].items() if n}
    found = defaultdict(set)
    for flow in flows:
        found[flow.outcome.value].add(flow.flow_id)
    for entry in expected.get("outcome_flows", []):
        assert found[entry["outcome"]] == set(entry["flows"]), entry["outcome"]
