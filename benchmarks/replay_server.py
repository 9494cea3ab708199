"""The mock server: requests a second, and per second of its own processor time.

The recorded exchanges of one kind of flow are served over loopback; each client asks, on one
connection that it keeps, for all exchanges of one flow after the other, and checks every status.
The server runs in a process of its own, so that its processor time is its own. The yardstick is the
same server answering `GET /__replay`, which matches nothing.

Run on 2 vCPU Xeon (KVM), 24 GiB, Python 3.11. On a busy machine compare the CPU columns.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Python looks into this folder first, where files bear the names of packages: last is right.
sys.path.sort(key=str(Path(__file__).parent).__eq__)

from benchmarks.lib.measuring import machine, stored_sample, table
from replay.exchange import Exchange, exchanges_of
from replay.noise import Noise
from replay.requests import Requests
from replay.server.server import MockServer, ServerSettings
from store import read
from store.model import Span

CLIENTS = 4
Flows = dict[str, tuple[list[Exchange], Any]]


def recorded(count: int) -> Flows:
    """The answered exchanges of some flows, and their inputs."""
    found: Flows = {}
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        store = stored_sample(Path(folder), derived=True)
        with store.lease("benchmark") as session:
            flows = read.read_flows(session)
            spans = read.read_spans(session)
    for span in spans:
        by_trace[span.trace_id].append(span)
    for flow in flows:
        if len(found) < count and flow.version == "2.3.0":
            exchanges = exchanges_of(flow, [it for of in flow.trace_ids for it in by_trace[of]])
            answered = [it for it in exchanges if it.error is None]
            found[flow.flow_id] = (answered, flow.input)
    return found


def serve(flows: Flows, pipe: Connection) -> None:
    """Serve until told to stop; then send the processor seconds it took."""

    async def run() -> None:
        served = {name: Requests(of, Noise(), given) for name, (of, given) in flows.items()}
        async with MockServer(served, {}, ServerSettings()) as server:
            pipe.send(server.port)
            started = time.process_time()
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
            pipe.send(time.process_time() - started)

    asyncio.run(run())


class Client:
    """Asks on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, method: str, target: str, body: str = "", session: str = "") -> int:
        data = body.encode()
        head = f"{method} {target} HTTP/1.1\r\nHost: mock\r\nContent-Length: {len(data)}\r\n"
        head += f"X-Replay-Session: {session}\r\n" if session else ""
        self.writer.write(f"{head}\r\n".encode() + data)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = int(answer.lower().split("content-length: ")[1].split("\r\n")[0])
        await self.reader.readexactly(length)
        return int(answer.split()[1])


async def play(port: int, flows: Flows, number: int, rounds: int) -> int:
    """One client's part of the flows, each in a session of its own; gives the requests made."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    asked = 0
    for turn in range(rounds):
        for flow_id in sorted(flows)[number::CLIENTS]:
            session = f"{turn} {flow_id}"
            opening = json.dumps({"flow_id": flow_id, "session": session})
            assert await client.ask("POST", "/__replay/sessions", opening) == 201
            for it in flows[flow_id][0]:
                target = f"/__up/{it.callee}{it.target}"
                status = await client.ask(it.method, target, it.request_body or "", session)
                assert status == it.status, (flow_id, it.op, status)
                asked += 1
    client.writer.close()
    return asked


async def idle(port: int, requests: int) -> int:
    """The same number of requests that match nothing."""
    client = Client(*await asyncio.open_connection("127.0.0.1", port))
    for _ in range(requests):
        assert await client.ask("GET", "/__replay") == 200
    client.writer.close()
    return requests


async def both(port: int, flows: Flows, rounds: int, plain: int | None) -> int:
    if plain is not None:
        return sum(await asyncio.gather(*(idle(port, plain // CLIENTS) for _ in range(CLIENTS))))
    return sum(await asyncio.gather(*(play(port, flows, at, rounds) for at in range(CLIENTS))))


def measured(flows: Flows, rounds: int, plain: int | None) -> tuple[int, float, float]:
    """Requests, wall seconds, processor seconds of the server."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(flows, theirs))
    process.start()
    port = ours.recv()
    started = time.perf_counter()
    requests = asyncio.run(both(port, flows, rounds, plain))
    wall = time.perf_counter() - started
    ours.send(None)
    cpu = ours.recv()
    process.join()
    return requests, wall, cpu


def main() -> None:
    """Print both rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--flows", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=10)
    options = arguments.parse_args()
    print(machine())
    flows = recorded(options.flows)
    matched = measured(flows, options.rounds, None)
    plain = measured({}, 1, matched[0])
    rows = [
        (name, requests, requests / wall, requests / cpu)
        for name, (requests, wall, cpu) in (("recorded answers", matched), ("no matching", plain))
    ]
    table(("requests", "n", "per second", "per CPU second of the server"), rows)


if __name__ == "__main__":
    main()
