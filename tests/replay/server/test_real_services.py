"""Recorded dependencies for real processes: the sample's own orchestrator, and a Node client."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sample_traces.services.cluster import PYTHONPATH
from store import read
from store.conclusions import Flow
from store.lease import Store
from tests.sample_traces.recorded import part
from tests.third_party import program

ROOT = Path(__file__).resolve().parents[3]
VERSION = "2.4.0"
FLOWS = 12
PATIENCE_S = 60.0
STARTING_S = 300.0  # on a busy machine the imports alone can take a minute
PORTS_TRIED = 3


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running `replay serve`: its process, its port, the ports of the callees, the flows."""

    process: subprocess.Popen[str]
    port: int
    callees: dict[str, int]
    flows: list[Flow]

    def call(self, target: str, method: str = "GET", body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{target}", data=data, method=method
        )
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def stop(self) -> Any:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return json.loads(out)


def retrospan(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "retrospan", *map(str, arguments)]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": PYTHONPATH}


def told(flow: Flow) -> bool:
    """Of the release under test, with its input, and not decided by a breaker that other flows
    had opened: the breaker's state lives in the process, not in the flow."""
    attempts = [attempt for step in flow.steps for attempt in step.attempts]
    return (
        flow.version == VERSION
        and flow.input is not None
        and all(it.breaker_state in (None, "closed") for it in attempts)
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    db = folder / "r.duckdb"
    sample = part("payment-brownout", range(190, 230), folder)
    subprocess.run(
        retrospan("--db", db, "-q", "ingest", sample), env=environment(folder), check=True
    )
    with Store(db).lease("choose flows") as session:
        found = [flow for flow in read.read_flows(session) if told(flow)]
    retried = [flow for flow in found if flow.attempt_count > len(flow.steps)]
    plain = [flow for flow in found if flow.attempt_count == len(flow.steps)]
    flows = retried[: FLOWS // 2] + plain[: FLOWS // 2]
    assert len(flows) == FLOWS
    ports = folder / "ports"
    process = subprocess.Popen(
        retrospan(
            "--db", db, "replay", "serve", *(flow.flow_id for flow in flows),
            "--port", 0, "--port-per-callee", "--ports-file", ports,
        ),
        env=environment(folder), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for("replay serve", process, ports.exists)
    lines = ports.read_text().splitlines()
    named = {name: int(port) for name, _, port in (line.partition("=") for line in lines)}
    yield Served(process=process, port=named.pop("*"), callees=named, flows=flows)
    if process.poll() is None:
        process.kill()
        process.communicate()


def wait_for(name: str, process: subprocess.Popen[Any], ready: Callable[[], bool]) -> None:
    """Wait until a process is ready; one that has ended never will be."""
    ending = time.monotonic() + STARTING_S
    while not ready():
        assert process.poll() is None, f"{name} ended with {process.returncode}"
        assert time.monotonic() < ending, f"{name} did not start within {STARTING_S} s"
        time.sleep(0.05)


class Sink(BaseHTTPRequestHandler):
    """Takes telemetry and forgets it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def orchestrator(served: Served, tmp_path: Path) -> Iterator[int]:
    """The sample's orchestrator as it ran, with recorded dependencies; gives its port."""
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    Thread(target=sink.serve_forever, daemon=True).start()
    tried = 0
    while True:
        tried += 1
        process, port = started(served, sink.server_port, tmp_path)
        try:
            wait_for("the orchestrator", process, partial(listens, port))
            break
        except AssertionError:
            # Between its choice and its use another process may take a free port.
            taken = process.poll() is not None
            process.kill()
            process.wait()
            if not taken or tried == PORTS_TRIED:
                raise
    yield port
    process.terminate()
    process.wait(timeout=PATIENCE_S)
    sink.shutdown()
    sink.server_close()


def started(served: Served, sink_port: int, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    name = f"orchestrator@{VERSION}"
    # A dependency that no chosen flow called leads nowhere.
    callees = {"order-validation", "inventory", "fraud-scorer", "gateway-eu", "gateway-us"}
    callees |= {"ledger", "notification"}
    ports = {**dict.fromkeys(callees, 9), **served.callees, "sink": sink_port, name: port}
    (folder / "ports.json").write_text(json.dumps(ports))
    process = subprocess.Popen(
        [
            sys.executable, "-m", "sample_traces.services.process", "--name", name,
            "--plan", "payment-brownout", "--run-dir", str(folder), "--policy", "v7",
        ],
        cwd=ROOT, env=environment(folder), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return process, port


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def test_the_recorded_orchestrator_does_with_mocks_what_it_did_in_the_incident(
    served: Served, orchestrator: int
) -> None:
    for flow in served.flows:
        session = flow.flow_id
        served.call("/__replay/sessions", "POST", {"flow_id": flow.flow_id, "session": session})
        asked = urllib.request.Request(
            f"http://127.0.0.1:{orchestrator}/payments",
            data=json.dumps(flow.input).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                output = json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            output = json.loads(refused.read())
        report = served.call(f"/__replay/sessions/{session}", "DELETE")
        assert report["faithful"], report
        assert output == flow.output, flow.flow_id


NODE = """
const [port, flow] = process.argv.slice(2);
const base = `http://127.0.0.1:${port}`;
const opened = await fetch(`${base}/__replay/sessions`, {
  method: 'POST', body: JSON.stringify({flow_id: flow, session: 'node'}),
});
const {session} = await opened.json();
const answer = await fetch(`${base}/__up/order-validation/validations`, {
  method: 'POST', headers: {'x-replay-session': session, 'content-type': 'application/json'},
  body: process.env.REQUEST,
});
const none = await fetch(`${base}/__up/order-validation/nothing`, {
  headers: {baggage: `replay.session=${session}`},
});
const report = await (await fetch(`${base}/__replay/sessions/node`, {method: 'DELETE'})).json();
console.log(JSON.stringify({
  status: answer.status, body: await answer.json(), none: none.status, report,
}));
"""


def test_a_client_in_javascript_is_served_alike(served: Served, tmp_path: Path) -> None:
    node = program("node", "nodejs")
    flow = served.flows[0]
    validated = next(step for step in flow.steps if step.callee == "order-validation")
    script = tmp_path / "client.mjs"
    script.write_text(NODE)
    run = subprocess.run(
        [node, str(script), str(served.port), flow.flow_id],
        env={**os.environ, "REQUEST": json.dumps(validated.attempts[0].request)},
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    said = json.loads(run.stdout)
    assert said["status"] == validated.attempts[0].http_status
    assert said["body"] == validated.attempts[0].response
    assert said["none"] == 599
    assert said["report"]["unmatched"] == ["GET order-validation/nothing"]


def test_the_report_at_the_end_tells_of_every_session(served: Served) -> None:
    """Runs last in this file: it stops the server."""
    report = served.stop()
    assert report["schema"] == "retrospan.replay_server/1"
    faithful = {it["session"]: it["faithful"] for it in report["sessions"]}
    assert faithful.pop("node") is False
    assert len(faithful) == FLOWS
    assert all(faithful.values())
    assert served.process.returncode == 3
