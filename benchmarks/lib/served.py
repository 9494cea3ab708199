"""The pages of a store in a server that tells what it asked, opened in Chromium."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, TimeoutError

PRESS = ".st-key-wide-all"
SCREEN = re.compile("^(The store |No store |Not found)")  # instead of the page
SECONDS_MAX = 180.0
TRIES = 9
CONTENT = '[role="heading"][aria-level="2"], [data-testid="stException"]'
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SERVE = """
import json, sys, threading, time
from contextlib import contextmanager, suppress
from pathlib import Path
from dashboards import data
from store.lease import Store
kept, reading, asks, mine = sys.argv[3], Store.reading, data.held, threading.local()

@contextmanager
def told(store, purpose):
    if not getattr(mine, "open", 0):
        mine.open, mine.asked = 0, []
        mine.begun = time.perf_counter(), time.process_time()
    mine.open += 1
    try:
        with reading(store, purpose) as session:
            yield session
    finally:
        mine.open -= 1
        if not mine.open:
            wall, cpu = (now() - then for now, then in
                         zip((time.perf_counter, time.process_time), mine.begun))
            with open(kept, "a") as file:
                print(json.dumps({"wall": wall, "cpu": cpu, "asked": mine.asked}), file=file)

def held(purpose, question, path=None):
    def timed(session):
        start = time.perf_counter()
        try:
            return question(session)
        finally:
            mine.asked.append([purpose, time.perf_counter() - start])
    return asks(purpose, timed, path)

Store.reading, data.held = told, held
from dashboards.serve import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One time the server held the store: its seconds and CPU seconds, and what was `asked`
    meanwhile, purpose and seconds of each question."""

    wall: float
    cpu: float
    asked: list[tuple[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One page, opened cold and again."""

    name: str
    holds: list[Hold]
    first_s: float
    again_s: float
    waits: bool
    faults: int

    def row(self) -> tuple[object, ...]:
        """As `COLUMNS` name it."""
        asked = [question for hold in self.holds for question in hold.asked]
        slowest = max(asked, key=lambda it: it[1], default=("none", 0.0))
        return (
            self.name, sum(it.wall for it in self.holds), sum(it.cpu for it in self.holds),
            len(self.holds), len(asked), max((it.wall for it in self.holds), default=0.0),
            slowest[0], self.first_s, self.again_s,
            "for a press" if self.waits else "", self.faults,
        )  # fmt: skip


COLUMNS = ("page", "query s", "query CPU s", "holds", "questions", "longest hold s",
           "slowest question", "content s, cold", "content s, again", "waits",
           "faults")  # fmt: skip


@contextmanager
def serving(store: Path, told: Path) -> Iterator[tuple[str, int]]:
    """The pages of a store on a free port, with the process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(store), str(port), str(told)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _until_up(base, process)
            yield base, process.pid
        finally:
            process.terminate()
            process.wait(15)


def _until_up(base: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    sys.exit("the server did not come up")


@contextmanager
def window(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(SECONDS_MAX * 1000)
    yield context.new_page()
    context.close()


def content_s(page: Page, address: str) -> float:
    """Seconds until the page has its heading and stands still."""
    start = time.perf_counter()
    page.goto(address)
    page.locator(CONTENT).first.wait_for()
    page.locator(QUIET).wait_for(state="attached")
    return time.perf_counter() - start


def tabs(browser: Browser, address: str) -> list[tuple[str, str]]:
    """The tabs of a page that are not open at its address: label and address of each."""
    found = []
    with window(browser) as page:
        content_s(page, address)
        for tab in page.get_by_role("tab", selected=False).all():
            label, before = tab.inner_text(), page.url
            for _ in range(TRIES):  # a click is lost where the page is drawn anew at that moment
                tab.click()
                with suppress(TimeoutError):
                    moved = "before => location.href !== before"
                    page.wait_for_function(moved, arg=before, timeout=SECONDS_MAX * 1000 / TRIES)
                    break
            page.locator(QUIET).wait_for(state="attached")
            found.append((label, page.url))
    return found


def opened(browser: Browser, name: str, address: str, store: Path, told: Path) -> Opened:
    told.write_text("")
    os.utime(store)  # as a load would: no kept answer is good any more
    with window(browser) as page:
        first = content_s(page, address)
        faults = page.get_by_test_id("stException").count()
        faults += page.get_by_role("heading", level=2, name=SCREEN).count()
        waits = page.locator(PRESS).count() > 0
    holds = [Hold(**json.loads(line)) for line in told.read_text().splitlines()]
    with window(browser) as page:
        again = content_s(page, address)
    return Opened(name=name, holds=holds, first_s=first, again_s=again, waits=waits, faults=faults)
