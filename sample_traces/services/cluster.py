"""The processes of one recording: started, awaited, revived, stopped."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from sample_traces.services.faults import Plan, Release
from sample_traces.services.system import System
from sample_traces.services.web import ready

ROOT = Path(__file__).resolve().parents[2]
PYTHONPATH = os.pathsep.join((str(ROOT), str(ROOT / "replay" / "child")))
"""Where a service finds the system's code, and the recorder."""
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 60.0


def free_ports(names: list[str]) -> dict[str, int]:
    """A free loopback port for each name."""
    sockets = {name: socket.socket() for name in names}
    try:
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {name: int(each.getsockname()[1]) for name, each in sockets.items()}
    finally:
        for each in sockets.values():
            each.close()


class Cluster:
    """All processes of one recording, by name."""

    def __init__(self, plan: Plan, system: System, run_dir: Path) -> None:
        self._plan = plan
        self._run_dir = run_dir
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._policies: dict[str, str | None] = {}
        released = {release.service for release in plan.releases}
        self.lasting = sorted(set(system.services) - released)
        """Services of which one version runs all the time."""
        releases = sorted({release.process for release in plan.releases})
        self.ports = free_ports(["sink", *self.lasting, *releases])
        (run_dir / "ports.json").write_text(json.dumps(self.ports), encoding="utf-8")

    def start(self, name: str, policy: str | None = None) -> None:
        """Start one process; it may not be ready yet."""
        module = "sink" if name == "sink" else "process"
        command = [sys.executable, "-m", f"sample_traces.services.{module}"]
        command += ["--run-dir", str(self._run_dir)]
        if name != "sink":
            command += ["--name", name, "--plan", self._plan.name]
        if policy is not None:
            command += ["--policy", policy]
        environment = {**os.environ, "PYTHONPATH": PYTHONPATH}
        self._processes[name] = subprocess.Popen(command, cwd=ROOT, env=environment)
        self._policies[name] = policy

    def release(self, release: Release) -> None:
        """Start the process of a release."""
        self.start(release.process, release.policy)

    def running(self, name: str) -> bool:
        """Whether this process was started and not stopped."""
        return name in self._processes

    def revive(self) -> list[str]:
        """Start again what ended by itself, as a supervisor does; the answer names it."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        for name in ended:
            self.start(name, self._policies[name])
        return ended

    def await_ready(self, name: str) -> None:
        """Return as soon as the process answers."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not ready(self.ports[name]):
            if self._processes[name].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start; its messages are above")
            time.sleep(0.1)

    def stop(self, name: str) -> None:
        """Ask one process to end, and wait until it has written its books."""
        process = self._processes.pop(name)
        process.terminate()
        process.wait(STOP_TIMEOUT_S)

    def stop_all(self) -> None:
        """Stop every service, and the sink last."""
        for name in [name for name in self._processes if name != "sink"]:
            self.stop(name)
        if self.running("sink"):
            self.stop("sink")
