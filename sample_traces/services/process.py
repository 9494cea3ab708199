"""The start and the end of a service process."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from sample_traces.services.books import Book
from sample_traces.services.faults import Plan, load_plan
from sample_traces.services.system import System, load_system
from sample_traces.services.telemetry import Identity, Telemetry
from sample_traces.services.web import Route, ServiceServer, serve_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a service gets from its surroundings.

    Functions in `background` run in threads of their own until `stop` is set. A service that sets
    `crashed` ends with an error, as if its supervisor had to start it again.
    """

    identity: Identity
    plan: Plan
    book: Book
    telemetry: Telemetry
    ports: Mapping[str, int]
    policy: str | None
    run_dir: Path = Path()
    background: list[Callable[[], None]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    crashed: threading.Event = field(default_factory=threading.Event)


def run(system: System, host: Host, port: int, *, traced: bool) -> None:
    """Serve until `stop` is set, then let the background work end."""
    module = system.services[host.identity.name].module
    build = import_module(f"sample_traces.services.{system.name}.{module}").build
    routes: Mapping[str, Route] = build(host)
    server = ServiceServer(port, routes, host.telemetry, traced=traced)
    threads = [threading.Thread(target=work) for work in host.background]
    for thread in threads:
        thread.start()
    serve_until(server, host.stop)
    for thread in threads:
        thread.join()


def main() -> None:
    """Run one service until SIGTERM, then flush its telemetry and save its books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True, help="SERVICE, or SERVICE@VERSION")
    parser.add_argument("--plan", required=True)
    parser.add_argument("--run-dir", required=True, type=Path)
    parser.add_argument("--policy")
    options = parser.parse_args()
    ports: dict[str, int] = json.loads((options.run_dir / "ports.json").read_text())
    name, _, version = options.name.partition("@")
    plan = load_plan(options.plan)
    system = load_system(plan.system)
    service = system.services[name]
    identity = Identity(name=name, version=version or service.version, region=service.region)
    telemetry = Telemetry(identity, system.name, ports["sink"])
    host = Host(
        identity=identity,
        plan=plan,
        book=Book(),
        telemetry=telemetry,
        ports=ports,
        policy=options.policy,
        run_dir=options.run_dir,
    )
    signal.signal(signal.SIGTERM, lambda *_: host.stop.set())
    telemetry.log("INFO", f"{name} {identity.version} started", {})
    run(system, host, ports[options.name], traced=service.traced)
    severity, ending = ("ERROR", "crashed") if host.crashed.is_set() else ("INFO", "stopped")
    telemetry.log(severity, f"{name} {identity.version} {ending}", {})
    telemetry.close()
    host.book.save(options.run_dir / f"books~{options.name}~{os.getpid()}.json")
    sys.exit(1 if host.crashed.is_set() else 0)


if __name__ == "__main__":
    main()
