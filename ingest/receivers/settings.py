"""What code sets for the receivers: limits, places, who may send."""

from dataclasses import dataclass, field
from pathlib import Path

from ingest.pipeline import IngestSettings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverLimits:
    """Named limits. Past `body_bytes` a request is refused for good (413), past the others the
    sender is told to come again (503 with Retry-After, RESOURCE_EXHAUSTED with RetryInfo).

    `body_bytes` bounds a body both as sent and decompressed. `in_flight_bytes` bounds all bodies
    that are being received or decoded. `decoders` are at work at once: a decoded body takes about
    ten times its bytes. `spool_bytes` bounds what is acknowledged and not yet loaded. A segment is
    closed at `segment_bytes`, or after `load_seconds` when there is nothing else to load. Bodies
    of `column_bytes_min` or more are decoded column by column, which costs more to begin.
    """

    body_bytes: int = 16 * 1024 * 1024
    in_flight_bytes: int = 64 * 1024 * 1024
    decoders: int = 2
    workers: int = 16
    body_seconds: float = 30.0
    connections: int = 1024
    datagram_bytes: int = 65_000
    spool_bytes: int = 512 * 1024 * 1024
    segment_bytes: int = 4 * 1024 * 1024
    load_seconds: float = 0.3
    column_bytes_min: int = 16 * 1024
    retry_after_seconds: int = 1
    stop_seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificate files; with `client_ca` a client must show a certificate of that authority."""

    cert: Path
    key: Path
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverSettings:
    """Where the receivers listen. A port of None is off, of 0 is chosen by the system.

    Jaeger's UDP format carries no credentials, so it is off where senders must show some.
    """

    spool: Path
    ingest: IngestSettings
    host: str = "127.0.0.1"
    otlp_http_port: int | None = 4318
    otlp_grpc_port: int | None = 4317
    jaeger_http_port: int | None = 14268
    jaeger_udp_port: int | None = 6831
    token: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    insecure: bool = False
    limits: ReceiverLimits = field(default_factory=ReceiverLimits)

    @property
    def has_udp(self) -> bool:
        """Whether datagrams are received."""
        shown = self.token is not None or (self.tls is not None and self.tls.client_ca is not None)
        return self.jaeger_udp_port is not None and (self.insecure or not shown)
