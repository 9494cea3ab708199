"""`retrospan serve`: telemetry over the network into the store, and the pages over it."""

import os
import signal
import socket
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.config import CONFIG_VARIABLE, redaction_key
from retrospan.edge import Edge, ExitCode, edge_of, tell
from store.errors import UsageError

if TYPE_CHECKING:
    from ingest.receivers.settings import ReceiverLimits, ReceiverSettings, Tls
    from retrospan.metric_sender import MetricSender
    from retrospan.slo_metrics import SloMetrics

TOKEN_VARIABLE = "RETROSPAN_TOKEN"
PAGES_TOKEN_VARIABLE = "RETROSPAN_PAGES_TOKEN"
PORT_MAX = 65_535
NAMES = {
    "otlp_http": "OTLP over HTTP",
    "otlp_grpc": "OTLP over gRPC",
    "jaeger_http": "Jaeger Thrift over HTTP",
    "jaeger_udp": "Jaeger Thrift over UDP",
}

Port = Annotated[int, typer.Option(min=-1, max=PORT_MAX, help="0 picks a free port, -1 is off.")]
SignIn = Annotated[
    Path | None, typer.Option(help="TOML file with Streamlit's [auth] table, for the pages.")
]


def command(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    otlp_http_port: Port = 4318,
    otlp_grpc_port: Port = 4317,
    jaeger_http_port: Port = 14268,
    jaeger_udp_port: Port = 6831,
    token: Annotated[
        str | None,
        typer.Option(envvar=TOKEN_VARIABLE, help="What senders show as a bearer token."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anyone send who can reach the address.")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate file (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Key file of the certificate.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(help="Only take senders with a certificate of this authority.")
    ] = None,
    spool: Annotated[
        Path | None, typer.Option(help="Where received data waits; beside the store by default.")
    ] = None,
    body_bytes: Annotated[int, typer.Option(min=1, help="The largest body.")] = 16 * 1024 * 1024,
    spool_bytes: Annotated[
        int, typer.Option(min=1, help="Above this many waiting bytes senders must come again.")
    ] = 512 * 1024 * 1024,
    pages_port: Port = 8501,
    pages_host: Annotated[
        str, typer.Option(help="The address of the pages; other than loopback needs a lock.")
    ] = "127.0.0.1",
    pages_token: Annotated[
        str | None,
        typer.Option(envvar=PAGES_TOKEN_VARIABLE, help="What a person types in to see the pages."),
    ] = None,
    sign_in: SignIn = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="The pages keep nothing, whatever is pressed.")
    ] = False,
) -> None:
    """Receive OpenTelemetry and Jaeger data and show the pages until stopped; what is acknowledged
    is kept."""
    from ingest.receivers.settings import ReceiverLimits, ReceiverSettings
    from retrospan.loading import ingest_settings

    edge = edge_of(context)
    ports = [
        None if port < 0 else port
        for port in (otlp_http_port, otlp_grpc_port, jaeger_http_port, jaeger_udp_port)
    ]
    settings = ReceiverSettings(
        spool=spool or edge.db.with_name(edge.db.name + ".spool"),
        ingest=ingest_settings(edge.settings(), None, redaction_key()),
        host=host,
        otlp_http_port=ports[0],
        otlp_grpc_port=ports[1],
        jaeger_http_port=ports[2],
        jaeger_udp_port=ports[3],
        token=token or None,
        tls=_tls(tls_cert, tls_key, tls_client_ca),
        insecure=insecure,
        limits=_limits(ReceiverLimits(), body_bytes, spool_bytes),
    )
    pages = Pages(
        host=pages_host,
        port=pages_port,
        token=pages_token or None,
        sign_in=sign_in,
        read_only=read_only,
    )
    _serve(edge, settings, pages.checked() if pages_port >= 0 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where the pages are beside the receivers, and who may see them."""

    host: str
    port: int
    token: str | None
    sign_in: Path | None
    read_only: bool

    def checked(self) -> "Pages":
        """With the port that is taken; refuses what would let strangers in, or a port in use."""
        from dashboards.serve import require_access

        require_access(self.host, insecure=False, token=self.token, sign_in=self.sign_in)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise UsageError(
                    f"the pages cannot listen on {self.host} port {self.port}: {error.strerror}. "
                    "Give another --pages-port, or -1 for no pages"
                ) from None
            return replace(self, port=int(probe.getsockname()[1]))

    def serve(self, edge: Edge) -> None:
        """Shows the pages until the process is told to stop."""
        from dashboards.serve import serve

        if edge.config is not None:
            os.environ[CONFIG_VARIABLE] = str(edge.config.absolute())
        serve(
            edge.db.absolute(),
            self.host,
            self.port,
            token=self.token,
            sign_in=self.sign_in,
            read_only=self.read_only,
        )


def _tls(cert: Path | None, key: Path | None, client_ca: Path | None) -> "Tls | None":
    from ingest.receivers.settings import Tls

    if cert is not None and key is not None:
        return Tls(cert=cert, key=key, client_ca=client_ca)
    if cert is not None or key is not None or client_ca is not None:
        raise UsageError("TLS needs both --tls-cert and --tls-key")
    return None


def _limits(limits: "ReceiverLimits", body_bytes: int, spool_bytes: int) -> "ReceiverLimits":
    return replace(limits, body_bytes=body_bytes, spool_bytes=spool_bytes)


def _serve(edge: Edge, settings: "ReceiverSettings", pages: Pages | None) -> None:
    from ingest.receivers.server import Receivers
    from retrospan.loading import derive
    from retrospan.slo_files import slos_of
    from retrospan.slo_metrics import SloMetrics

    store = edge.store()
    kept = edge.db.with_name(edge.db.name + ".slo-counters.json")
    metrics = SloMetrics(store, slos_of(edge.settings()), kept)

    def after_load() -> None:
        edge.say(derive(edge, lambda text: None))
        _updated(metrics)

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    receivers = Receivers(store, settings, after_load, tell, metrics.text)
    sender = None
    try:
        _updated(metrics)
        sender = _sender(metrics)
        for name, port in receivers.ports.items():
            edge.say(f"{NAMES[name]}: {settings.host} port {port}")
        if "otlp_http" in receivers.ports:
            edge.say(
                f"metrics: GET /metrics at {settings.host} port {receivers.ports['otlp_http']}"
            )
        if settings.jaeger_udp_port is not None and not settings.has_udp:
            edge.say("Jaeger over UDP is off: it cannot show a token or a certificate")
        if pages is not None:
            host = f"[{pages.host}]" if ":" in pages.host else pages.host
            edge.say(f"pages: http://{host}:{pages.port}")
        edge.say("receiving (Ctrl-C ends it)")
        if pages is not None:
            pages.serve(edge)
        else:
            stopping.wait()
        edge.say("stopping: what was acknowledged is loaded first")
    finally:
        # A second signal ends at once; the spool keeps what is not loaded.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(ExitCode.INTERRUPTED))
        receivers.stop()
        if sender is not None:
            sender.stop()
    spans, logs = receivers.loaded
    edge.say(
        f"received: {receivers.intake.tally.said()}; new in the store: {spans} spans, {logs} logs"
    )


def _updated(metrics: "SloMetrics") -> None:
    """Metrics that cannot be told are no reason to receive nothing."""
    from store.errors import RetrospanError

    try:
        metrics.update()
    except RetrospanError as error:
        tell(f"metrics are not up to date: {error}")


def _sender(metrics: "SloMetrics") -> "MetricSender | None":
    from retrospan.metric_sender import MetricSender, endpoint, interval_seconds

    if endpoint() is None:
        return None
    return MetricSender(metrics.families, lambda: metrics.families, interval_seconds(), tell)
