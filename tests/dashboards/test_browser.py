"""The pages in a real browser, served as the command serves them.

Screenshots are written for a person to look at; nothing compares their pixels.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
BROKEN_FLOW = f"trace:{4:032x}"
CHARGE_SPAN = f"{4 * 256 + 3:016x}"
START_SECONDS_MAX = 40.0
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
SERVE = """
import sys
from pathlib import Path
from dashboards.serve import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and not os.environ.get("CI"),
        reason="no /usr/bin/chromium: apt-get install chromium",
    ),
]


@dataclass
class Visit:
    """A browser page, and what it did that it must not do."""

    page: Page
    base: str
    outside: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(self.base + path)
        self.settle()

    def settle(self) -> None:
        quiet = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        self.page.locator(quiet).wait_for(state="attached")
        self.page.locator('[role="heading"][aria-level="2"]').first.wait_for()

    def shot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def waterfall(self) -> Locator:
        tree = self.page.locator(".waterfall[data-ready]")
        tree.wait_for()
        return tree

    def watch(self) -> None:
        own = (self.base, self.base.replace("http", "ws"), "data:", "blob:")

        def asked(url: str) -> None:
            if not url.startswith(own):
                self.outside.append(url)

        self.page.on("request", lambda request: asked(request.url))
        self.page.on("websocket", lambda socket: asked(socket.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("dialog", lambda dialog: self.faults.append(dialog.message))


@pytest.fixture(scope="module")
def server(filled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    log = elsewhere / "server.log"
    command = [sys.executable, "-c", SERVE, str(filled_store), str(port)]
    with (
        log.open("w") as sink,
        subprocess.Popen(command, cwd=elsewhere, stdout=sink, stderr=sink) as process,
    ):
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until_up(base, process, log)
            yield base
        finally:
            process.terminate()
            process.wait(15)
    assert "Traceback" not in log.read_text()


def wait_until_up(base: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not come up: {log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, server: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh window; whatever the test did, no fault and no request to elsewhere may be left."""
    scheme: Literal["light", "dark"] = getattr(request, "param", "light")
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)
    context.set_default_timeout(20_000)
    visit = Visit(page=context.new_page(), base=server)
    visit.watch()
    yield visit
    exceptions = visit.page.locator('[data-testid="stException"]').count()
    hacked = visit.page.evaluate("window.hacked")
    planted = visit.page.locator('img[src="x"], a[href^="javascript"]').count()
    context.close()
    assert (visit.outside, visit.faults) == ([], [])
    assert (exceptions, hacked, planted) == (0, None, 0)


def rows(tree: Locator) -> Locator:
    return tree.locator('[role="treeitem"]')


def test_a_person_gets_from_the_overview_to_the_span_that_failed(visit: Visit) -> None:
    page = visit.page
    visit.open("/")
    expect(page.get_by_test_id("stMetric")).to_have_count(6)
    page.get_by_test_id("stEChartsChart").wait_for()
    visit.shot("overview")
    page.get_by_role("link", name="4 ended badly").click()
    page.wait_for_url("**/flows?with=*")
    visit.settle()
    expect(page.get_by_text("4 of 24 flows")).to_be_visible()
    table = page.get_by_test_id("stDataFrame")
    visit.shot("flows")
    table.click(position={"x": 140, "y": 54})
    page.wait_for_url("**/trace?flow=*")
    tree = visit.waterfall()
    expect(rows(tree)).to_have_count(6)
    rows(tree).filter(has_text="release stock").click()
    page.wait_for_url("**span=*")
    expect(page.get_by_text("release stock").nth(0)).to_be_visible()
    visit.settle()
    visit.shot("trace")
    page.go_back()
    page.wait_for_url(re.compile(r"/trace\?flow=[^&]*$"))


@pytest.mark.parametrize("visit", ["dark"], indirect=True)
def test_a_deep_link_opens_at_its_span(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}&span={CHARGE_SPAN}")
    chosen = visit.waterfall().locator('[role="treeitem"][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text("try 2/2")
    expect(visit.page.get_by_text(f"span {CHARGE_SPAN}")).to_be_visible()
    visit.shot("trace-dark")


def test_the_waterfall_works_without_a_mouse(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}")
    tree = visit.waterfall()
    cursor = tree.locator(".row.cursor")
    tree.get_by_role("tree").focus()
    visit.page.keyboard.press("Home")
    expect(cursor).to_have_attribute("aria-level", "1")
    visit.page.keyboard.press("ArrowLeft")
    expect(cursor).to_have_attribute("aria-expanded", "false")
    expect(rows(tree)).to_have_count(2)
    visit.page.keyboard.press("ArrowRight")
    expect(rows(tree)).to_have_count(6)
    visit.page.keyboard.press("ArrowDown")
    expect(cursor).to_contain_text("reserve stock")
    visit.page.keyboard.press("e")
    visit.page.wait_for_url("**span=*")
    expect(cursor).to_contain_text("charge card")
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("release")
    expect(tree.locator(".row:not(.dim)")).to_have_count(1)
    visit.page.keyboard.press("Escape")
    expect(rows(tree)).to_have_count(6)


def test_errors_alone_keep_the_way_to_them(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}")
    tree = visit.waterfall()
    tree.get_by_role("button", name="Errors only").click()
    expect(tree.locator(".count")).to_have_text("2 of 6 spans match")
    expect(rows(tree)).to_have_count(3)
    tree.get_by_role("button", name="Critical path").click()
    expect(tree.locator(".count")).to_have_text("1 of 6 spans match")


def test_evidence_of_a_check_leads_to_its_span(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}&tab=Checks")
    visit.page.get_by_text("S3: compensations run in reverse order").wait_for()
    visit.shot("checks")
    visit.page.get_by_role("button", name="checkout charge card").first.click()
    chosen = visit.waterfall().locator('[role="treeitem"][aria-selected="true"]')
    expect(chosen).to_contain_text("charge card")


@pytest.mark.parametrize("tab", ["Steps", "Decisions", "Raw"])
def test_hostile_names_inject_nothing_into_a_tab(visit: Visit, tab: str) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}&tab={tab}")
    expect(visit.page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    if tab == "Steps":
        visit.page.locator('[data-testid="stMermaidChart"] img').wait_for()
    visit.shot(tab.lower())
