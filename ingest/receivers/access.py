"""Who may send: by address, by token, by certificate."""

import hmac
import socket
import ssl

import grpc  # type: ignore[import-untyped]

from ingest.receivers.settings import LOOPBACK, ReceiverSettings, Tls
from store.errors import UsageError

TOKEN_CHARS_MIN = 16


def check(settings: ReceiverSettings) -> None:
    """UsageError when the settings would let anybody in by mistake."""
    if settings.token is not None and len(settings.token) < TOKEN_CHARS_MIN:
        raise UsageError(f"a token needs at least {TOKEN_CHARS_MIN} characters")
    if settings.host not in LOOPBACK and settings.token is None and not settings.insecure:
        raise UsageError(
            f"--host {settings.host} lets other machines send: give a --token "
            "(or RETROSPAN_TOKEN), or --insecure"
        )
    if settings.tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(settings.tls.cert, settings.tls.key)
            if settings.tls.client_ca is not None:
                context.load_verify_locations(settings.tls.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"the TLS files cannot be used: {error}") from error


def is_allowed(shown: str | None, token: str | None) -> bool:
    """Whether an `Authorization` value carries the token; takes the same time for any wrong one."""
    if token is None:
        return True
    scheme, _, given = (shown or "").partition(" ")
    same = hmac.compare_digest(
        given.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace")
    )
    return same and scheme.lower() == "bearer"


def bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A socket on the address; UsageError when it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        opened = socket.socket(family, kind)
        try:
            if kind == socket.SOCK_STREAM:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
        except BaseException:
            opened.close()
            raise
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror or error}"
        ) from error
    return opened


def grpc_credentials(tls: Tls) -> grpc.ServerCredentials:
    """The same certificates for gRPC."""
    return grpc.ssl_server_credentials(
        [(tls.key.read_bytes(), tls.cert.read_bytes())],
        root_certificates=tls.client_ca.read_bytes() if tls.client_ca else None,
        require_client_auth=tls.client_ca is not None,
    )
