"""The start and the end of a service process."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sample_traces.services.books import Book
from sample_traces.services.faults import Plan, load_plan
from sample_traces.services.telemetry import Identity, Telemetry
from sample_traces.services.web import Route, ServiceServer, serve_until

VERSIONS = {
    "order-validation": "1.14.2",
    "fraud-scorer": "3.2.0",
    "inventory": "5.0.7",
    "gateway-eu": "8.1.0",
    "gateway-us": "8.1.0",
    "ledger": "4.4.1",
    "notification": "2.0.3",
}
REGIONS = {"gateway-eu": "eu-central-1", "gateway-us": "us-east-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a service gets from its surroundings."""

    identity: Identity
    plan: Plan
    book: Book
    telemetry: Telemetry
    ports: Mapping[str, int]
    policy: str | None


def main(build: Callable[[Host], Mapping[str, Route]]) -> None:
    """Run one service until SIGTERM, then flush its telemetry and save its books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True, help="service, or orchestrator@VERSION")
    parser.add_argument("--plan", required=True)
    parser.add_argument("--run-dir", required=True, type=Path)
    parser.add_argument("--policy")
    options = parser.parse_args()
    ports: dict[str, int] = json.loads((options.run_dir / "ports.json").read_text())
    name, _, version = options.name.partition("@")
    identity = Identity(name=name, version=version or VERSIONS[name], region=REGIONS.get(name))
    telemetry = Telemetry(identity, ports["sink"])
    host = Host(
        identity=identity,
        plan=load_plan(options.plan),
        book=Book(),
        telemetry=telemetry,
        ports=ports,
        policy=options.policy,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = ServiceServer(ports[options.name], build(host), telemetry)
    telemetry.log("INFO", f"{name} {identity.version} started", {})
    serve_until(server, stop)
    telemetry.log("INFO", f"{name} {identity.version} stopped", {})
    telemetry.close()
    host.book.save(options.run_dir / f"books-{options.name}.json")
