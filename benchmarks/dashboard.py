"""The pages: query time, time to content, how long the store is held; each opened in Chromium.

The sample incident `payment-brownout` many times over. First a store that was really loaded and
derived, `--flows` of them; then the same store multiplied inside DuckDB to `--spans` over thirty
days (telemetry and conclusions both; see lib/multiplied.py), because loading so many would take
hours; both with one flow of 20,000 spans. `--keep FILE` leaves the second one there, `--store FILE`
measures one that is there and makes none. Every page is opened twice in a fresh window, as a deep
link: first with no answer kept (the store's time stamp is moved, which is what a load does), then
again. Query seconds are those that the server held the store for; questions that are asked together
share a hold. CPU seconds are the server's for the same, and steadier on a busy machine. `all of it`
opens a page of the large store with the whole range; where that is more than a page answers for
within a second it asks for a press, and nothing is computed (`waits` in the table). Of the large
flow the waterfall is measured too: to drawn, a search typed into it, a key pressed, a wheel turned.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11; Chromium draws in software on the same processors.
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from analyzer.rebuild import RebuildSettings, rebuild
from benchmarks.lib.copies import fill, recorded
from benchmarks.lib.measuring import machine, memory_mb, stored_sample, table
from benchmarks.lib.multiplied import multiply
from dashboards.app import found_views
from store.conclusions import Flow, FlowOutcome, Incident
from store.lease import Store
from store.model import Batch, Span
from store.read import counts, read_flows, read_incidents, read_spans
from store.read_derived import FlowSelection
from store.write import write_batch
from store.write_derived import write_incident

FLOWS = 2_400
SPANS = 10_000_000
DAYS_NS = 30 * 86_400 * 10**9
FLOWS_OF_SAMPLE = 600
PRESS = ".st-key-wide-all"
SCREEN = re.compile("^(The store |No store |Not found)")  # instead of the page
LARGE_SPANS = 20_000
LARGE_TRACE = f"{2**100:032x}"
STEPS = 15
SECONDS_MAX = 180.0
CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking"]  # fmt: skip
CONTENT = '[role="heading"][aria-level="2"], [data-testid="stException"]'
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SERVE = """
import json, sys, threading, time
from contextlib import contextmanager
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


def large_flow(store: Store, spans: int) -> None:
    """One trace of so many spans, about ten levels deep, just before the data ends."""
    with store.lease("benchmark") as session:
        begin = (counts(session).data_end_ns or 0) - 60 * 10**9
    made = []
    for n in range(1, spans + 1):
        deep = 0 if n == 1 else 1 + n % 9
        made.append(
            Span(
                trace_id=LARGE_TRACE,
                span_id=f"{n:016x}",
                parent_span_id=None if n == 1 else f"{max(1, n - deep):016x}",
                name=f"operation {n % 40}",
                kind="internal",
                service=f"service-{n % 12}",
                start_ns=begin + n * 10**6,
                end_ns=begin + (n + 400 // (deep + 1)) * 10**6,
                status="error" if n % 997 == 0 else "unset",
            )
        )
    batch = Batch(
        source="benchmark", content_sha256="large", reader="benchmark", rules_sha256="", spans=made
    )
    with store.lease("benchmark", create=True) as session:
        write_batch(session, batch)


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


def addresses(flow_id: str, incident_id: str | None, *, wide: bool) -> dict[str, str]:
    """Each view with what its address needs to show something; those with a range also `wide`."""
    found = {}
    for name, facts in found_views().items():
        needs = name in ("trace", "replay")
        found[name] = f"/{facts.url_path}" + (f"?flow={flow_id}" if needs else "")
        if wide and name != "trace":
            found[f"{name}, all of it"] = f"{found[name]}{'&' if needs else '?'}from=all"
    if incident_id is not None:
        found["incidents, one"] = f"/{found_views()['incidents'].url_path}?id={incident_id}"
    return found


def waterfall(browser: Browser, base: str, trace_id: str) -> None:
    with window(browser) as page:
        start = time.perf_counter()
        page.goto(f"{base}/trace?trace={trace_id}")
        tree = page.locator(".waterfall[data-ready]")
        tree.wait_for()
        drawn = time.perf_counter() - start
        shown = tree.get_attribute("data-ready")
        nodes = tree.locator('[role="treeitem"]').count()
        count = tree.locator(".count")
        start = time.perf_counter()
        tree.locator("input").fill("operation 7")
        page.wait_for_function(
            "() => [...document.querySelectorAll('*')].some(e => e.shadowRoot && "
            "/spans match/.test(e.shadowRoot.querySelector('.count')?.textContent || '')) || "
            "/spans match/.test(document.querySelector('.count')?.textContent || '')"
        )
        searched = time.perf_counter() - start
        told = count.text_content()
        pressed = _steps(lambda: page.keyboard.press("PageDown"), page, tree)
        tree.hover()
        turned = _steps(lambda: page.mouse.wheel(0, 400), page, tree)
        print(
            f"\nWaterfall of {shown} spans: drawn after {drawn:.1f} s with {nodes} rows in the "
            f"page; a search took {searched * 1000:.0f} ms ({told}); a key {pressed * 1000:.0f} "
            f"ms, a turn of the wheel {turned * 1000:.0f} ms (medians of {STEPS}, to the next "
            "frame)"
        )


def _steps(act: Callable[[], object], page: Page, tree: Locator) -> float:
    """Median seconds from an input until the next two frames are drawn."""
    tree.locator('[role="treeitem"]').first.focus()
    taken = []
    for _ in range(STEPS):
        start = time.perf_counter()
        act()
        page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        taken.append(time.perf_counter() - start)
    return sorted(taken)[STEPS // 2]


def measured(path: Path, folder: Path, *, wide: bool) -> list[Opened]:
    """Opens every page of one store, prints what it took: each when it was, then the table."""
    store = Store(path)
    with store.lease("benchmark") as session:
        known = counts(session)
        large = bool(read_spans(session, [LARGE_TRACE]))
        flow_id = read_flows(session, FlowSelection(limit=1))[0].flow_id
        incidents = read_incidents(session)
    print(f"\n{known.spans:,} spans, {known.flows:,} flows, {known.decisions:,} decisions")
    told = folder / "asked.jsonl"
    with serving(path, told) as (base, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        named = addresses(flow_id, incidents[-1].incident_id if incidents else None, wide=wide)
        pages = []
        for name, address in named.items():
            pages.append(opened(browser, name, base + address, path, told))
            last = pages[-1]
            print(f"  {name}: content after {last.first_s:.1f} s", file=sys.stderr, flush=True)
        table(COLUMNS, [one.row() for one in pages])
        if large:
            waterfall(browser, base, LARGE_TRACE)
        browser.close()
        print(f"\nThe server held {memory_mb('VmHWM', [process]):,} MB at most.")
    return pages


def loaded(folder: Path, flows: int) -> Path:
    """A store that was loaded and derived as any other, over a part of thirty days."""
    path = folder / "loaded.duckdb"
    store = Store(path)
    with stored_sample(folder, derived=False).lease("benchmark") as session:
        sample = recorded(session)
    fill(store, sample, flows, apart_ns=DAYS_NS * FLOWS_OF_SAMPLE * 19 // SPANS)
    rebuild(store, RebuildSettings())
    with store.lease("benchmark") as session:
        read = read_flows(session, FlowSelection(limit=FLOWS_OF_SAMPLE))
        hurt = [flow for flow in read if flow.outcome == FlowOutcome.COMPENSATION_FAILED]
        write_incident(session, _incident(hurt))
    return path


def _incident(hurt: list[Flow]) -> Incident:
    ends = [flow.end_ns or flow.start_ns for flow in hurt]
    return Incident(
        incident_id="inc-benchmark",
        start_ns=min(flow.start_ns for flow in hurt),
        end_ns=max(ends),
        declared_by="benchmark",
        title="Compensations fail",
        flow_ids=[flow.flow_id for flow in hurt],
        services=sorted({name for flow in hurt for name in flow.services}),
    )


def with_large_flow(path: Path) -> Path:
    """The store with one flow of 20,000 spans beside the others, derived."""
    large_flow(Store(path), LARGE_SPANS)
    rebuild(Store(path), RebuildSettings())
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=FLOWS, help="really loaded, 19 spans each")
    parser.add_argument("--spans", type=int, default=SPANS, help="multiplied to; 0 for none")
    parser.add_argument("--store", type=Path, help="a store to open instead of generated ones")
    parser.add_argument("--keep", type=Path, help="where to leave the multiplied store")
    given = parser.parse_args()
    if not CHROMIUM.exists():
        print(f"no {CHROMIUM}: apt-get install chromium")
        return
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.store is not None:
            pages = measured(given.store, folder, wide=True)
        else:
            path = loaded(folder, given.flows)
            many = given.keep or folder / "multiplied.duckdb"
            shutil.copyfile(path, many)
            pages = measured(with_large_flow(path), folder, wide=False)
            copies = given.spans // (given.flows * 19)
            if copies > 1:
                start = time.perf_counter()
                multiply(Store(many), copies, apart_ns=DAYS_NS // copies)
                taken = time.perf_counter() - start
                print(f"\nMultiplied {copies} times inside DuckDB, not loaded: {taken:.0f} s.")
                pages += measured(with_large_flow(many), folder, wide=True)
    print(machine())
    if any(one.faults for one in pages):
        sys.exit("a page shows an exception")


if __name__ == "__main__":
    main()
