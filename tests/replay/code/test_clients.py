"""Every HTTP client is caught below its own code, and its own timeouts run on virtual time."""

import os
import subprocess
import sys

import pytest

from tests.replay.code.recorded import Call, run, subject
from tests.third_party import needs

PYTHON = os.environ.get("RETROSPAN_CLIENTS_PYTHON", sys.executable)
CLIENTS = {
    "by_requests": ("requests", "ReadTimeout"),
    "by_urllib3": ("urllib3", "ReadTimeoutError"),
    "by_httpx": ("httpx", "ReadTimeout"),
    "by_async_httpx": ("httpx", "ReadTimeout"),
    "by_httpx2": ("httpx2", "ReadTimeout"),
    "by_async_httpx2": ("httpx2", "ReadTimeout"),
    "by_aiohttp": ("aiohttp", "TimeoutError"),
}


def installed(module: str) -> bool:
    return subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0


@pytest.mark.parametrize("name", sorted(CLIENTS))
def test_a_client_gets_recorded_answers_and_keeps_its_own_timeout(name: str) -> None:
    module, error = CLIENTS[name]
    needs(module, installed=installed(module))
    body = {"order": "o-1"}
    flow = subject(
        [
            Call(path="/reserve", start_ms=1, end_ms=31, request=body, response={"id": "r-1"}),
            Call(path="/charge", start_ms=32, end_ms=332.4, request=body, status=0,
                 timeout_ms=300, callee_end_ms=900),
        ],
        given={"id": "o-1"}, output={"id": "r-1", "error": error}, end_ms=334,
    )  # fmt: skip
    result = run(flow, f"clients:{name}", python=PYTHON)
    assert result.verdict == "identical", (result.divergences, result.events, result.reason)
    assert 330_000_000 <= result.virtual_duration_ns <= 334_000_000
    assert result.flags == ()


def test_a_stream_of_events_is_read_as_it_was_recorded() -> None:
    events = 'data: {"text": "Hello "}\n\ndata: {"text": "world"}\n\ndata: [DONE]\n\n'
    call = Call(
        path="/chat", start_ms=1, end_ms=41, request={"order": "o-1"}, response=None,
        raw=events, headers={"content-type": "text/event-stream"},
    )  # fmt: skip
    flow = subject([call], given={"id": "o-1"}, output={"text": "Hello world"}, end_ms=42)
    result = run(flow, "clients:streamed", python=PYTHON)
    assert result.verdict == "identical", (result.divergences, result.events)


REFUSED = {
    "requests": ("requests", "ConnectionError"),
    "urllib3": ("urllib3", "NewConnectionError"),
    "httpx": ("httpx", "ConnectError"),
    "async_httpx": ("httpx", "ConnectError"),
    "httpx2": ("httpx2", "ConnectError"),
    "async_httpx2": ("httpx2", "ConnectError"),
    "aiohttp": ("aiohttp", "ClientConnectorError"),
}


def client(name: str) -> str:
    """The error by which a client says that nobody listens; skips where it is not installed."""
    module, error = REFUSED[name]
    needs(module, installed=installed(module))
    return error


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_refused_connection_is_the_clients_own_error_at_the_recorded_time(name: str) -> None:
    error = client(name)
    call = Call(
        path="/chat", start_ms=1, end_ms=9, request={"order": "o-1"}, status=0,
        error="ConnectionRefusedError",
    )  # fmt: skip
    flow = subject([call], given={"id": "o-1"}, output={"error": error}, end_ms=10)
    result = run(flow, f"clients:refused_by_{name}", python=PYTHON)
    assert result.verdict == "identical", (result.divergences, result.events, result.reason)
    assert result.virtual_duration_ns == 9_000_000
    assert result.flags == ()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_stream_comes_event_by_event_at_the_recorded_times(name: str) -> None:
    client(name)
    call = Call(
        path="/chat", start_ms=1, end_ms=4, request={"order": "o-1"}, event_ms=[5, 20, 80],
        raw="data: one\n\ndata: two\n\ndata: three\n\n",
        headers={"content-type": "text/event-stream"},
    )  # fmt: skip
    output = {"words": ["one", "two", "three"], "times": [6, 21, 81]}
    flow = subject([call], given={"id": "o-1"}, output=output, end_ms=82)
    result = run(flow, f"clients:streamed_by_{name}", python=PYTHON)
    assert result.verdict == "identical", (result.divergences, result.events, result.reason)
