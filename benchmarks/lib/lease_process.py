"""One process of `benchmarks/lease.py`: the real command or page, with every lease written down."""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

COMMANDS = (
    ("flows", "list", "--limit", "20", "--json"),
    ("findings", "list", "--limit", "20", "--json"),
    ("sagas", "list", "--limit", "20", "--json"),
    ("decisions", "list", "--limit", "20", "--json"),
    ("incidents", "list", "--json"),
)
Row = dict[str, Any]


def watch(kind: str, into: Path) -> None:
    """Every lease of this process as a line in a file."""
    from store import lease
    from store.errors import StoreBusyError

    stream = into.open("a")
    since: dict[int, tuple[str, float, float, float]] = {}  # purpose, asked, got, processor
    enter, leave = lease._File.enter, lease._File.leave

    def put(row: Row) -> None:
        stream.write(json.dumps({"kind": kind, **row}) + "\n")
        stream.flush()

    def watched_enter(self: Any, purpose: str, *args: Any) -> Any:
        if threading.get_ident() in self.holders:  # part of the lease this thread has
            return enter(self, purpose, *args)
        asked = time.monotonic()
        try:
            session = enter(self, purpose, *args)
        except StoreBusyError:
            put({"busy": purpose, "wait": time.monotonic() - asked})
            raise
        since[id(session)] = purpose, asked, time.monotonic(), time.process_time()
        return session

    def watched_leave(self: Any, session: Any) -> None:
        told = since.pop(id(session), None)
        leave(self, session)
        if told is None:
            return
        purpose, asked, got, spent = told
        done, spent = time.monotonic(), time.process_time() - spent
        put({"purpose": purpose, "wait": got - asked, "held": done - got, "got": got, "cpu": spent})

    lease._File.enter = watched_enter  # type: ignore[assignment, method-assign]
    lease._File.leave = watched_leave  # type: ignore[method-assign]


def child(kind: str, into: Path, arguments: list[str]) -> int:
    """One process of the experiment."""
    watch(kind, into)
    if kind == "killed holder":
        from store.lease import Store

        with Store(Path(arguments[0])).lease("about to be killed"):
            print("held", flush=True)
            time.sleep(600)
    if kind == "dashboard":
        return dashboard(Path(arguments[0]), into)
    from retrospan.cli import run

    if kind != "command line":
        return run(arguments)
    ended: Counter[int] = Counter()
    stop, turn, pause = Path(arguments[1]), int(arguments[2]), float(arguments[3])
    while not stop.exists():
        ended[run(["-q", "--db", arguments[0], *COMMANDS[turn % len(COMMANDS)]])] += 1
        turn += 1
        time.sleep(pause)
    return told_ends(into, kind, ended)


def dashboard(stop: Path, into: Path) -> int:
    """The overview page again and again, as somebody who keeps reloading it."""
    from dashboards import data, flow_questions
    from dashboards.scope import Scope
    from store.errors import StoreBusyError

    ended: Counter[int] = Counter()
    while not stop.exists():
        try:
            data.holdings()
            for question in (
                flow_questions.scope_health,
                flow_questions.effect_sums,
                flow_questions.incidents,
            ):
                question(Scope())
            ended[0] += 1
        except StoreBusyError:
            ended[1] += 1
        time.sleep(0.2)
    return told_ends(into, "dashboard", ended)


def told_ends(into: Path, kind: str, ended: Counter[int]) -> int:
    with into.open("a") as stream:
        stream.write(json.dumps({"kind": kind, "ended": ended}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(child(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
