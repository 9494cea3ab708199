"""The waterfall of one large flow: to drawn, a search, a key, a turn of the wheel."""

import time
from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page

from benchmarks.lib.served import window
from store.lease import Store
from store.model import Batch, Span
from store.read import counts
from store.write import write_batch

LARGE_TRACE = f"{2**100:032x}"
STEPS = 15


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
