"""Records the sample incidents anew: `python sample_traces/services/record.py`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sample_traces.services.cluster import ROOT, Cluster
from sample_traces.services.decisions import chain
from sample_traces.services.expected import expected_toml
from sample_traces.services.faults import Plan, Release, load_plan
from sample_traces.services.orders import order
from sample_traces.services.plain import strip_sample
from sample_traces.services.process import VERSIONS
from sample_traces.services.sink import FILES, write_lines
from sample_traces.services.web import dumps, post

PLANS = ("payment-healthy", "payment-brownout")
PLAIN = {"payment-brownout": "payment-brownout-plain"}
LEAD_ORDERS = 14
"""A release starts so many orders before its first one."""
FLOW_TIMEOUT_S = 60.0
LATE_WORK_S = 3.0
"""What gateways may still work on after the last flow ended."""


@dataclass(slots=True, kw_only=True)
class Driver:
    """Places the plan's orders, and rolls releases out and back."""

    plan: Plan
    cluster: Cluster
    submitted_ns: dict[int, int] = field(default_factory=dict)
    ended_ns: dict[int, int] = field(default_factory=dict)
    starters: list[threading.Thread] = field(default_factory=list)

    def run(self) -> None:
        """Place all orders at the plan's pace."""
        pool = ThreadPoolExecutor(self.plan.concurrency)
        due = time.monotonic()
        slots = threading.BoundedSemaphore(self.plan.concurrency)
        futures = []
        for index in range(self.plan.flows):
            self._roll(index)
            due = max(due, time.monotonic() - self.plan.interval_ms / 1000)
            time.sleep(max(0.0, due - time.monotonic()))
            due += self.plan.interval_ms / 1000 * (0.7 + 0.6 * self.plan.draw("arrival", index))
            slots.acquire()
            futures.append(pool.submit(self._pay, index, slots))
        for future in futures:
            future.result()
        pool.shutdown()

    def _roll(self, index: int) -> None:
        """Start the releases that come soon, without holding up the orders."""
        for release in self.plan.releases:
            name = f"orchestrator@{release.version}"
            if release.first - LEAD_ORDERS <= index <= release.last:
                if not self.cluster.running(name):
                    self._start(name, release)
                if index == release.first:
                    self.cluster.await_ready(name)

    def _start(self, name: str, release: Release) -> None:
        self.cluster.start(name, release.policy)
        if release.first == 0:
            self.cluster.await_ready(name)

    def _pay(self, index: int, slots: threading.BoundedSemaphore) -> None:
        try:
            release = self.plan.release(index)
            port = self.cluster.ports[f"orchestrator@{release.version}"]
            self.submitted_ns[index] = time.time_ns()
            post(port, "/payments", dumps(order(self.plan, index)), {}, FLOW_TIMEOUT_S)
            self.ended_ns[index] = time.time_ns()
        finally:
            slots.release()


def record(plan: Plan, out: Path) -> None:
    """Record one plan into `out/NAME`."""
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder)
        cluster = Cluster(plan, run_dir)
        driver = Driver(plan=plan, cluster=cluster)
        try:
            for name in ("sink", *VERSIONS):
                cluster.start(name)
            for name in ("sink", *VERSIONS):
                cluster.await_ready(name)
            driver.run()
            time.sleep(LATE_WORK_S)
        finally:
            cluster.stop_all()
        _write(plan, driver, run_dir, out / plan.name)


def _write(plan: Plan, driver: Driver, run_dir: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    books: dict[str, Any] = {
        path.stem.removeprefix("books-"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(run_dir.glob("books-*.json"))
    }
    for name in FILES.values():
        (target / name).write_bytes((run_dir / name).read_bytes())
    journals = [book for name, book in books.items() if name.startswith("orchestrator@")]
    flows = [flow for book in journals for flow in book.get("flows", [])]
    settled = {flow["order_id"]: flow["output"]["status"] for flow in flows}
    records = [entry["record"] for book in journals for entry in book.get("decisions", [])]
    write_lines(target / "decisions.jsonl.gz", chain(plan, records, settled, datetime.now(UTC)))
    text = expected_toml(plan, books, driver.submitted_ns, driver.ended_ns)
    (target / "expected.toml").write_text(text, encoding="utf-8")
    if plan.name in PLAIN:
        strip_sample(target, target.parent / PLAIN[plan.name])


def main() -> None:
    """Record the named plans, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "sample_traces")
    parser.add_argument("plans", nargs="*", help=f"of {', '.join(PLANS)}; all if none")
    options = parser.parse_args()
    for name in options.plans or PLANS:
        started = time.monotonic()
        record(load_plan(name), options.out)
        print(f"{name}: recorded in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
