"""The pages: seconds of query and seconds to content, each opened in Chromium.

The sample incident `payment-brownout` many times over, each copy later in time, and one flow of
20,000 spans. Every page is opened twice in a fresh window, as a deep link: first with no answer
kept (the store's time stamp is moved, which is what a load does), then again. Query seconds are
those that the server held a lease for; nothing else touches the store. Of the large flow the
waterfall is measured too: to drawn, and a search typed into it.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11; Chromium draws in software on the same processors.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from playwright.sync_api import Browser, Page, sync_playwright

from analyzer.rebuild import RebuildSettings, rebuild
from benchmarks.lib.copies import fill, recorded
from benchmarks.lib.measuring import machine, memory_mb, stored_sample, table
from dashboards.app import found_views
from store.lease import Store
from store.model import Batch, Span
from store.read import read_flows, read_spans
from store.read_derived import FlowSelection
from store.write import write_batch

FLOWS = 2_000
LARGE_SPANS = 20_000
LARGE_TRACE = f"{2**100:032x}"
SECONDS_MAX = 120.0
CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking"]  # fmt: skip
CONTENT = '[role="heading"][aria-level="2"], [data-testid="stException"]'
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SERVE = """
import json, sys, time
from pathlib import Path
from dashboards import data
asks, kept = data.held, sys.argv[3]
def held(purpose, question, path=None):
    start = time.perf_counter()
    try:
        return asks(purpose, question, path)
    finally:
        with open(kept, "a") as told:
            print(json.dumps([purpose, time.perf_counter() - start]), file=told)
data.held = held
from dashboards.serve import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One page, opened cold and again."""

    name: str
    asked: list[tuple[str, float]]
    first_s: float
    again_s: float
    faults: int


def large_flow(store: Store, spans: int) -> None:
    """One trace of so many spans, about ten levels deep."""
    begin = 1_800_000_000 * 10**9
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
    asked = [json.loads(line) for line in told.read_text().splitlines()]
    with window(browser) as page:
        again = content_s(page, address)
    return Opened(name=name, asked=asked, first_s=first, again_s=again, faults=faults)


def addresses(flow_id: str) -> dict[str, str]:
    """Each view with what its address needs to show something."""
    found = {}
    for name, facts in found_views().items():
        needs = name in ("trace", "replay")
        found[name] = f"/{facts.url_path}" + (f"?flow={flow_id}" if needs else "")
    return found


def show(pages: list[Opened]) -> None:
    table(
        ("page", "query s", "questions", "slowest question", "content s, cold", "content s, again",
         "exceptions"),
        [
            (one.name, sum(taken for _, taken in one.asked), len(one.asked),
             max(one.asked, key=lambda it: it[1])[0] if one.asked else "none",
             one.first_s, one.again_s, one.faults)
            for one in pages
        ],
    )  # fmt: skip


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
        print(
            f"\nWaterfall of {shown} spans: drawn after {drawn:.1f} s with {nodes} rows in the "
            f"page; a search took {searched * 1000:.0f} ms ({count.text_content()})"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--flows", type=int, default=FLOWS, help="19 spans each")
    parser.add_argument("--store", type=Path, help="a store to open instead of a generated one")
    given = parser.parse_args()
    if not CHROMIUM.exists():
        print(f"no {CHROMIUM}: apt-get install chromium")
        return
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        path = given.store or Path(folder) / "pages.duckdb"
        store = Store(path)
        if given.store is None:
            with stored_sample(Path(folder), derived=False).lease("benchmark") as session:
                sample = recorded(session)
            fill(store, sample, given.flows)
            large_flow(store, LARGE_SPANS)
            rebuild(store, RebuildSettings())
        with store.lease("benchmark") as session:
            large = bool(read_spans(session, [LARGE_TRACE]))
            flow_id = read_flows(session, FlowSelection(limit=1))[0].flow_id
        told = Path(folder) / "asked.jsonl"
        with serving(path, told) as (base, process), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            pages = [
                opened(browser, name, base + address, path, told)
                for name, address in addresses(flow_id).items()
            ]
            show(pages)
            if large:
                waterfall(browser, base, LARGE_TRACE)
            browser.close()
            print(f"\nThe server held {memory_mb('VmHWM', [process]):,} MB at most.")
    print(machine())
    if any(one.faults for one in pages):
        sys.exit("a page shows an exception")


if __name__ == "__main__":
    main()
