"""One recording on a real server for all tests here."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from replay.temporal.histories import RecordedHistory, histories_of
from tests.third_party import needs, without

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Histories and spans of every payment, and histories of the features."""
    needs("temporalio", installed=find_spec("temporalio") is not None)
    from tests.replay.temporal.recording import server

    if server() is None:
        without("no Temporal server is installed")
    folder = tmp_path_factory.mktemp("temporal")
    command = [sys.executable, "-m", "tests.replay.temporal.recording", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def histories(recorded: Path) -> list[RecordedHistory]:
    """The recorded payments, by scenario."""
    from tests.replay.temporal.recording import SCENARIOS
    from tests.replay.temporal.replaying import name_of

    files = [one for one in sorted(recorded.iterdir()) if one.suffix == ".json"]
    found = list(histories_of(files))
    assert [name_of(one) for one in found] == sorted(SCENARIOS)
    return found


@pytest.fixture(scope="session")
def features(recorded: Path) -> list[RecordedHistory]:
    """The recorded small workflows, by name."""
    return list(histories_of([recorded / "features"]))
