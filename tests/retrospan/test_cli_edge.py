"""Errors end in one line and a code; nothing recorded reaches a terminal as it is."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from retrospan import cli
from retrospan.cli import hoisted, nouns
from store import read, write
from store.lease import Store
from tests.retrospan import world
from tests.retrospan.conftest import Command

PROGRAM = [sys.executable, "-m", "retrospan"]
HOSTILE = "=cmd|'/c calc'!A1\x1b]0;owned\x07\u202e[red]x[/red]\n"


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        (["nothing"], 2, "No such command"),
        (["flows", "list", "--nothing"], 2, "flows list --help"),
        (["flows", "list", "--format", "xml"], 2, "xml"),
        (["flows", "list", "--limit", "0"], 2, "limit"),
        (["flows", "show"], 2, "ID"),
        (["flows", "list", "--db", "absent.duckdb"], 4, "absent.duckdb"),
        (["flows", "list", "--config", "absent.toml"], 2, "absent.toml"),
        (["dashboard", "--host", "0.0.0.0"], 2, "127.0.0.1"),
        (["report", "write", "inc-1", "-o", "x.docx"], 2, ".md"),
        (["ingest", "absent.jsonl"], 4, "absent.jsonl"),
    ],
)
def test_an_error_is_one_line_on_standard_error_and_a_code(
    command: Command, line: list[str], code: int, hint: str
) -> None:
    said = command(*line)
    assert said.code == code
    assert hint in said.err
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--since", "yesterday", "RFC 3339"),
        ("--since", "2026-03-04T10:00:00", "RFC 3339"),
        ("--since", "2026-13-04T10:00:00Z", "not a time"),
        ("--outcome", "fine", "succeeded"),
        ("--where", "verdict", "KEY=VALUE"),
    ],
)
def test_a_wrong_value_says_what_would_be_right(
    command: Command, option: str, value: str, hint: str
) -> None:
    said = command("flows", "list", option, value)
    assert said.code == 2
    assert hint in said.err
    assert len(said.err.splitlines()) == 1


def test_an_unexpected_error_is_one_line_and_a_traceback_only_when_asked_for(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret\nsecond line")

    monkeypatch.setattr(cli, "application", broken)
    quiet, loud = command("flows", "list"), command("-v", "flows", "list")
    assert quiet.code == loud.code == 1
    assert len(quiet.err.splitlines()) == 1 and "ZeroDivisionError" in quiet.err
    assert "Traceback" in loud.err


def test_an_interrupt_ends_with_130(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "application", interrupted)
    assert command("flows", "list").code == 130


def test_global_options_may_stand_after_the_command() -> None:
    line = ["flows", "list", "--db", "x", "-q", "--config=y", "--", "--db"]
    assert hoisted(line) == ["--db", "x", "-q", "--config=y", "flows", "list", "--", "--db"]


def test_every_group_shows_help_without_a_verb_and_every_file_is_a_noun(command: Command) -> None:
    beside = Path(cli.__file__).parent.glob("[a-z]*")
    files = {path.stem for path in beside if path.suffix == ".py" or path.is_dir()}
    assert set(nouns()) == files
    for noun in nouns():
        assert command(noun, "--help").code == 0
    assert command("flows").code == 2


def test_help_and_version_are_fast_and_load_no_heavy_package() -> None:
    probe = (
        "import sys\nfrom retrospan.cli import run\nrun(['--help'])\n"
        "names = 'duckdb polars pyarrow streamlit rich jinja2'.split()\n"
        "heavy = set(names) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - started < 5
    assert "dashboard" in done.stdout


def test_a_reader_that_stops_early_is_no_error(db: Path) -> None:
    """As in `retrospan flows list | head -1`."""
    line = " ".join([*PROGRAM, "flows", "list", "--format", "jsonl", "--db", str(db)])
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{line} | head -c 1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.fixture
def hostile_db(db: Path) -> Path:
    """A store with one flow whose every name is hostile."""
    bad = world.flow(99)
    step = replace(bad.steps[0], name=HOSTILE, service=HOSTILE, key=HOSTILE)
    flow = replace(bad, flow_id=HOSTILE, name=HOSTILE, services=(HOSTILE,), steps=(step,))
    saga = replace(world.saga(20), flow_id=HOSTILE, saga_id=HOSTILE, name=HOSTILE)
    with Store(db).lease("test") as session:
        assert write.replace_flows(
            session,
            generation=read.counts(session).generation,
            flows=[flow],
            members={},
            sagas=[saga],
            findings=[],
            code_digest="hand",
        )
    return db


@pytest.mark.parametrize(
    "line",
    [
        ["flows", "list"],
        ["flows", "show", HOSTILE],
        ["flows", "list", "--format", "csv"],
        ["flows", "list", "--json"],
        ["sagas", "list"],
        ["flows", "show", HOSTILE + "x"],
    ],
)
@pytest.mark.usefixtures("hostile_db")
def test_a_hostile_name_moves_no_terminal_and_starts_no_formula(
    command: Command, line: list[str]
) -> None:
    said = command(*line)
    for text in (said.out, said.err):
        assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    if "csv" in line:
        assert "'=cmd" in said.out
    elif said.code != 4 and "--json" not in line:
        assert "[red]x[/red]" in said.out


def test_colour_is_left_out_when_asked(db: Path) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": ""}
    done = subprocess.run(
        [*PROGRAM, "flows", "list", "--db", str(db)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert "\x1b" not in done.stdout
