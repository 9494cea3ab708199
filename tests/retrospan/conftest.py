"""A store written by hand, and a way to run commands in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from retrospan.cli import run
from store import read, write
from store.lease import Store
from store.model import Batch
from tests.retrospan import world


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


Command = Callable[..., Said]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads the user's own configuration, store or key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in (
        "RETROSPAN_DB",
        "RETROSPAN_CONFIG",
        "RETROSPAN_REDACTION_KEY",
        "RETROSPAN_SIGNING_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs one command line."""

    def call(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Said(code=code, out=captured.out, err=captured.err)

    return call


def filled(path: Path) -> Path:
    """A store that holds the world."""
    with Store(path).lease("test", create=True) as session:
        batch = Batch(
            source="hand",
            content_sha256="0" * 64,
            reader="hand/1",
            rules_sha256="0" * 64,
            decisions=world.DECISION_LIST,
        )
        write.write_batch(session, batch)
        replaced = write.replace_flows(
            session,
            generation=read.counts(session).generation,
            flows=world.FLOW_LIST,
            members={},
            sagas=world.SAGA_LIST,
            findings=[world.finding()],
            code_digest="hand",
        )
        assert replaced
        write.write_incident(session, world.INCIDENT)
        results = [world.replay(index) for index in world.BAD]
        results += [world.replay(index, "timeout 30s") for index in world.BAD]
        write.write_replays(session, results)
    return path


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("store") / "retrospan.duckdb")


@pytest.fixture
def db(_template: Path, tmp_path: Path) -> Path:
    """A copy of the filled store, in the working folder under its default name."""
    path = tmp_path / "retrospan.duckdb"
    path.write_bytes(_template.read_bytes())
    path.chmod(0o600)
    return path
