"""The pages: query time, time to content, how long the store is held; each opened in Chromium.

The sample incident `payment-brownout` many times over. First a store that was really loaded and
derived, `--flows` of them; then the same store multiplied inside DuckDB to `--spans` over thirty
days (telemetry and conclusions both; see lib/multiplied.py), because loading so many would take
hours; both with one flow of 20,000 spans. `--keep FILE` leaves the second one there, `--store FILE`
measures one that is there and makes none. Every page is opened twice in a fresh window, as a deep
link: first with no answer kept (the store's time stamp is moved, which is what a load does), then
again; so is each of its tabs, and what it shows of one service, call, decision, objective. Query
seconds are those that the server held the store for; questions that are asked together share a
hold. CPU seconds are the server's for the same, and steadier on a busy machine. `all of it` opens a
page of the large store with the whole range; where that is more than a page answers for within a
second it asks for a press, and nothing is computed (`waits` in the table). Of the large flow the
waterfall is measured too: to drawn, a search typed into it, a key pressed, a wheel turned.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11; Chromium draws in software on the same processors.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from playwright.sync_api import Browser, sync_playwright

from analyzer.rebuild import RebuildSettings, rebuild
from analyzer.slo.openslo import read_slos
from benchmarks.lib.copies import fill, recorded
from benchmarks.lib.measuring import machine, memory_mb, stored_sample, table
from benchmarks.lib.multiplied import multiply
from benchmarks.lib.served import COLUMNS, Opened, opened, serving, tabs
from benchmarks.lib.waterfall import LARGE_TRACE, large_flow, waterfall
from dashboards.app import found_views
from dashboards.configured import SHIPPED
from replay.recording import recording_of
from store.conclusions import Flow, FlowOutcome, Incident
from store.lease import Store
from store.read import counts, read_flows, read_incidents, read_spans
from store.read_derived import FlowSelection
from store.session import Session
from store.write_derived import write_incident

FLOWS = 2_400
SPANS = 10_000_000
DAYS_NS = 30 * 86_400 * 10**9
FLOWS_OF_SAMPLE = 600
LARGE_SPANS = 20_000
CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking"]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """What of a store is opened: one flow, an attribute of its spans, an incident."""

    flow: Flow
    attribute: str
    incident_id: str | None


def examples(session: Session) -> Examples:
    (flow,) = read_flows(session, FlowSelection(limit=1))
    texts = [
        f"{key}={value}"
        for span in read_spans(session, flow.trace_ids)
        for key, value in sorted(span.attributes.items())
        if isinstance(value, str) and len(value) < 40
    ]
    incidents = read_incidents(session)
    return Examples(
        flow=flow,
        attribute=texts[0] if texts else "none=recorded",
        incident_id=incidents[-1].incident_id if incidents else None,
    )


def addresses(found: Examples, *, wide: bool) -> Iterator[tuple[str, str]]:
    """Each view by name with what its address needs to show something; those with a range also
    `wide`; then what a view shows only when it is asked for, but for its tabs."""
    paths = {name: facts.url_path for name, facts in found_views().items()}
    own = {name: {"flow": found.flow.flow_id} for name in ("trace", "replay")}
    for name, path in paths.items():
        yield name, f"/{path}?{urlencode(own.get(name, {}))}"
        if wide and name != "trace":
            yield f"{name}, all of it", f"/{path}?{urlencode({**own.get(name, {}), 'from': 'all'})}"
    for name, asked in asked_for(found):
        view = name.partition(",")[0]
        yield name, f"/{paths[view]}?{urlencode({**own.get(view, {}), **asked})}"


def asked_for(found: Examples) -> Iterator[tuple[str, dict[str, str]]]:
    """What a view shows when its address asks for more, by name."""
    flow = found.flow
    yield "compensation, one flow", {"flow": flow.flow_id}
    yield "quality, one service", {"about": flow.services[0]}
    yield "service_map, one service", {"node": flow.services[0]}
    yield "flows, what differs", {"with": "ended badly", "view": "What differs"}
    yield "flows, an attribute", {"attribute": found.attribute}
    for step in [step for step in flow.steps if step.callee][:1]:
        yield "flows, a call", {"caller": step.service, "callee": step.callee, "how": "failed"}
    for decision_id in flow.decision_ids[:1]:
        yield "ai, one decision", {"decision": decision_id}
    objectives = SHIPPED / f"{flow.name}.yaml"
    if objectives.exists():
        yield "slos, one", {"slo": read_slos([objectives])[0].name}
    for call in [call for call in recording_of(flow).steps if not call.local][:1]:
        yield "replay, what-if", {"change": "timeout", "op": call.op, "value": "1000"}
    if found.incident_id is not None:
        yield "incidents, one", {"id": found.incident_id}


def shown(browser: Browser, base: str, found: Examples, *, wide: bool) -> Iterator[tuple[str, str]]:
    """All that is opened, by name: the views, and of each the tabs where it first shows some."""
    looked_into = set()
    for name, address in addresses(found, wide=wide):
        yield name, base + address
        view = name.partition(",")[0]
        inside = () if view in looked_into else tabs(browser, base + address)
        for label, url in inside:
            looked_into.add(view)
            yield f"{name}: {label}", url


def measured(path: Path, folder: Path, *, wide: bool) -> list[Opened]:
    """Opens every page of one store, prints what it took: each when it was, then the table."""
    with Store(path).lease("benchmark") as session:
        known = counts(session)
        large = bool(read_spans(session, [LARGE_TRACE]))
        found = examples(session)
    print(f"\n{known.spans:,} spans, {known.flows:,} flows, {known.decisions:,} decisions")
    told = folder / "asked.jsonl"
    with serving(path, told) as (base, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        pages = []
        for name, url in shown(browser, base, found, wide=wide):
            pages.append(opened(browser, name, url, path, told))
            said = f"  {name}: content after {pages[-1].first_s:.1f} s"
            print(said, file=sys.stderr, flush=True)
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
