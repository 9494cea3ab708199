"""Pages that were told to keep nothing: whatever is pressed, the store stays as it is."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.serve import READ_ONLY_VARIABLE, STORE_VARIABLE
from store.incident_records import read_causes
from store.lease import Store
from store.read import read_incidents
from tests.dashboards.test_pages import opened

BESIDE = (".lock", ".queue")  # by which leases take turns
SAMPLE = Path(__file__).resolve().parents[2] / "sample_traces" / "onboarding-model-rollout"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A store with a recorded incident, the incident's id and one of its flows."""
    folder = tmp_path_factory.mktemp("recorded")
    path = folder / "retrospan.duckdb"
    for words in (["ingest", str(SAMPLE)], ["incidents", "find"]):
        command = [sys.executable, "-m", "retrospan", "--db", str(path), *words]
        subprocess.run(command, check=True, cwd=folder, capture_output=True)
    with Store(path).lease("reading the incident") as session:
        incident = read_incidents(session)[0]
    return path, incident.incident_id, incident.flow_ids[0]


@pytest.fixture
def store(recorded: tuple[Path, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "retrospan.duckdb"
    shutil.copy(recorded[0], path)
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    return path


def digest(path: Path) -> tuple[str, list[str]]:
    beside = sorted(one.name for one in path.parent.iterdir() if not one.name.endswith(BESIDE))
    return hashlib.sha256(path.read_bytes()).hexdigest(), beside


def pressed(app: AppTest) -> int:
    """Presses every button and switch of a page, one after the other."""
    buttons, switches = len(app.button), len(app.toggle)
    for place in range(buttons):
        if place < len(app.button):
            app.button[place].click().run(timeout=120)
            assert not app.exception
    for place in range(switches):
        if place < len(app.toggle):
            app.toggle[place].set_value(True).run(timeout=120)
            assert not app.exception
    return buttons + switches


def kept(path: Path) -> int:
    with Store(path).lease("reading causes") as session:
        return len(read_causes(session))


def test_read_only_pages_leave_every_byte_of_the_store(
    store: Path, recorded: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    _, incident, flow = recorded
    before = digest(store)
    count = 0
    for view, params in (
        ("", {}),
        ("ai", {"about": "Policy back-test"}),
        ("incidents", {"id": incident, "part": "Candidates"}),
        ("incidents", {"id": incident, "part": "Report"}),
        ("trace", {"flow": flow}),
        ("replay", {"flow": flow}),
    ):
        count += pressed(opened(view, **params))
    app = opened("flows", outcome="compensation_failed")
    app.query_params["view"] = "Batch replay"
    count += pressed(app.run())
    assert count >= 3
    assert digest(store) == before
    assert kept(store) == 0


def test_other_pages_keep_the_causes_they_tried(
    store: Path, recorded: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(READ_ONLY_VARIABLE, "")
    assert kept(store) == 0
    opened("incidents", id=recorded[1], part="Candidates", **{"try": "1"})
    assert kept(store) == 1
