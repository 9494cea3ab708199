"""Receiving over HTTP: spans a second until acknowledged, until they can be asked for.

`retrospan serve` runs in a process of its own on loopback and is sent OTLP/protobuf bodies over one
connection, each when the one before is acknowledged. A body is what a collector sends: 500 spans of
25 traces over 12 services, about 320 attribute keys, events, links, some values that redaction
replaces. Traces come whole in one body; with `--spread 4` each comes in four, as from services that
export on their own. "Queryable" ends when a count of the store's spans has all of them; flows are
derived by the receiver meanwhile, as always. Redaction is on, then off.

With `--mlflow PYTHON`, an interpreter that has mlflow installed, its server gets the same bodies
from the same client at its OTLP endpoint, on SQLite, one worker; the ratio is printed. The aim of
forty times as many spans was set when mlflow 3.17.2 took 224 a second of six such bodies. That is
`--bodies 6`, the same server, database, client and size of body; it takes 1,250 spans a second of
its processor there and 1,290 with forty bodies, so 224 was a server that mostly waited. A busy
machine gives the same (239 a second at a load of 25): quote the ratio per CPU second beside it.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns, which are
those of the server's processes.
"""

import argparse
import http.client
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.bodies import Bodies, Body
from benchmarks.lib.measuring import KEY, cpu_seconds, family, machine, memory_mb, table
from retrospan.config import KEY_VARIABLE
from store.errors import StoreMissingError
from store.lease import Store
from store.read import counts

BODIES = 40
RUNS = 2
STARTING_SECONDS_MAX = 120.0
SILENCE_SECONDS_MAX = 60.0
RETRY_SECONDS = 1.0


# ── who it is sent to ─────────────────────────────────────────────────────────────────────────────


class Peer(Protocol):
    """A server that was started. `stored` says how many spans it can be asked for."""

    port: int
    process: subprocess.Popen[bytes]
    headers: dict[str, str]

    def stored(self) -> int: ...


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Retrospan:
    """`retrospan serve` with a store of its own."""

    def __init__(self, folder: Path, redact: bool) -> None:
        self.store = Store(folder / "store.duckdb")
        self.port = free_port()
        self.headers: dict[str, str] = {}
        config = folder / "retrospan.toml"
        config.write_text(f"[ingest]\nredact = {str(redact).lower()}\n")
        off = [f"--{name}-port=-1" for name in ("otlp-grpc", "jaeger-http", "jaeger-udp", "pages")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "retrospan", "--db", str(self.store.path), "--config",
             str(config), "serve", f"--otlp-http-port={self.port}", *off],
            stderr=(folder / "log").open("wb"), cwd=folder, start_new_session=True,
            env={**os.environ, KEY_VARIABLE: KEY.decode()},
        )  # fmt: skip

    def stored(self) -> int:
        try:
            with self.store.lease("benchmark") as session:
                return counts(session).spans
        except StoreMissingError:
            return 0


class Mlflow:
    """mlflow's server on SQLite, one worker, without its job runners."""

    def __init__(self, folder: Path, python: str) -> None:
        self.database, self.port = folder / "mlflow.db", free_port()
        self.headers = {"x-mlflow-experiment-id": "0"}
        self.process = subprocess.Popen(
            [python, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.database}",
             "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"],
            stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), cwd=folder,
            start_new_session=True,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
                 "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
        )  # fmt: skip

    def stored(self) -> int:
        address = f"file:{self.database}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            return int(connection.execute("SELECT count(*) FROM spans").fetchone()[0])


# ── sending ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Result:
    """How one run went. Seconds are counted from the first byte sent."""

    spans: int
    acknowledged: float
    queryable: float
    cpu: float
    peak_mb: int
    refused: int
    waits: list[float]


def await_listening(peer: Peer) -> None:
    deadline = time.monotonic() + STARTING_SECONDS_MAX
    while time.monotonic() < deadline and peer.process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", peer.port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the server did not start")


def run(peer: Peer, bodies: Sequence[Body], seconds_max: float) -> Result:
    """Send all bodies, or as many as the time allows; wait until they can be asked for."""
    try:
        await_listening(peer)
        cpu = cpu_seconds(family(peer.process.pid))
        began = time.perf_counter()
        waits, refused = send(peer, bodies, began + seconds_max)
        acknowledged = time.perf_counter() - began
        spans = sum(body.spans for body in bodies[: len(waits)])
        deadline = time.perf_counter() + SILENCE_SECONDS_MAX
        while peer.stored() < spans:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{spans - peer.stored()} acknowledged spans are not stored")
            time.sleep(0.05)
        queryable = time.perf_counter() - began
        processes = family(peer.process.pid)
        used = cpu_seconds(processes) - cpu
        peak = memory_mb("VmHWM", processes)
        return Result(spans, acknowledged, queryable, used, peak, refused, waits)
    finally:
        os.killpg(peer.process.pid, signal.SIGKILL)
        peer.process.wait()


def send(peer: Peer, bodies: Sequence[Body], end: float) -> tuple[list[float], int]:
    """Seconds each body waited for its acknowledgement; how often one had to be sent again."""
    headers = {"Content-Type": "application/x-protobuf", **peer.headers}
    waits, refused = [], 0
    with closing(http.client.HTTPConnection("127.0.0.1", peer.port, timeout=120)) as connection:
        for body in bodies:
            began = time.perf_counter()
            while True:
                connection.request("POST", "/v1/traces", body.data, headers)
                answer = connection.getresponse()
                said = answer.read()
                if answer.status == 200:
                    break
                if answer.status != 503:
                    raise RuntimeError(f"status {answer.status}: {said[:300]!r}")
                refused += 1
                time.sleep(RETRY_SECONDS)
            waits.append(time.perf_counter() - began)
            if time.perf_counter() > end:
                break
    return waits, refused


def row(name: str, results: Sequence[Result]) -> tuple[object, ...]:
    """Medians over runs; waits of all runs together."""
    waits = sorted(wait * 1e3 for one in results for wait in one.waits)
    middle = statistics.median
    return (
        name,
        results[0].spans,
        middle(one.spans / one.acknowledged for one in results),
        middle(one.spans / one.queryable for one in results),
        middle(one.spans / one.cpu for one in results),
        middle(one.queryable for one in results),
        middle(one.cpu for one in results),
        waits[len(waits) // 2],
        waits[min(len(waits) * 99 // 100, len(waits) - 1)],
        max(one.peak_mb for one in results),
        sum(one.refused for one in results),
    )


def ratio(one: tuple[object, ...], other: tuple[object, ...]) -> str:
    names = ("acknowledged", "queryable", "per CPU second")
    return ", ".join(
        f"{name} {float(str(one[at])) / float(str(other[at])):.2f}"
        for at, name in enumerate(names, 2)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--bodies", type=int, default=BODIES)
    parser.add_argument("--spread", type=int, default=1, help="bodies a trace comes in")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--mlflow", metavar="PYTHON", help="an interpreter that has mlflow")
    parser.add_argument("--mlflow-seconds", type=float, default=300.0, help="stop sending then")
    given = parser.parse_args()
    print(machine())
    maker = Bodies(given.spread)
    bodies = maker.make(given.bodies)
    size = sum(len(body.data) for body in bodies)
    print(
        f"{len(bodies)} bodies, {size / 1e6:.1f} MB, {len(maker.keys)} attribute keys of spans, "
        f"each trace in up to {given.spread}"
    )
    results: dict[bool, list[Result]] = {True: [], False: []}
    for _ in range(given.runs):
        for redact, found in results.items():
            with tempfile.TemporaryDirectory() as folder:
                found.append(run(Retrospan(Path(folder), redact), bodies, 600.0))
    rows = [row(f"retrospan, redaction {word}", results[word == "on"]) for word in ("on", "off")]
    if given.mlflow:
        with tempfile.TemporaryDirectory() as folder:
            peer = Mlflow(Path(folder), given.mlflow)
            rows.append(row("mlflow", [run(peer, bodies, given.mlflow_seconds)]))
    table(
        ("server", "spans", "acknowledged/s", "queryable/s", "queryable/CPU s", "wall s", "CPU s",
         "p50 ms", "p99 ms", "peak RSS MB", "sent again"),
        rows,
    )  # fmt: skip
    print(f"redaction off / on: {ratio(rows[1], rows[0])}")
    if given.mlflow:
        print(f"retrospan, redaction on / mlflow: {ratio(rows[0], rows[2])}")
    print(machine())


if __name__ == "__main__":
    main()
