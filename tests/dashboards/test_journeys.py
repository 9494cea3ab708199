"""Ways people take over several pages, in a browser: from an incident, a budget, a decision."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboards.test_browser import Visit, browser, pytestmark, serving, visit
from tests.dashboards.test_page_states import CONFIG, POLICY, SLO

__all__ = ["browser", "pytestmark", "visit"]  # fixtures, and when they can run

HEADER_PX, ROW_PX = 35, 35


@pytest.fixture(scope="module")
def server(filled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages with an objective configured."""
    folder = tmp_path_factory.mktemp("configured")
    (folder / "slo.yaml").write_text(SLO)
    (folder / "retrospan.toml").write_text('[slo]\nfiles = ["slo.yaml"]\n')
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(CONFIG, str(folder / "retrospan.toml"))
        with serving(filled_store, folder) as base:
            yield base


def pick(table: Locator, row: int = 0) -> None:
    """Clicks a cell of a row; tables are drawn on a canvas."""
    table.scroll_into_view_if_needed()
    table.click(position={"x": 140, "y": HEADER_PX + ROW_PX * row + 18})


def table(page: Page, place: int = 0) -> Locator:
    return page.get_by_test_id("stDataFrame").nth(place)


def test_from_an_incident_to_its_cause_its_replay_and_its_report(visit: Visit) -> None:
    page = visit.page
    visit.open("/incidents")
    pick(table(page))
    page.wait_for_url("**/incidents?id=incident-1*")
    visit.settle()
    expect(page.get_by_test_id("stMetric")).to_have_count(5)
    page.get_by_test_id("stEChartsChart").wait_for()
    visit.shot("incident-timeline")
    page.get_by_role("tab", name="Candidates").click()
    page.wait_for_url("**part=Candidates*")
    expect(page.get_by_text("What sets the affected flows apart")).to_be_visible()
    visit.settle()
    visit.shot("incident-candidates")
    page.get_by_role("tab", name="Report").click()
    page.wait_for_url("**part=Report*")
    paper = page.frame_locator("iframe")
    expect(paper.get_by_role("heading", name="Post-mortem")).to_be_visible()
    visit.shot("incident-report")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save HTML").click()
    assert "Post-mortem" in saved.value.path().read_text()
    page.get_by_role("link", name="4 flows →", exact=True).first.click()
    page.wait_for_url("**/flows?*incident=incident-1*")
    visit.open("/replay?flow=trace:" + f"{4:032x}")
    expect(page.get_by_role("heading", name="Replay & what-if")).to_be_visible()


def test_from_an_objective_to_who_spent_it_to_a_bad_flow(visit: Visit) -> None:
    page = visit.page
    visit.open("/slos")
    pick(table(page))
    page.wait_for_url("**/slos?slo=paid*")
    visit.settle()
    expect(page.get_by_text("-66.7 %").or_(page.get_by_text("−66.7 %")).first).to_be_visible()
    expect(page.get_by_test_id("stEChartsChart").first).to_be_visible()
    visit.shot("slo")
    bad = page.get_by_test_id("stDataFrame").last
    expect(page.get_by_text("4 flows. Select a row to open the flow.")).to_be_visible()
    pick(bad)
    page.wait_for_url("**/trace?flow=*")
    visit.waterfall()


@pytest.mark.parametrize("visit", ["dark"], indirect=True)
def test_from_a_decision_to_its_provenance_to_its_span(visit: Visit) -> None:
    page = visit.page
    visit.open("/ai?flag=below+threshold")
    expect(page.get_by_text("5 of 24 decisions")).to_be_visible()
    pick(table(page))
    page.wait_for_url("**decision=decision-*")
    visit.settle()
    expect(page.get_by_text("Where it came from, what it led to")).to_be_visible()
    visit.shot("decision-dark")
    page.get_by_role("link", name="Its span").click()
    page.wait_for_url("**/trace?*span=*")
    visit.waterfall()


def test_from_what_is_stuck_to_its_path_and_trace(visit: Visit) -> None:
    page = visit.page
    visit.open("/compensation")
    pick(table(page))
    page.wait_for_url("**/compensation?flow=*")
    visit.settle()
    page.locator('[data-testid="stMermaidChart"] img').wait_for()
    visit.shot("compensation")
    page.get_by_role("link", name="Open its trace").click()
    page.wait_for_url("**/trace?flow=*")
    expect(visit.waterfall()).to_be_visible()


def test_from_a_gap_to_an_example_of_it(visit: Visit) -> None:
    page = visit.page
    visit.open("/quality")
    expect(page.get_by_text("4 of 24 flows (16.7 %) are not whole")).to_be_visible()
    visit.shot("quality")
    pick(table(page))
    page.wait_for_url("**/quality?about=*")
    visit.settle()
    expect(page.get_by_text("What cannot be known of one service")).to_be_visible()


@pytest.mark.parametrize(
    "address",
    ["/incidents?id=incident-1", "/ai?decision=decision-3", f"/compensation?flow=trace:{4:032x}"],
)
def test_hostile_names_inject_nothing(visit: Visit, address: str) -> None:
    visit.open(address)
    visit.page.get_by_test_id("stDataFrame").first.wait_for()
    visit.page.wait_for_timeout(500)
    assert visit.page.evaluate("window.hacked") is None


def test_back_undoes_one_step_at_a_time_over_pages_tabs_and_previews(visit: Visit) -> None:
    page = visit.page
    visit.open("/incidents")
    pick(table(page))
    page.wait_for_url("**/incidents?id=incident-1")
    visit.settle()
    page.get_by_role("tab", name="Report").click()
    page.wait_for_url("**/incidents?id=incident-1&part=Report")
    paper = page.frame_locator("iframe")
    expect(paper.get_by_role("heading", name="Post-mortem")).to_be_visible()
    page.get_by_text("leader", exact=True).click()
    page.wait_for_url("**part=Report&for=leader")
    expect(paper.get_by_text("for the leader")).to_be_visible()
    page.go_back()
    page.wait_for_url("**/incidents?id=incident-1&part=Report")
    expect(paper.get_by_text("for the engineer")).to_be_visible()
    page.go_back()
    page.wait_for_url("**/incidents?id=incident-1")
    expect(page.get_by_role("tab", name="Timeline")).to_have_attribute("aria-selected", "true")
    page.go_back()
    page.wait_for_url("**/incidents")
    expect(page.get_by_text("1 incident. Select a row to open it.")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert page.url == f"{visit.base}/incidents"  # the picked row is not followed again


def test_the_menu_takes_the_scope_along_and_back_undoes_one_page(visit: Visit) -> None:
    page = visit.page
    visit.open("/?from=1m&service=checkout")
    expect(page.get_by_text("3 flows of 24")).to_be_visible()
    for name, path in (("Flows", "flows"), ("Compensation", "compensation")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**/{path}?from=1m&service=checkout")
        visit.settle()
        expect(page.get_by_text("3 flows of 24")).to_be_visible()
    page.go_back()
    page.wait_for_url("**/flows?from=1m&service=checkout")
    expect(page.get_by_text("3 of 24 flows")).to_be_visible()
    page.go_back()
    page.wait_for_url(f"{visit.base}/?from=1m&service=checkout")


def test_back_to_an_address_without_a_scope_finds_it_as_it_was(visit: Visit) -> None:
    page = visit.page
    visit.open("/")
    chart = page.get_by_test_id("stEChartsChart").first
    page.wait_for_timeout(1_000)  # the chart draws after the page stands still
    chart.click(position={"x": 80, "y": 225})
    page.wait_for_url("**/flows?outcome=*from=*")
    visit.settle()
    page.go_back()
    page.wait_for_url(f"{visit.base}/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.wait_for_timeout(500)
    assert page.url == f"{visit.base}/"
    page.get_by_role("link", name="Compensation", exact=True).click()
    page.wait_for_url(f"{visit.base}/compensation")


def test_back_leaves_a_trace_that_a_row_led_to(visit: Visit) -> None:
    page = visit.page
    visit.open("/flows?outcome=compensation_failed")
    expect(page.get_by_text("4 of 24 flows")).to_be_visible()
    pick(table(page))
    page.wait_for_url("**/trace?flow=*")
    visit.waterfall()
    page.get_by_role("tab", name="Logs").click()
    page.wait_for_url("**tab=Logs*")
    visit.settle()
    page.go_back()
    visit.waterfall()
    page.go_back()
    page.wait_for_url("**/flows?outcome=compensation_failed")
    expect(page.get_by_text("4 of 24 flows")).to_be_visible()
    page.wait_for_timeout(1_500)
    assert page.url == f"{visit.base}/flows?outcome=compensation_failed"
    page.go_forward()
    visit.waterfall()


def test_from_a_decision_to_its_provenance_to_another_policy_and_back_to_a_decision(
    visit: Visit,
) -> None:
    page = visit.page
    visit.open("/ai?decision=decision-5")
    expect(page.get_by_text("Where it came from, what it led to")).to_be_visible()
    page.get_by_role("button", name="Ask another policy of all decisions").click()
    page.wait_for_url(re.compile("about=Policy"))
    expect(page.get_by_text("24 of 24 answers change")).to_be_visible()
    visit.shot("policy-back-test")
    policy = page.get_by_label("Policy: the first rule whose condition holds decides")
    policy.fill(POLICY.replace("escalate", "deny"))
    policy.press("Control+Enter")
    expect(page.get_by_text("careful", exact=True)).to_be_visible()
    expect(page.get_by_text("exact, by recomputation (C2)")).to_be_visible()
    pick(page.get_by_test_id("stDataFrame").last)
    page.wait_for_url("**/ai?decision=decision-*")
    visit.settle()
    page.go_back()
    page.wait_for_url(re.compile("about=Policy"))
    expect(page.get_by_text("careful", exact=True)).to_be_visible()


@pytest.mark.parametrize("visit", ["dark"], indirect=True)
def test_no_page_is_cut_off_at_the_side_of_a_small_screen(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 1024, "height": 1400})
    for address in ("/", "/slos?slo=paid", "/flows", "/map", "/compensation", "/ai", "/quality"):
        visit.open(address)
        name = address.strip("/").partition("?")[0] or "overview"
        visit.shot(f"small-dark-{name}")
        wide = visit.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 1024, address
