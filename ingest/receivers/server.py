"""All receivers of one store: started together, stopped without losing what was acknowledged."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from starlette.types import ASGIApp

from ingest.receivers import access, http
from ingest.receivers.grpc_otlp import GrpcReceiver
from ingest.receivers.intake import READER, Intake
from ingest.receivers.loader import Loader, Tell
from ingest.receivers.settings import ReceiverSettings
from ingest.receivers.spool import Spool
from ingest.receivers.udp import UdpReceiver
from store.errors import StoreError
from store.lease import Store

START_SECONDS_MAX = 10.0


class Receivers:
    """Running receivers. `ports` says where: otlp_http, otlp_grpc, jaeger_http, jaeger_udp.

    `metrics` gives what GET /metrics answers on the port of OTLP over HTTP.
    """

    def __init__(
        self,
        store: Store,
        settings: ReceiverSettings,
        after_load: Callable[[], None],
        tell: Tell,
        metrics: Callable[[], str] | None = None,
    ) -> None:
        access.check(settings)
        self._metrics = metrics
        self.ports: dict[str, int] = {}
        self._settings = settings
        self._stops: list[Callable[[], None]] = []  # undone in reverse
        try:
            self._start(store, settings, after_load, tell)
        except BaseException:
            self.stop()
            raise

    def _start(
        self,
        store: Store,
        settings: ReceiverSettings,
        after_load: Callable[[], None],
        tell: Tell,
    ) -> None:
        limits = settings.limits
        with store.lease("starting the receivers", create=True):
            pass  # a store that cannot be used is told now, not when data has come
        rules = settings.ingest.rules_sha256()
        self._spool = Spool(settings.spool, limits, READER, rules)
        self._stops.append(self._spool.release)
        self._loader = Loader(
            store, self._spool, after_load, tell, leaf_key=settings.ingest.redaction_key
        )
        self._stops.append(self._loader.stop)
        self._stops.append(self._spool.close)
        self.intake = Intake(self._spool, settings.ingest, limits)
        self._listen(settings)

    def _listen(self, settings: ReceiverSettings) -> None:
        intake, limits = self.intake, settings.limits
        workers = ThreadPoolExecutor(limits.workers, thread_name_prefix="retrospan-http")
        self._stops.append(lambda: workers.shutdown(wait=True))
        for name, port, application in (
            (
                "otlp_http",
                settings.otlp_http_port,
                http.otlp_application(intake, workers, settings.token, self._metrics),
            ),
            (
                "jaeger_http",
                settings.jaeger_http_port,
                http.jaeger_application(intake, workers, settings.token),
            ),
        ):
            if port is not None:
                opened = access.bound(settings.host, port, socket.SOCK_STREAM)
                self.ports[name] = opened.getsockname()[1]
                self._stops.append(_Http(application, opened, settings).stop)
        if settings.otlp_grpc_port is not None:
            server = GrpcReceiver(settings, settings.otlp_grpc_port, intake)
            self.ports["otlp_grpc"] = server.port
            self._stops.append(lambda: server.stop(limits.stop_seconds))
        if settings.has_udp and settings.jaeger_udp_port is not None:
            opened = access.bound(settings.host, settings.jaeger_udp_port, socket.SOCK_DGRAM)
            self.ports["jaeger_udp"] = opened.getsockname()[1]
            self._stops.append(UdpReceiver(opened, intake).stop)

    def stop(self) -> None:
        """Stop listening, finish what is under way, load the spool, let others own it."""
        while self._stops:
            self._stops.pop()()

    @property
    def loaded(self) -> tuple[int, int]:
        """Spans and log records that are new in the store."""
        return self._loader.spans, self._loader.logs


class _Http:
    """One uvicorn server on a thread of its own, where it leaves signals alone."""

    def __init__(
        self, application: ASGIApp, bound: socket.socket, settings: ReceiverSettings
    ) -> None:
        tls, limits = settings.tls, settings.limits
        client_ca = tls.client_ca if tls else None
        config = uvicorn.Config(
            application,
            http="h11",
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=limits.connections,
            timeout_graceful_shutdown=int(limits.stop_seconds),
            ssl_certfile=tls.cert if tls else None,
            ssl_keyfile=tls.key if tls else None,
            ssl_ca_certs=str(client_ca) if client_ca else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if client_ca else ssl.CERT_NONE,
        )
        self._server = uvicorn.Server(config)
        self._socket = bound
        self._thread = threading.Thread(target=self._run, name="retrospan-http")
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() >= deadline:
                raise StoreError("the HTTP server did not start")
            time.sleep(0.01)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def stop(self) -> None:
        """Finish what is under way, then end."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
