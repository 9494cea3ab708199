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

if __package__ in (None, ""):  # run by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sample_traces.services.cluster import ROOT, Cluster
from sample_traces.services.faults import HERE, Plan, load_plan
from sample_traces.services.flags import write_flags
from sample_traces.services.plain import strip_sample
from sample_traces.services.sink import FILES, write_lines
from sample_traces.services.system import Books, Recording, System, load_system
from sample_traces.services.web import dumps, post

PLANS = tuple(sorted(path.stem for path in HERE.glob("*/plans/*.toml")))
PLAIN = {"payment-brownout": "payment-brownout-plain"}
LEAD_FLOWS = 14
"""A release starts so many flows before its first one."""
FLOW_TIMEOUT_S = 60.0
FLAG_DELAY_S = 0.2
"""A flag is turned so long after its first flow was placed: some flows are on their way."""


@dataclass(slots=True, kw_only=True)
class Driver:
    """Places the plan's requests, rolls releases out and back, and sets feature flags."""

    plan: Plan
    system: System
    cluster: Cluster
    run_dir: Path
    submitted_ns: dict[int, int] = field(default_factory=dict)
    ended_ns: dict[int, int] = field(default_factory=dict)
    turned_ns: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        """Place all requests at the plan's pace."""
        pool = ThreadPoolExecutor(self.plan.concurrency)
        due = time.monotonic()
        slots = threading.BoundedSemaphore(self.plan.concurrency)
        futures = []
        for index in range(self.plan.flows):
            self._roll(index)
            self.cluster.revive()
            if index == 0:
                self._turn_flags(index)
            due = max(due, time.monotonic() - self.plan.interval_ms / 1000)
            time.sleep(max(0.0, due - time.monotonic()))
            due += self.plan.interval_ms / 1000 * (0.7 + 0.6 * self.plan.draw("arrival", index))
            slots.acquire()
            futures.append(pool.submit(self._place, index, slots))
            if index:
                threading.Timer(FLAG_DELAY_S, self._turn_flags, (index,)).start()
        for future in futures:
            future.result()
        pool.shutdown()

    def _turn_flags(self, index: int) -> None:
        if index == 0 or any(rule.first == index for rule in self.plan.flags):
            write_flags(self.run_dir, self.plan, index)
            self.turned_ns[index] = time.time_ns()

    def settle(self) -> None:
        """Let late work end."""
        ends = time.monotonic() + self.system.settle_s
        while time.monotonic() < ends:
            self.cluster.revive()
            time.sleep(0.2)

    def _roll(self, index: int) -> None:
        """Start the releases that come soon, without holding up the flows."""
        for release in self.plan.releases:
            name = release.process
            if release.first - LEAD_FLOWS <= index <= release.last:
                if not self.cluster.running(name):
                    self.cluster.release(release)
                    if release.first == 0:
                        self.cluster.await_ready(name)
                if index == release.first:
                    self.cluster.await_ready(name)
        for name in self._worn_out(index):
            self.cluster.stop(name)

    def _worn_out(self, index: int) -> list[str]:
        """Old versions of consumers: a queue would go on giving them work."""
        own = [one for one in self.plan.releases if one.service in self.system.consumers]
        last = {one.process: max(it.last for it in own if it.process == one.process) for one in own}
        return [
            name for name, at in sorted(last.items()) if at < index and self.cluster.running(name)
        ]

    def _place(self, index: int, slots: threading.BoundedSemaphore) -> None:
        try:
            leader = self.system.leader
            if leader not in self.cluster.ports:
                leader = self.plan.release(leader, index).process
            body = dumps(self.system.request(self.plan, index))
            self.submitted_ns[index] = time.time_ns()
            post(self.cluster.ports[leader], self.system.path, body, {}, FLOW_TIMEOUT_S)
            self.ended_ns[index] = time.time_ns()
        finally:
            slots.release()


def record(plan: Plan, out: Path) -> None:
    """Record one plan into `out/NAME`."""
    with tempfile.TemporaryDirectory() as folder:
        run_dir, system = Path(folder), load_system(plan.system)
        cluster = Cluster(plan, system, run_dir)
        driver = Driver(plan=plan, system=system, cluster=cluster, run_dir=run_dir)
        try:
            for name in ("sink", *cluster.lasting):
                cluster.start(name)
            for name in ("sink", *cluster.lasting):
                cluster.await_ready(name)
            driver.run()
            driver.settle()
        finally:
            cluster.stop_all()
        _write(driver, run_dir, out / plan.name)


def read_books(run_dir: Path) -> Books:
    """The books of every process; those of one that was started again are put together."""
    books: Books = {}
    for path in sorted(run_dir.glob("books~*.json")):
        mine = books.setdefault(path.stem.split("~")[1], {})
        for page, entries in json.loads(path.read_text(encoding="utf-8")).items():
            mine[page] = mine.get(page, []) + entries
    return books


def _write(driver: Driver, run_dir: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in FILES.values():
        (target / name).write_bytes((run_dir / name).read_bytes())
    recording = Recording(
        plan=driver.plan,
        books=read_books(run_dir),
        submitted_ns=driver.submitted_ns,
        ended_ns=driver.ended_ns,
        turned_ns=driver.turned_ns,
    )
    lines = driver.system.decisions(recording, datetime.now(UTC))
    write_lines(target / "decisions.jsonl.gz", lines)
    text = driver.system.expected(recording)
    (target / "expected.toml").write_text(text, encoding="utf-8")
    if driver.plan.name in PLAIN:
        strip_sample(target, target.parent / PLAIN[driver.plan.name])


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
