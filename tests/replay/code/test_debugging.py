"""pdb has the user's terminal, the engine its own pipes, and virtual time stands."""

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from retrospan.cli import run as retrospan
from tests.replay.code.commands import ENTRY, FLOW, ROOT, environment

WAIT_S = 120.0


class Terminal:
    """A command in a terminal of its own, and what it showed."""

    def __init__(self, home: Path, *command: object) -> None:
        self.shown = ""
        self.number, self.screen = pty.fork()
        if self.number == 0:
            os.chdir(ROOT)
            arguments = [sys.executable, "-m", *map(str, command)]
            os.execve(sys.executable, arguments, {**environment(home), "TERM": "dumb"})

    def until(self, text: str) -> str:
        """What is shown up to and with a text."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} never came: {self.shown}"
            if select.select([self.screen], [], [], left)[0]:
                try:
                    more = os.read(self.screen, 1 << 16)
                except OSError:
                    more = b""
                assert more, f"{text!r} never came: {self.shown}"
                self.shown += more.decode("utf-8", "replace")
        shown, _, self.shown = self.shown.partition(text)
        return shown + text

    def type(self, line: str) -> None:
        os.write(self.screen, line.encode() + b"\n")

    def ended(self) -> int:
        """The exit code, after all that is still shown."""
        while True:
            try:
                more = os.read(self.screen, 1 << 16)
            except OSError:
                break
            if not more:
                break
            self.shown += more.decode("utf-8", "replace")
        return os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])


def debug(db: Path, tmp_path: Path) -> Terminal:
    return Terminal(
        tmp_path, "retrospan", "--db", db, "-q", "replay", "run", FLOW, "--pdb", "--explain",
        "--code", f"{ENTRY}:recorded", "--python", sys.executable,
    )  # fmt: skip


def test_a_look_around_costs_no_virtual_time_and_changes_nothing(db: Path, tmp_path: Path) -> None:
    terminal = debug(db, tmp_path)
    assert "virtual time stands" in terminal.until("(Pdb) ")
    terminal.type("p order['order_id']")
    assert FLOW in terminal.until("(Pdb) ")
    terminal.type("import time; a = time.time_ns()")
    terminal.until("(Pdb) ")
    time.sleep(0.2)
    terminal.type("p 'passed', time.time_ns() - a")
    assert "('passed', 0)" in terminal.until("(Pdb) ")
    terminal.type("n")
    assert "release = plan.release" in terminal.until("(Pdb) ")
    terminal.type("c")
    assert terminal.ended() == 0, terminal.shown
    assert "identical" in terminal.shown


def test_who_quits_ends_the_replay_and_no_verdict_is_made(db: Path, tmp_path: Path) -> None:
    terminal = debug(db, tmp_path)
    terminal.until("(Pdb) ")
    terminal.type("q")
    assert terminal.ended() == 4, terminal.shown
    assert "it was ended in the debugger" in terminal.shown


@pytest.mark.parametrize(
    ("flows", "told"), [([FLOW], "needs a terminal"), ([FLOW, "order-000211"], "one FLOW_ID")]
)
def test_without_a_terminal_or_with_two_flows_there_is_no_debugger(
    db: Path, capsys: pytest.CaptureFixture[str], flows: list[str], told: str
) -> None:
    asked = ["--db", str(db), "replay", "run", *flows, "--pdb", "--code", f"{ENTRY}:recorded"]
    assert retrospan(asked) == 2
    assert told in capsys.readouterr().err
