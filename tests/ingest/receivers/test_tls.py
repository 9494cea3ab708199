"""TLS, also mutual, for HTTP and gRPC, with certificates made here."""

import json
import ssl
import subprocess
import urllib.error
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest

from ingest.pipeline import IngestSettings
from ingest.receivers.access import check, is_allowed
from ingest.receivers.settings import ReceiverSettings, Tls
from ingest.receivers.signals import TRACES
from store.errors import UsageError
from tests.ingest.receivers.world import KEY, Running, post, running, spans_document
from tests.third_party import program

BODY = json.dumps(spans_document(range(1))).encode()


def openssl(folder: Path, *arguments: str) -> None:
    tool = program("openssl", "openssl")
    subprocess.run([tool, *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority; a server and a client with certificates of it."""
    folder = tmp_path_factory.mktemp("tls")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(
        folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
        "-subj", "/CN=authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    (folder / "names").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n"
    )
    for name in ("server", "client"):
        request = f"{name}.csr"
        openssl(
            folder, "req", *curve, "-keyout", f"{name}.key", "-out", request,
            "-subj", f"/CN={name}",
        )  # fmt: skip
        openssl(
            folder, "x509", "-req", "-in", request, "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-out", f"{name}.pem", "-extfile", "names",
        )  # fmt: skip
    return folder


def tls(folder: Path, *, mutual: bool) -> Tls:
    return Tls(
        cert=folder / "server.pem",
        key=folder / "server.key",
        client_ca=folder / "ca.pem" if mutual else None,
    )


def context(folder: Path, *, shown: bool) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if shown:
        made.load_cert_chain(folder / "client.pem", folder / "client.key")
    return made


def call(receiver: Running, folder: Path, *, shown: bool) -> Any:
    credentials = grpc.ssl_channel_credentials(
        (folder / "ca.pem").read_bytes(),
        (folder / "client.key").read_bytes() if shown else None,
        (folder / "client.pem").read_bytes() if shown else None,
    )
    target = f"localhost:{receiver.receivers.ports['otlp_grpc']}"
    with grpc.secure_channel(target, credentials) as channel:
        return channel.unary_unary(f"/{TRACES.service}/Export")(b"", timeout=5)


def test_tls_serves_http_and_grpc(tmp_path: Path, certificates: Path) -> None:
    with running(tmp_path, tls=tls(certificates, mutual=False)) as receiver:
        trusting = context(certificates, shown=False)
        assert post(receiver.url(), BODY, context=trusting).status == 200
        assert call(receiver, certificates, shown=False) == b""
        spans, _ = receiver.stored()
    assert len(spans) == 1


def test_mutual_tls_takes_only_senders_with_a_certificate(
    tmp_path: Path, certificates: Path
) -> None:
    with running(tmp_path, tls=tls(certificates, mutual=True)) as receiver:
        assert "jaeger_udp" not in receiver.receivers.ports
        known, unknown = (context(certificates, shown=shown) for shown in (True, False))
        assert post(receiver.url(), BODY, context=known).status == 200
        assert call(receiver, certificates, shown=True) == b""
        with pytest.raises((urllib.error.URLError, OSError)):
            post(receiver.url(), BODY, context=unknown)
        with pytest.raises(grpc.RpcError):
            call(receiver, certificates, shown=False)


def test_another_address_needs_a_token_or_a_word(tmp_path: Path) -> None:
    def listening(host: str, token: str | None = None, *, insecure: bool = False) -> None:
        ingest = IngestSettings(redaction_key=KEY)
        check(
            ReceiverSettings(
                spool=tmp_path, ingest=ingest, host=host, token=token, insecure=insecure
            )
        )

    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(UsageError, match=r"--token .*--insecure"):
            listening(host)
        listening(host, "sesame-sesame-sesame")
        listening(host, insecure=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        listening(host)
    with pytest.raises(UsageError, match="at least 16 characters"):
        listening("0.0.0.0", "short")


def test_only_the_whole_token_after_bearer_is_right() -> None:
    token = "sesame-sesame-sesame"
    assert is_allowed(f"Bearer {token}", token)
    assert is_allowed(f"bearer {token}", token)
    assert is_allowed(None, None)
    for wrong in (None, "", token, f"Basic {token}", f"Bearer {token[:-1]}", "Bearer ü"):
        assert not is_allowed(wrong, token)


def test_tls_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    missing = Tls(cert=tmp_path / "none.pem", key=tmp_path / "none.key")
    settings = ReceiverSettings(
        spool=tmp_path, ingest=IngestSettings(redaction_key=KEY), tls=missing
    )
    with pytest.raises(UsageError, match="TLS files cannot be used"):
        check(settings)
