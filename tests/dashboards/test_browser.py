"""The pages in a real browser, served as the command serves them.

Screenshots are written for a person to look at; nothing compares their pixels.
"""

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
from contextlib import contextmanager
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
store, port, token, sign_in = sys.argv[1:]
file = Path(sign_in) if sign_in else None
serve(Path(store), port=int(port), token=token or None, sign_in=file, read_only=True)
"""
TOKEN = "a token that nobody guesses"

expect.set_options(timeout=30_000)  # a busy machine draws late

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
    with serving(filled_store, tmp_path_factory.mktemp("elsewhere")) as base:
        yield base


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    store: Path, elsewhere: Path, token: str = "", *, sign_in: str = "", port: int = 0
) -> Iterator[str]:
    """The pages, served from a folder that is not ours."""
    port = port or free_port()
    log = elsewhere / "server.log"
    command = [sys.executable, "-c", SERVE, str(store), str(port), token, sign_in]
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
    context.set_default_timeout(60_000)
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
    for card in ("Ended well", "Budget left", "Open incidents", "Stuck sagas"):
        expect(page.get_by_test_id("stMetric").filter(has_text=card)).to_be_visible()
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


def test_hostile_names_inject_nothing_into_a_tab(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}&tab=Steps")
    for tab in ("Steps", "Sequence", "Decisions", "Logs", "Compare", "Raw"):
        label = visit.page.get_by_role("tab", name=tab)
        label.click()
        visit.page.wait_for_url(f"**tab={tab}*")
        expect(label).to_have_attribute("aria-selected", "true")
        visit.settle()
        if tab in ("Steps", "Sequence"):
            visit.page.locator('[data-testid="stMermaidChart"] img').wait_for()
        visit.shot(tab.lower())
        assert visit.page.get_by_test_id("stException").count() == 0, tab


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("differs", "/flows?view=What+differs&outcome=compensation_failed"),
        ("map", "/map?caller=<img+src=x+onerror=window.hacked=1>&callee=x"),
        ("replay", f"/replay?flow={BROKEN_FLOW}&change=timeout&op=<img+src=x>&value=1"),
        ("hostile-scope", "/flows?from=<img+src=x>&env=<img+src=x>&service=<img+src=x>"),
        ("hostile-filters", "/flows?attribute=<img+src=x>&longer=<img+src=x>"),
    ],
)
def test_hostile_words_inject_nothing_into_a_page(visit: Visit, name: str, path: str) -> None:
    visit.open(path)
    visit.shot(name)
    assert visit.page.locator("img[src=x]").count() == 0


def test_the_menu_keeps_time_range_environment_and_service(visit: Visit) -> None:
    page = visit.page
    visit.open("/flows?from=1m")
    expect(page.get_by_text("3 of 24 flows")).to_be_visible()
    page.get_by_role("link", name="Service map").click()
    page.wait_for_url("**/map?from=1m")
    expect(page.get_by_text("3 flows of 24")).to_be_visible()


def test_a_call_on_the_map_leads_to_the_flows_where_it_failed(visit: Visit) -> None:
    page = visit.page
    visit.open("/map")
    page.locator(".map[data-ready]").wait_for()
    expect(page.get_by_text("8 of 56 (14.3 %)")).to_be_visible()
    visit.shot("service-map")
    page.get_by_role("link", name="Only flows where a try failed").click()
    page.wait_for_url("**/flows?**how=failed**")
    visit.settle()
    expect(page.get_by_text("4 of 24 flows")).to_be_visible()


def test_a_flow_leads_to_its_replay_which_says_why_there_is_none(visit: Visit) -> None:
    page = visit.page
    visit.open(f"/trace?flow={BROKEN_FLOW}")
    page.get_by_role("link", name="Replay, what if").click()
    page.wait_for_url("**/replay?flow=*")
    visit.settle()
    expect(page.get_by_text("This flow cannot be replayed.")).to_be_visible()
    page.get_by_role("link", name="Its trace").click()
    expect(rows(visit.waterfall())).to_have_count(6)


def test_a_flow_is_saved_as_a_chrome_trace(visit: Visit) -> None:
    visit.open(f"/trace?flow={BROKEN_FLOW}&tab=Raw")
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Chrome trace").click()
    assert download.value.suggested_filename.endswith(".chrome.json")
    events = json.loads(Path(download.value.path()).read_text())["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) == 6


def test_an_own_time_range_is_typed_and_goes_back(visit: Visit) -> None:
    page = visit.page
    visit.open("/flows?from=1m")
    expect(page.get_by_text("3 of 24 flows")).to_be_visible()
    visit.open("/flows?from=2026-11-03T10:00:00Z&to=2026-11-03T10:01:00Z")
    expect(page.get_by_text("3 of 24 flows")).to_be_visible()
    first = page.get_by_label(re.compile("^To "))
    first.fill("2026-11-03T10:02:00Z")
    first.press("Enter")
    page.wait_for_url("**to=2026-11-03T10%3A02%3A00Z**")
    expect(page.get_by_text("6 of 24 flows")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("3 of 24 flows")).to_be_visible()


def test_a_token_is_typed_once_and_opens_the_page_that_was_asked_for(
    filled_store: Path, tmp_path: Path, browser: Browser
) -> None:
    with serving(filled_store, tmp_path, TOKEN) as base:
        context = browser.new_context()
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.goto(f"{base}/flows?outcome=succeeded")
        expect(page.get_by_text("ask for a token")).to_be_visible()
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button").click()
        expect(page.get_by_text("That was not the token.")).to_be_visible()
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button").click()
        expect(page.get_by_text("20 of 24 flows")).to_be_visible(timeout=60_000)
        assert page.url == f"{base}/flows?outcome=succeeded"
        context.close()
