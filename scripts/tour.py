"""Makes the screenshots of `docs/tour.md`: the sample incidents in one store, pages in Chromium.

`python scripts/tour.py` writes `docs/tour/*.png`; `--store FILE` takes a store that is there.
Nothing compares the pictures: fonts differ between machines.
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
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "tour"
SAMPLES = ("payment-brownout", "onboarding-model-rollout", "enrichment-drift")
CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
QUIET = '[data-testid="stApp"][data-test-script-state="notRunning"]'
SECONDS_MAX = 90
FLOW = "order-000037"
PAGES = {
    "overview": "/",
    "incident": "/incidents?id=INCIDENT&part=Candidates",
    "slos": "/slos",
    "flows": "/flows",
    "contrast": "/flows?kind=payment&outcome=failed&view=What+differs",
    "trace": f"/trace?flow={FLOW}",
    "service-map": "/map",
    "compensation": "/compensation",
    "governance": "/ai?about=Versions",
    "policy": "/ai?about=Policy+back-test",
    "what-if": f"/replay?flow={FLOW}&change=timeout&op=gateway-eu+POST+/charges&value=80",
    "quality": "/quality",
    "coverage": "/quality?part=Coverage",
}
HEIGHTS = {"overview": 1_350, "contrast": 1_200, "what-if": 1_350, "service-map": 1_250,
           "incident": 1_250, "compensation": 1_300, "policy": 1_150,
           "governance": 1_050}  # fmt: skip
HEIGHT = 900
SERVE = """
import sys
from pathlib import Path
from dashboards.serve import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = given.store or filled(Path(folder) / "retrospan.duckdb")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-c", SERVE, str(store.resolve()), str(port)]
        # From its folder commands need not name the store: pictures say nothing of this machine.
        within = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, cwd=store.resolve().parent, env=within) as server:
            try:
                shoot(f"http://127.0.0.1:{port}", payment_incident(store))
            finally:
                server.terminate()


def filled(path: Path) -> Path:
    """A store with the sample incidents."""
    folders = [str(ROOT / "sample_traces" / name) for name in SAMPLES]
    for words in (["ingest", *folders], ["incidents", "find"]):
        command = [sys.executable, "-m", "retrospan", "--db", str(path), *words]
        subprocess.run(command, check=True, cwd=ROOT)
    return path


def payment_incident(store: Path) -> str:
    """The id of the incident with most flows: the payment brownout."""
    command = [sys.executable, "-m", "retrospan", "--db", str(store), "incidents", "list", "--json"]
    told = subprocess.run(command, check=True, cwd=ROOT, capture_output=True).stdout
    found = json.loads(told)["incidents"]
    return str(max(found, key=lambda one: (one["flow_count"], one["incident_id"]))["incident_id"])


def shoot(base: str, incident: str) -> None:
    """One small picture per page, by day."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    _until_up(base)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        page = browser.new_page(
            viewport={"width": 1280, "height": HEIGHT},
            device_scale_factor=0.75,
            color_scheme="light",
        )
        page.set_default_timeout(SECONDS_MAX * 1000)
        expect.set_options(timeout=SECONDS_MAX * 1000)
        for name, address in PAGES.items():
            page.set_viewport_size({"width": 1280, "height": HEIGHTS.get(name, HEIGHT)})
            page.goto(base + address.replace("INCIDENT", incident))
            page.locator('[role="heading"][aria-level="2"]').first.wait_for()
            page.locator(QUIET).wait_for(state="attached")
            page.wait_for_timeout(1_500)  # charts draw after the page stands still
            expect(page.get_by_test_id("stSkeleton")).to_have_count(0)  # tables come later still
            for one in page.get_by_title("The store these pages read").all():
                one.evaluate("node => node.remove()")  # where it lies is of this machine
            if page.get_by_test_id("stException").count():
                sys.exit(f"{address} shows an exception")
            page.screenshot(path=FOLDER / f"{name}.png")
            print(f"{FOLDER.name}/{name}.png")
        browser.close()


def _until_up(base: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    sys.exit("the server did not come up")


if __name__ == "__main__":
    main()
