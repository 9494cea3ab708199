"""The lease under load: everybody on one store at once, and somebody who is killed.

A receiver that is sent data, an ingest of a large file, a dashboard and ten command lines share one
store; again and again a process that holds the lease is killed. Printed: how long each kind waited
for the store and held it, how each command ended, how soon after a kill the next one got in. The
commands, pages and receivers are the real ones, each in a process of its own; only the lease is
watched. A command line asks again `--pause` seconds after its answer: with 0 ten of them take all
there is of two processors. An ingest that is not done after `--seconds-max` is interrupted, and the
table tells what was until then; a receiver that has as much to do afterwards is killed.

Run: `python benchmarks/lease.py [--spans 1000000] [--readers 10]`.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

SPANS_PER_FLOW = 10
SPANS_PER_BODY = 200
BODY_EVERY_SECONDS = 0.5
KILL_EVERY_SECONDS = 4.0
HELD_SECONDS = 0.3
STARTING_SECONDS_MAX = 60.0
PROCESS = Path(__file__).parent / "lib" / "lease_process.py"
START_NS = 1_770_000_000_000_000_000
Row = dict[str, Any]


def body_of(first: int, spans: int) -> bytes:
    """Flows of ten spans, as one line of OTLP/JSON."""
    written = []
    for number in range(first, first + spans):
        flow, place = divmod(number, SPANS_PER_FLOW)
        start = START_NS + flow * 10**9 + place * 10**6
        parent = {"parentSpanId": f"{flow * SPANS_PER_FLOW + 1:016x}"} if place else {}
        written.append(
            {
                "traceId": f"{flow + 1:032x}",
                "spanId": f"{number + 1:016x}",
                **parent,
                "name": f"step {place}",
                "kind": 3 if place else 2,
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 10**6),
                "attributes": [
                    {"key": "http.request.method", "value": {"stringValue": "POST"}},
                    {"key": "http.route", "value": {"stringValue": f"/steps/{place}"}},
                    {"key": "http.response.status_code", "value": {"intValue": "200"}},
                ],
            }
        )
    service = {"key": "service.name", "value": {"stringValue": "orders"}}
    document = {
        "resourceSpans": [
            {"resource": {"attributes": [service]}, "scopeSpans": [{"spans": written}]}
        ]
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


class Experiment:
    """One store in one folder, and the processes on it."""

    def __init__(
        self, folder: Path, spans: int, readers: int, seconds_max: float, pause: float
    ) -> None:
        self.folder, self.spans, self.readers = folder, spans, readers
        self.pause = pause
        self.seconds_max = seconds_max
        self.db, self.stop = folder / "store.duckdb", folder / "stop"
        self.started = 0
        self.kills: list[float] = []
        self.sent = Counter[str]()
        self.ended: dict[str, tuple[int, float]] = {}

    def start(self, kind: str, *arguments: object) -> subprocess.Popen[str]:
        self.started += 1
        into = self.folder / f"{self.started:03d}.jsonl"
        log = (self.folder / f"{self.started:03d}.log").open("w")
        environment = {
            **os.environ,
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "RETROSPAN_DB": str(self.db),
        }
        return subprocess.Popen(
            [sys.executable, "-P", str(PROCESS), kind, str(into), *map(str, arguments)],
            stdout=subprocess.PIPE if kind == "killed holder" else subprocess.DEVNULL,
            stderr=log,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[1],
        )

    def run(self) -> None:
        """All of it; exit codes and seconds of ingest and receiver are in `ended`."""
        seed, file = self.folder / "seed.jsonl", self.folder / "spans.jsonl"
        seed.write_bytes(body_of(10**9, 2_000))
        with file.open("wb") as stream:
            for first in range(0, self.spans, 1_000):
                stream.write(body_of(first, min(1_000, self.spans - first)))
        assert self.start("seed", "--db", self.db, "ingest", seed).wait() == 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        off = [f"--{name}-port=-1" for name in ("otlp-grpc", "jaeger-http", "jaeger-udp", "pages")]
        serve = self.start("receiver", "--db", self.db, "serve", f"--otlp-http-port={port}", *off)
        self.await_receiver(port)
        readers = [self.start("dashboard", self.stop)]
        readers += [
            self.start("command line", self.db, self.stop, number, self.pause)
            for number in range(self.readers)
        ]
        helpers = [
            threading.Thread(target=self.send, args=(port,)),
            threading.Thread(target=self.kill),
        ]
        for helper in helpers:
            helper.start()
        began = time.monotonic()
        ingest = self.start("ingest", "--db", self.db, "ingest", file)
        self.end("ingest", ingest, began, signal.SIGINT)
        self.stop.touch()
        for helper in helpers:
            helper.join()
        for reader in readers:
            reader.wait()
        began = time.monotonic()
        serve.send_signal(signal.SIGTERM)  # it derives what is left, with nobody beside it
        self.end("receiver", serve, began, signal.SIGKILL)

    def end(self, kind: str, process: subprocess.Popen[str], began: float, late: int) -> None:
        """Wait for a process; one that takes too long gets a signal."""
        try:
            code = process.wait(self.seconds_max)
        except subprocess.TimeoutExpired:
            process.send_signal(late)
            code = process.wait()
        self.ended[kind] = code, time.monotonic() - began

    def await_receiver(self, port: int) -> None:
        deadline = time.monotonic() + STARTING_SECONDS_MAX
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the receiver did not start")

    def send(self, port: int) -> None:
        """Requests to the receiver until the ingest is over."""
        first = 2 * 10**9
        while not self.stop.exists():
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/v1/traces",
                body_of(first, SPANS_PER_BODY),
                {"Content-Type": "application/json"},
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    self.sent[str(answer.status)] += 1
                first += SPANS_PER_BODY
            except urllib.error.HTTPError as error:
                self.sent[str(error.code)] += 1
            except OSError as error:
                self.sent[type(error).__name__] += 1
            time.sleep(BODY_EVERY_SECONDS)

    def kill(self) -> None:
        """A holder that is killed while it holds, again and again."""
        while not self.stop.exists():
            holder = self.start("killed holder", self.db)
            assert holder.stdout is not None
            if holder.stdout.readline() == "held\n":
                time.sleep(HELD_SECONDS)
                self.kills.append(time.monotonic())
            holder.kill()
            holder.wait()
            time.sleep(KILL_EVERY_SECONDS)

    def rows(self) -> list[Row]:
        """What all processes wrote down; the last line of a killed one may be cut."""
        found = []
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.stem.isdecimal():
                lines = path.read_text().splitlines()
                found += [json.loads(line) for line in lines if line.endswith("}")]
        return found


def spread(values: list[float]) -> str:
    if not values:
        return "– / – / –"
    return f"{min(values):.3f} / {statistics.median(values):.3f} / {max(values):.2f}"


def report(experiment: Experiment) -> None:
    rows = experiment.rows()
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        ended[row["kind"]].update(row.get("ended", {}))
    for kind, (code, _) in experiment.ended.items():
        ended[kind][str(code)] += 1
    took = {kind: f"{seconds:.0f} s" for kind, (_, seconds) in experiment.ended.items()}
    print(f"{experiment.spans} spans; {os.cpu_count()} cores, load {os.getloadavg()[1]:.0f}")
    print(f"ingest ended after {took['ingest']}, the receiver {took['receiver']} after its signal")
    print("| kind | leases | waited s (min / median / max) | held s (min / median / max) "
          "| refused | ended (exit code: times) |")  # fmt: skip
    print("|---|---|---|---|---|---|")
    for kind in ("ingest", "receiver", "dashboard", "command line"):
        own = [row for row in rows if row["kind"] == kind]
        waits = [row["wait"] for row in own if "wait" in row]
        held = [row["held"] for row in own if "held" in row]
        refused = sum("busy" in row for row in own)
        codes_said = ", ".join(f"{code}: {n}" for code, n in sorted(ended[kind].items()))
        print(f"| {kind} | {len(held)} | {spread(waits)} | {spread(held)} | {refused} "
              f"| {codes_said} |")  # fmt: skip
    got = sorted(row["got"] for row in rows if "got" in row)
    after = [next((t - kill for t in got if t > kill), None) for kill in experiment.kills]
    freed = [delay for delay in after if delay is not None]
    print(f"holders killed: {len(experiment.kills)}; the next one got in after {spread(freed)} s")
    print(f"requests to the receiver: {dict(experiment.sent)}")
    longest = sorted((row for row in rows if "held" in row), key=lambda row: -row["held"])[:5]
    for row in longest:
        print(f"longest hold: {row['held']:.2f} s ({row['cpu']:.2f} s of processor) "
              f"by {row['kind']} ({row['purpose']})")  # fmt: skip
    lines = [
        line
        for path in sorted(experiment.folder.glob("*.log"))
        for line in path.read_text().splitlines()
    ]
    print(f"told that they wait: {sum(line.startswith('waiting for') for line in lines)} times")
    for line in lines:
        if "; waited " in line or "data kept coming" in line:
            print(f"said: {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--spans", type=int, default=60_000)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--seconds-max", type=float, default=1800.0)
    parser.add_argument("--pause", type=float, default=1.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        experiment = Experiment(
            Path(folder), given.spans, given.readers, given.seconds_max, given.pause
        )
        experiment.run()
        report(experiment)


if __name__ == "__main__":
    main()
