"""Signing in by OpenID Connect, at a real provider on loopback, in a browser."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboards.test_browser import browser, free_port, pytestmark, serving

__all__ = ["browser", "pytestmark"]  # fixtures, and when they can run

SECONDS_MAX = 40.0


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """The address of a provider that knows nobody yet and takes whoever says a name."""
    port = free_port()
    # Its own imports warn of what Authlib will drop; that is not for this suite to judge.
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        base = f"http://localhost:{port}"
        try:
            deadline = time.monotonic() + SECONDS_MAX
            while not _answers(f"{base}/.well-known/openid-configuration"):
                assert time.monotonic() < deadline, "the provider did not come up"
                time.sleep(0.1)
            yield base
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="module")
def pages(
    filled_store: Path, provider: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The pages behind that provider."""
    folder = tmp_path_factory.mktemp("sign-in")
    port = free_port()
    settings = folder / "auth.toml"
    settings.write_text(f"""
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{os.urandom(24).hex()}"
client_id = "retrospan"
client_secret = "nobody else knows"
server_metadata_url = "{provider}/.well-known/openid-configuration"
""")
    with serving(filled_store, folder, sign_in=str(settings), port=port) as base:
        yield base.replace("127.0.0.1", "localhost")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("address", ["/", "/flows", f"/trace?flow=trace:{4:032x}", "/ai", "/slos"])
def test_without_signing_in_no_page_shows_anything_of_the_store(
    pages: str, page: Page, address: str
) -> None:
    frames: list[str] = []
    page.on("websocket", lambda it: it.on("framereceived", lambda got: frames.append(str(got))))
    page.goto(pages + address)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.wait_for_timeout(500)
    assert page.get_by_test_id("stMetric").count() == 0
    assert page.get_by_test_id("stDataFrame").count() == 0
    told = "".join(frames)
    assert told
    assert not any(word in told for word in ("card payment", "checkout", "trace:000", "decision-"))


def test_who_signs_in_sees_the_pages_until_they_sign_out(pages: str, page: Page) -> None:
    page.goto(pages + "/flows?outcome=succeeded")
    page.get_by_role("button", name="Sign in").click()
    page.locator('input[name="sub"]').fill("risk@example.org")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_text("20 of 24 flows")).to_be_visible()
    assert page.url == f"{pages}/flows?outcome=succeeded"
    page.reload()
    expect(page.get_by_text("20 of 24 flows")).to_be_visible()
    expect(page.get_by_text("Signed in as risk@example.org")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(pages + "/flows")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_who_is_refused_by_the_provider_sees_nothing(pages: str, page: Page) -> None:
    page.goto(pages)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url(f"{pages}/**")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.get_by_test_id("stMetric").count() == 0


def test_a_made_up_cookie_signs_nobody_in(pages: str, page: Page) -> None:
    page.context.add_cookies(
        [{"name": "_streamlit_user", "value": '"{\\"is_logged_in\\": true}"', "url": pages}]
    )
    page.goto(pages + "/flows")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.get_by_test_id("stDataFrame").count() == 0
