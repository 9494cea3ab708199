"""`retrospan serve` shows the pages beside its receivers, in one process."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

SECONDS_MAX = 60.0
SPAN = (
    b'{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":'
    b'"till"}}]},"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":'
    b'"0102030405060708","name":"pay","kind":2,"startTimeUnixNano":"1793700000000000000",'
    b'"endTimeUnixNano":"1793700001000000000"}]}]}]}'
)


def command(*options: str) -> list[str]:
    off = [
        word
        for name in ("otlp-grpc", "jaeger-http", "jaeger-udp")
        for word in (f"--{name}-port", "-1")
    ]
    return [
        *(sys.executable, "-P", "-m", "retrospan", "serve", "--otlp-http-port", "0"),
        *off,
        *options,
    ]


def test_pages_answer_while_data_comes_in_and_end_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environment = {**os.environ, "RETROSPAN_REDACTION_KEY": "k" * 32}
    with (
        log.open("w") as sink,
        subprocess.Popen(
            command("--pages-port", "0"), cwd=tmp_path, stdout=sink, stderr=sink, env=environment
        ) as process,
    ):
        try:
            receiver = awaited(log, r"OTLP over HTTP: \S+ port (\d+)", process)
            pages = awaited(log, r"pages: http://127\.0\.0\.1:(\d+)", process)
            request = urllib.request.Request(
                f"http://127.0.0.1:{receiver}/v1/traces",
                data=SPAN,
                headers={"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:
                assert answer.status == 200
            assert b"ok" in answered(f"http://127.0.0.1:{pages}/_stcore/health", process)
        finally:
            process.terminate()
        assert process.wait(SECONDS_MAX) == 0, log.read_text()
    told = log.read_text()
    assert "new in the store: 1 spans" in told
    assert "Traceback" not in told


def test_a_port_in_use_is_refused_before_anything_is_received(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            command("--pages-port", port),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert ended.returncode == 2
    assert "--pages-port" in ended.stderr
    assert "receiving" not in ended.stderr


def test_pages_for_others_need_something_that_keeps_strangers_out(tmp_path: Path) -> None:
    ended = subprocess.run(
        command("--pages-host", "0.0.0.0", "--pages-port", "0"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert ended.returncode == 2
    assert "can be reached from other machines" in ended.stderr


def awaited(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return int(found[1])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def answered(address: str, process: subprocess.Popen[bytes]) -> bytes:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                body: bytes = answer.read()
                return body
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise AssertionError(f"{address} did not answer")
