"""CPU time that the child's recorder adds to one HTTP call, beside what the instrumentation costs.

The server is a process of its own; only the client's CPU time counts. Rounds take turns, so that a
busy machine slows all alike; the median of the rounds is told.
    python benchmarks/recorder.py [CALLS]
"""

import http.server
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

import httpx
import requests
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider

from replay.code.process import CHILD

sys.path.insert(0, str(CHILD))

from retrospan_child.recorder import Recorder

ROUNDS = 7
BODY: Any = {
    "order": "o-1",
    "card_number": "4111111111111111",
    "items": [{"sku": n} for n in range(20)],
}
ANSWER = json.dumps(
    {"id": "c-1", "lines": [{"n": n, "text": "x" * 40} for n in range(30)]}
).encode()


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers every POST alike."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def serve(told: Any) -> None:
    """Serve until the process is ended."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    told.put(server.server_address[1])
    server.serve_forever()


def per_call_us(post: Callable[[], Any], calls: int) -> float:
    """CPU microseconds of this process for one call."""
    begun = time.process_time()
    for _ in range(calls):
        post()
    return (time.process_time() - begun) / calls * 1e6


def measure(name: str, post: Callable[[], Any], instrumentor: Any, hooks: Mapping[str, Any],
            calls: int) -> None:  # fmt: skip
    """Print the cost of a call: bare, instrumented, and recorded."""
    costs: dict[str, list[float]] = {"bare": [], "instrumented": [], "recorded": []}
    post()
    for _ in range(ROUNDS):
        costs["bare"].append(per_call_us(post, calls))
        for kind, given in (("instrumented", {}), ("recorded", hooks)):
            instrumentor.instrument(**given)
            costs[kind].append(per_call_us(post, calls))
            instrumentor.uninstrument()
    bare, instrumented, recorded = (statistics.median(it) for it in costs.values())
    print(
        f"{name}: {bare:.0f} us a call, {instrumented:.0f} us instrumented, {recorded:.0f} us with "
        f"bodies recorded: {recorded - instrumented:.0f} us for "
        f"{len(json.dumps(BODY))} + {len(ANSWER)} bytes of JSON "
        f"({(recorded - instrumented) / instrumented:.0%} of the instrumented call)"
    )


def main() -> None:
    """Measure requests and httpx."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    told: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(told,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{told.get()}/charge"
    trace.set_tracer_provider(TracerProvider())
    recorder = Recorder(key="a key")
    with requests.Session() as session, httpx.Client() as client:
        measure("requests", lambda: session.post(url, json=BODY).content,
                RequestsInstrumentor(), recorder.requests(), calls)  # fmt: skip
        # What httpx instruments is a class: a client that is there already is instrumented too.
        measure("httpx", lambda: client.post(url, json=BODY).content,
                HTTPXClientInstrumentor(), recorder.httpx(), calls)  # fmt: skip
    assert recorder.errors == {}, recorder.errors
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
