"""`retrospan replay serve`: recorded dependencies of flows, offered over HTTP until stopped."""

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.canonical import pretty
from retrospan.edge import Edge, edge_of, put, worst
from store.errors import UsageError

if TYPE_CHECKING:
    from replay.requests import Requests
    from replay.server.server import MockServer
    from store.conclusions import Flow
    from store.model import Span

FLOWS_MAX = 1_000
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve_flows(
    context: typer.Context,
    flow_ids: Annotated[
        list[str], typer.Argument(metavar="FLOW...", help="Flows whose dependencies to serve.")
    ],
    service: Annotated[
        str | None,
        typer.Option(help="The service under test; what it called is served. Else the flow's own."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8099,
    port_per_callee: Annotated[
        bool, typer.Option("--port-per-callee", help="One more port for each dependency.")
    ] = False,
    clock: Annotated[
        str, typer.Option(help="How long answers take: instant, recorded, or a factor like 0.1.")
    ] = "instant",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anyone read recordings who can reach --host.")
    ] = False,
    ports_file: Annotated[
        Path | None, typer.Option(help="Write NAME=PORT lines here once the server listens.")
    ] = None,
) -> int:
    """Serve recorded dependencies as an HTTP mock, by Host, by /__up/NAME/ or as a proxy, until
    stopped. Nothing is passed on. The report comes at the end; exit code 3 when a session asked
    for something else than was recorded."""
    from replay.server.server import MockServer, ServerSettings
    from replay.server.sessions import Clock

    if host not in LOOPBACK and not insecure:
        raise UsageError(f"--host {host} lets others read recordings; add --insecure to allow it")
    edge = edge_of(context)
    settings = ServerSettings(
        host=host, port=port, port_per_callee=port_per_callee, clock=Clock.of(clock)
    )
    flows, traces = _read(edge, flow_ids, service)
    server = MockServer(flows, traces, settings)
    try:
        asyncio.run(_until_stopped(edge, server, ports_file))
    except OSError as error:
        raise UsageError(f"{host} port {port}: {error.strerror or error}") from None
    report = server.report()
    put([pretty(report)])
    sessions = report["sessions"]
    assert isinstance(sessions, list)
    return worst(violation=any(isinstance(it, dict) and not it["faithful"] for it in sessions))


def _read(
    edge: Edge, flow_ids: Sequence[str], service: str | None
) -> "tuple[dict[str, Requests], dict[str, str]]":
    """The requests of each flow, and the flow of each trace that belongs to one of them only."""
    from store import read

    if len(flow_ids) > FLOWS_MAX:
        raise UsageError(f"{len(flow_ids)} flows are too many to serve; at most {FLOWS_MAX}")
    with edge.reading("reading recordings") as session:
        flows = [read.read_flow(session, flow_id) for flow_id in flow_ids]
        spans = read.read_spans(session, [it for flow in flows for it in flow.trace_ids])
    by_trace: defaultdict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    served: dict[str, Requests] = {}
    traces: dict[str, str] = {}
    for flow in flows:
        own = [span for trace_id in flow.trace_ids for span in by_trace[trace_id]]
        served[flow.flow_id] = _requests(flow, own, service)
        traces |= dict.fromkeys(flow.trace_ids, flow.flow_id)
    return served, traces


def _requests(flow: "Flow", spans: "Sequence[Span]", service: str | None) -> "Requests":
    from replay.exchange import exchanges_of
    from replay.noise import Noise
    from replay.requests import Requests

    return Requests(exchanges_of(flow, spans, service), Noise(), flow.input)


async def _until_stopped(edge: Edge, server: "MockServer", ports_file: Path | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    async with server:
        host = server.settings.host
        edge.say(f"serving {len(server.sessions.flows)} flows on http://{host}:{server.port}")
        for callee, port in server.ports.items():
            edge.say(f"  {callee}: http://{host}:{port}")
        if ports_file is not None:
            lines = [f"*={server.port}", *(f"{name}={it}" for name, it in server.ports.items())]
            # Whoever waits for the file finds all of it.
            written = ports_file.with_name(f".{ports_file.name}.{os.getpid()}")
            written.write_text("\n".join(lines) + "\n")
            written.replace(ports_file)
        await stopping.wait()
