"""The drawing of the service map in a real browser, by itself: what overlaps, what a click says."""

import json
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboards.components import service_map
from dashboards.service_graph import Call, graph_of
from tests.dashboards.conftest import HOSTILE
from tests.dashboards.test_browser import browser, pytestmark

__all__ = ["browser", "pytestmark"]

HERE = Path(service_map.__file__).parent
NAMES = ("payment", "customer-profile", "notification-dispatch", "identity-verification", "stock")
MARGINS_PX = 64  # of the page beside the drawing
RECTANGLES = """
of => [...document.querySelectorAll(of)].map(it => it.getBoundingClientRect())
  .map(it => [it.left, it.top, it.right, it.bottom])
"""


def call(caller: str, callee: str, number: int) -> Call:
    return {
        "caller": caller, "callee": callee, "attempts": 1_000 + number, "calls": 1_000,
        "errors": 900 if number % 9 == 0 else 0, "timeouts": 0, "ended": 1_000, "p95_ns": 10**8,
    }  # fmt: skip


def calls_of(services: int, layers: int) -> list[Call]:
    """Services in layers, each called by one or two of the layer before."""
    names = [f"{NAMES[n % len(NAMES)]}-{n}" for n in range(services)]
    bounds = [1 + (services - 1) * n // (layers - 1) for n in range(layers)]
    levels = [names[:1], *(names[begin:end] for begin, end in pairwise(bounds))]
    return [
        call(upper[(place + extra) % len(upper)], name, place + extra)
        for upper, lower in pairwise(levels)
        for place, name in enumerate(lower)
        for extra in range(min(len(upper), 1 + place % 2))
    ]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def draw(page: Page, calls: list[Call], width: int, chosen: tuple[str, ...] = ()) -> None:
    """The component on an empty page, as Streamlit mounts it."""
    page.set_viewport_size({"width": width - MARGINS_PX, "height": 900})
    css = (HERE / "service_map.css").read_text()
    page.set_content(f"<style>body {{ margin: 0 }} {css}</style>{service_map._HTML}")
    parts = ("service_map_layout.js", "service_map.js")
    code = "\n".join((HERE / part).read_text() for part in parts)
    data: dict[str, Any] = service_map.drawing(graph_of(calls), chosen)
    mounted = code.replace("export default function", "window.mount = function")
    page.add_script_tag(content=f"{{ {mounted} }}")
    page.evaluate(
        "data => mount({ data, parentElement: document.body,"
        " setTriggerValue: (name, value) => { window.told = [name, value]; } })",
        json.loads(json.dumps(data)),
    )
    page.locator(".map[data-ready]").wait_for()


def overlapping(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(
    ("services", "layers", "width"),
    [(3, 2, 1440), (12, 4, 1024), (60, 5, 1024), (60, 5, 1440), (60, 2, 1024), (20, 7, 1024)],
)
def test_nothing_of_the_drawing_overlaps_or_is_cut_off(
    page: Page, services: int, layers: int, width: int
) -> None:
    draw(page, calls_of(services, layers), width)
    boxes, labels = page.evaluate(RECTANGLES, ".box"), page.evaluate(RECTANGLES, ".label")
    assert len(boxes) == services
    assert not [pair for pair in combinations(boxes, 2) if overlapping(*pair)]
    assert not [pair for pair in combinations(labels, 2) if overlapping(*pair)]
    assert not [1 for label in labels for box in boxes if overlapping(label, box)]
    assert max(box[2] for box in boxes) <= width - MARGINS_PX, "all of it is seen at once"
    cut = "all => all.filter(it => it.scrollHeight > it.clientHeight + 1).length"
    assert page.locator(".name").evaluate_all(cut) == 0, "names are whole"
    assert page.locator(".box").evaluate_all(cut) == 0


def test_lines_pass_beside_the_boxes_between_their_ends(page: Page) -> None:
    rows = [call("a", "b", 1), call("b", "c", 1), call("c", "d", 1), call("a", "d", 1)]
    draw(page, rows, 1440)
    crossed = """() => {
      const boxes = [...document.querySelectorAll(".box")].map(it => it.getBoundingClientRect());
      const origin = document.querySelector("svg").getBoundingClientRect();
      return [...document.querySelectorAll(".edge")].flatMap(line => boxes.filter(box => {
        for (let at = 0; at <= 1; at += 0.01) {
          const { x, y } = line.getPointAtLength(line.getTotalLength() * at);
          const [left, top] = [x + origin.left, y + origin.top];
          const within = left > box.left + 2 && left < box.right - 2;
          if (within && top > box.top && top < box.bottom) return true;
        }
        return false;
      })).length;
    }"""
    assert page.evaluate(crossed) == 0


def test_a_service_and_a_call_are_selected_by_mouse_and_by_keys(page: Page) -> None:
    draw(page, [call("web", "shop", 1), call("shop", "bank", 9)], 1024)
    page.locator(".box", has_text="shop").click()
    assert page.evaluate("told") == ["select", ["shop"]]
    ends = page.locator(".box").nth(1).bounding_box(), page.locator(".box").nth(2).bounding_box()
    assert ends[0] and ends[1]
    between = (ends[0]["x"] + ends[0]["width"] + ends[1]["x"]) / 2
    page.mouse.click(between, ends[0]["y"] + ends[0]["height"] / 2)
    assert page.evaluate("told") == ["select", ["shop", "bank"]]
    page.locator(".box").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.evaluate("told") == ["select", ["bank"]]


def test_what_is_chosen_stands_out_with_its_neighbours(page: Page) -> None:
    draw(page, calls_of(12, 4), 1024, ("payment-0",))
    expect(page.locator(".box.chosen")).to_have_count(1)
    assert 1 < page.locator(".box.near").count() < 12


def test_services_that_call_themselves_or_each_other_are_drawn(page: Page) -> None:
    draw(page, [call("a", "a", 1), call("a", "b", 2), call("b", "a", 3)], 1024)
    expect(page.locator(".edge")).to_have_count(3)
    assert "NaN" not in page.locator("svg").inner_html()


def test_hostile_names_are_drawn_as_text(page: Page) -> None:
    draw(page, [call(HOSTILE, "bank", 9), call("bank", HOSTILE + "2", 9)], 1024)
    assert page.locator("img, script[src], a").count() == 0
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".name").first).to_contain_text("<img src=x onerror")
