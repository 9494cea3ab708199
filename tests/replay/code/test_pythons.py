"""The child and its recorder in each interpreter that a team may have, from Python 3.9."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from replay.code.process import CHILD
from tests.replay.code.recorded import Call, run, subject

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
HOUR_MS = 3_600_000
ORDER = {"id": "o-1"}
BODY = {"order": "o-1"}


@cache
def interpreter(version: str) -> str | None:
    """An interpreter of this version on this machine."""
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [*sorted(map(str, installed.glob(f"{version}.*/bin/python")))]
    on_path = shutil.which(f"python{version}")
    for python in [*found, *([on_path] if on_path else [])]:
        told = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True,
        )  # fmt: skip
        if told.returncode == 0 and told.stdout.strip() == version:
            return python
    return None


def python(version: str) -> str:
    found = interpreter(version)
    if found is None:
        pytest.skip(f"no Python {version} is on this machine")
    return found


CALLS = [
    Call(path="/reserve", start_ms=1, end_ms=31, request=BODY, response={"id": "r-1"}),
    Call(path="/score", start_ms=1.5, end_ms=20, request=BODY, response={"id": "s-1"}),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_threads_tasks_timeouts_and_draws_are_the_same_in_each(version: str) -> None:
    chosen = python(version)
    given = {"done": ["/score", "/reserve"], "ids": ["r-1", "s-1"]}
    threads = subject(CALLS, given=ORDER, output=given, end_ms=33)
    result = run(threads, "orders:in_threads", python=chosen)
    assert result.verdict == "identical", (result.divergences, result.reason)
    charged = Call(path="/charge", start_ms=HOUR_MS + 433, end_ms=HOUR_MS + 483, request=BODY,
                   response={"id": "c-1"}, timeout_ms=300)  # fmt: skip
    late = Call(path="/charge", start_ms=HOUR_MS + 32, end_ms=HOUR_MS + 332.5, request=BODY,
                status=0, timeout_ms=300)  # fmt: skip
    output = {"ids": ["r-1", "s-1", "c-1"], "tries": 2}
    tasks = subject([*CALLS, late, charged], given=ORDER, output=output, end_ms=HOUR_MS + 484)
    result = run(tasks, "orders:in_tasks", python=chosen)
    assert result.verdict == "identical", (result.divergences, result.reason)
    drawn: Any = run(threads, "orders:draws", python=chosen).events[-1]["output"]
    assert drawn["now"] == "2023-11-14T22:13:20+00:00"
    assert drawn["python"].startswith(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_marks_and_recorder_do_nothing_harmful_without_opentelemetry(version: str) -> None:
    """No instrumentation is there: the functions run as they are, and draws still come."""
    program = (
        "import asyncio, random, sys, threading, uuid\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from contextvars import copy_context\n"
        "from time import sleep\n"
        "import retrospan_child\n"
        "from retrospan_child.recorder import Recorder\n"
        "recorder = Recorder()\n"
        "recorder.draws()\n"
        "recorder.timers()\n"
        "@retrospan_child.activity('score', recorder=recorder)\n"
        "def score(amount): return amount + random.randint(1, 1)\n"
        "@retrospan_child.flow('order', recorder=recorder)\n"
        "def pay(order): return score(order['amount']), len(str(uuid.uuid4()))\n"
        "print(pay({'amount': 2}))\n"
        "async def later():\n"
        "    asyncio.get_running_loop().call_later(0.003, print)\n"
        "    await asyncio.wait_for(asyncio.sleep(0.004), 5)\n"
        "class Span:\n"
        "    start_time = 0\n"
        "    def is_recording(self): return True\n"
        "    def set_attributes(self, told): print(told['retrospan.wait.ns'])\n"
        "sleep(0.006)\n"
        "with recorder.flow(Span()), ThreadPoolExecutor() as pool:\n"
        "    sleep(0.001), sleep(0)\n"
        "    threading.Event().wait(0.002)\n"
        "    asyncio.run(later())\n"
        "    pool.submit(copy_context().run, sleep, 0.005).result()\n"
        "sleep(0.006)\n"
    )
    done = subprocess.run(
        [python(version), "-W", "error", "-c", program], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(CHILD)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pay, _, waits = done.stdout.splitlines()
    assert pay == "(3, 36)"
    # Sleeps, by whatever name; a wait that ran out; a timer set by hand; no timeout of a library;
    # a thread that was given the context.
    assert waits == "[1000000, 2000000, 3000000, 4000000, 5000000]"
