"""The OpenTelemetry SDK for JavaScript sends protobuf over HTTP."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ingest.receivers.world import running
from tests.third_party import program, without

PACKAGES = (
    "@opentelemetry/api@1.9.0",
    "@opentelemetry/sdk-trace-node@2.0.1",
    "@opentelemetry/exporter-trace-otlp-proto@0.201.1",
)
INSTALL_SECONDS_MAX = 120


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with its packages, in a folder of its own."""
    npm = program("npm", "npm")
    program("node", "nodejs")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"private": true}')
    options = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
    try:
        installed = subprocess.run(
            [npm, "install", *options, *PACKAGES],
            cwd=folder,
            capture_output=True,
            timeout=INSTALL_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        without(f"npm took more than {INSTALL_SECONDS_MAX} seconds to install {PACKAGES[-1]}")
    if installed.returncode:
        said = installed.stderr.decode(errors="replace").strip()[-300:]
        without(f"npm cannot install {PACKAGES[-1]}: {said}")
    return Path(shutil.copy(Path(__file__).with_name("send.mjs"), folder / "send.mjs"))


@pytest.mark.node
def test_the_sdk_for_javascript_sends_over_http(tmp_path: Path, sender: Path) -> None:
    with running(tmp_path) as receiver:
        subprocess.run(
            ["node", str(sender), receiver.url().replace("localhost", "127.0.0.1")],
            check=True,
            capture_output=True,
            timeout=30,
        )
        (span,) = receiver.stored()[0]
    assert (span.name, span.kind, span.scope_name) == ("pay", "internal", "tests")
    assert span.attributes == {"whole": 7, "half": 0.5, "list": ["a", "b"]}
    assert (span.status, span.status_message) == ("error", "no money")
    assert [(event.name, event.attributes) for event in span.events] == [("declined", {"code": 51})]
