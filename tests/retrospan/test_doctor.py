"""The doctor tells what is wrong, makes nothing and shows no key."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from store.schema import SCHEMA_VERSION
from tests.retrospan.conftest import Command, Said

HOLD = """
import sys
from pathlib import Path
from store.lease import Store
with Store(Path(sys.argv[1])).lease("a long load"):
    print("held", flush=True)
    sys.stdin.readline()
"""
ROOT = Path(__file__).parents[2]


def checks(said: Said) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in said.document["checks"]}


def test_a_sound_store_is_fine(command: Command, db: Path) -> None:
    said = command("doctor", "--json")
    assert said.code == 0
    found = checks(said)
    assert found["store content"]["facts"]["flows"] == 40
    assert found["store content"]["facts"]["schema_version"] == SCHEMA_VERSION
    assert found["store file"]["facts"]["path"] == str(db)
    assert found["store file"]["facts"]["mode"] == "0600"
    assert found["versions"]["facts"]["libraries"]["duckdb"] == duckdb.__version__
    assert found["lock"]["facts"]["holder"] is None
    assert {check["state"] for check in found.values()} == {"fine", "note"}
    assert "ok      versions" in command("doctor").out


def test_without_a_store_it_ends_in_4_and_makes_nothing(command: Command, tmp_path: Path) -> None:
    said = command("doctor", "--json")
    assert said.code == 4
    found = checks(said)
    assert found["store file"]["state"] == "problem"
    assert "retrospan ingest" in found["store file"]["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("db")
def test_the_key_itself_is_never_shown(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checks(command("doctor", "--json"))["redaction key"]["state"] == "note"
    folder = tmp_path / "config" / "retrospan"
    folder.mkdir(parents=True)
    key = folder / "redaction.key"
    key.write_bytes(b"a key that nobody may see........")
    key.chmod(0o644)
    said = command("doctor", "--json")
    assert (said.code, checks(said)["redaction key"]["state"]) == (4, "problem")
    key.chmod(0o600)
    said = command("doctor", "--json")
    assert checks(said)["redaction key"]["facts"] == {"source": "file", "path": str(key)}
    assert "nobody may see" not in said.out
    monkeypatch.setenv("RETROSPAN_REDACTION_KEY", "another key nobody may see")
    said = command("doctor", "--json")
    assert checks(said)["redaction key"]["facts"]["source"] == "RETROSPAN_REDACTION_KEY"
    assert "nobody may see" not in said.out
    monkeypatch.setenv("RETROSPAN_REDACTION_KEY", "short")
    assert command("doctor").code == 4


def test_what_is_wrong_does_not_hide_what_else_is(command: Command, db: Path) -> None:
    Path("retrospan.toml").write_text("[nonsense]\n")
    with duckdb.connect(str(db)) as connection:
        connection.execute("UPDATE store_meta SET schema_version = 0")
    db.with_name(db.name + ".new").touch()
    found = checks(command("doctor", "--json"))
    assert {name for name, check in found.items() if check["state"] == "problem"} == {
        "config",
        "store content",
    }
    assert "nonsense" in found["config"]["message"]
    assert "schema 0" in found["store content"]["message"]
    assert found["lock"]["facts"]["leftovers"] == [f"{db}.new"]


def test_underived_flows_refused_records_and_open_files_are_noted(
    command: Command, db: Path
) -> None:
    db.chmod(0o644)
    with duckdb.connect(str(db)) as connection:
        connection.execute(
            "INSERT INTO dirty_traces VALUES ('0af7651916cd43dd8448eb211c80319c', 1)"
        )
        connection.execute(
            "INSERT INTO rejects BY NAME "
            "SELECT 'a.json' AS source, 'line 7' AS record, 'no\u202e time' AS reason"
        )
    said = command("doctor", "--json")
    found = checks(said)
    assert said.code == 0
    assert "1 traces whose flows" in found["store content"]["message"]
    refused = "refused records: 1, the first of them a.json, line 7: no\\u202e time"
    assert refused in found["store content"]["message"]
    assert re.search(r", [0-9.]+ MB", found["store file"]["message"])
    assert found["store file"]["state"] == "note"


def test_who_has_the_store_is_named_without_waiting_for_ever(command: Command, db: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(db)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = command("doctor", "--json")
        holder.communicate("\n")
    found = checks(said)
    assert said.code == 0
    assert found["lock"]["facts"]["holder"] == f"process {holder.pid} (a long load)"
    assert found["store content"]["state"] == "note"


@pytest.mark.usefixtures("db")
def test_an_endpoint_is_shown_without_its_password(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:secret@127.0.0.1:4318?key=secret")
    said = command("doctor", "--json")
    assert checks(said)["own traces"]["facts"]["endpoint"] == "http://127.0.0.1:4318"
    assert "secret" not in said.out
