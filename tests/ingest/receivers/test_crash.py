"""`retrospan serve` as a process: killed under load, stopped gracefully, started wrongly."""

import http.client
import json
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from retrospan.cli import run
from store.lease import Store
from store.read import read_spans
from tests.ingest.receivers.world import JSON, Server, post, spans_document

KILLS = 4
SPANS_PER_REQUEST = 20
SENDERS = 3


class Load:
    """Senders that remember which spans were acknowledged; each span is sent once."""

    def __init__(self, port: int, first: int) -> None:
        self.acknowledged: list[int] = []
        self.sent = first
        self._port = port
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def ended(self) -> list[int]:
        for thread in self._threads:
            thread.join()
        return self.acknowledged

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            while True:
                with self._lock:
                    first, self.sent = self.sent, self.sent + SPANS_PER_REQUEST
                numbers = range(first, first + SPANS_PER_REQUEST)
                body = json.dumps(spans_document(numbers))
                connection.request("POST", "/v1/traces", body, {"content-type": JSON})
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    with self._lock:
                        self.acknowledged += numbers
        except (OSError, http.client.HTTPException):
            return  # killed: what was under way is not acknowledged
        finally:
            connection.close()


def stored(folder: Path) -> list[object]:
    with Store(folder / "test.duckdb").lease("looking") as session:
        return [span.attributes["n"] for span in read_spans(session)]


def test_every_acknowledged_span_is_stored_once_however_often_the_receiver_is_killed(
    tmp_path: Path,
) -> None:
    """A killed process keeps its page cache: what a power cut does is not shown here."""
    chance = random.Random(20261117)
    acknowledged: list[int] = []
    sent = 0
    for _ in range(KILLS):
        server = Server(tmp_path)
        load = Load(server.port, sent)
        time.sleep(chance.uniform(0.2, 1.2))
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        acknowledged += load.ended()
        sent = load.sent
    assert len(acknowledged) > KILLS * SPANS_PER_REQUEST
    server = Server(tmp_path)
    assert server.end(signal.SIGTERM) == 0
    found = stored(tmp_path)
    assert len(found) == len(set(found)), "a span is stored twice"
    assert set(acknowledged) <= set(found)
    assert list((tmp_path / "test.duckdb.spool").glob("0*")) == []


def test_a_graceful_stop_loads_and_derives_what_was_acknowledged(tmp_path: Path) -> None:
    server = Server(tmp_path)
    for number in range(5):
        body = json.dumps(spans_document(range(number * 3, number * 3 + 3))).encode()
        assert post(server.url(), body).status == 200
    assert server.end(signal.SIGINT) == 0
    assert sorted(map(str, stored(tmp_path))) == sorted(map(str, range(15)))
    assert any("new in the store: 15 spans" in line for line in server.said)
    assert any(line.startswith("flows derived") for line in server.said)


def test_options_that_do_not_fit_are_usage_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # pytest's own stay

    def said(*options: str) -> str:
        assert run(["serve", "--otlp-http-port", "0", "--pages-port", "-1", *options]) == 2
        return capsys.readouterr().err

    assert "--insecure" in said("--host", "0.0.0.0")
    assert "--tls-key" in said("--tls-cert", "x.pem")
    assert "cannot listen on 192.0.2.1" in said("--host", "192.0.2.1", "--insecure")
