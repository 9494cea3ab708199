"""Payloads that a team's codec closed are opened by its codec server, on this machine only."""

import base64
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from ingest.history.codec import CodecServer
from ingest.history.kept import HISTORY, LEFT_OUT, restore
from ingest.pipeline import IngestSettings, ingest_paths
from store import read
from store.errors import DataError, UsageError
from store.lease import Store
from tests.ingest.histories import order

CARD = "4111111111111111"


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def closed(value: object) -> dict[str, Any]:
    """A payload as a compressing codec leaves it: the whole plain payload inside."""
    inner = {"metadata": {"encoding": text("json/plain")}, "data": text(json.dumps(value))}
    data = base64.b64encode(zlib.compress(json.dumps(inner).encode())).decode()
    return {"metadata": {"encoding": text("binary/zlib")}, "data": data}


def opened(payload: dict[str, Any]) -> Any:
    """The plain payload; one of another codec as it is, which is what codecs do."""
    if payload["metadata"]["encoding"] != text("binary/zlib"):
        return payload
    return json.loads(zlib.decompress(base64.b64decode(payload["data"])))


class Server(BaseHTTPRequestHandler):
    """Opens what `closed` closes; `broken` is what it answers instead."""

    asked: ClassVar[list[Any]] = []
    broken: ClassVar[bytes | None] = None
    status: ClassVar[int] = 200

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Server.asked.append((self.path, len(told["payloads"])))
        found = [opened(one) for one in told["payloads"]]
        body = Server.broken or json.dumps({"payloads": found}).encode()
        self.send_response(Server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Server, "asked", [])
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def history() -> list[dict[str, Any]]:
    events = order()
    started = events[0]["workflowExecutionStartedEventAttributes"]
    started["input"] = {"payloads": [closed({"order_id": "o1", "card": CARD})]}
    return events


def stored(tmp_path: Path, codec: str) -> dict[str, Any]:
    """The attributes of the workflow's span after a load."""
    path = tmp_path / "history.json"
    path.write_text(json.dumps({"events": history()}))
    store = Store(tmp_path / f"{bool(codec)}.duckdb")
    settings = IngestSettings(redaction_key=b"a key for tests only", codec=codec)
    ingest_paths(store, [str(path)], settings)
    with store.lease("reading") as session:
        (root,) = [
            span for span in read.read_spans(session) if "retrospan.flow.name" in span.attributes
        ]
    return dict(root.attributes)


def test_without_the_server_payloads_stay_closed_and_with_it_they_are_read_and_redacted(
    tmp_path: Path, address: str
) -> None:
    plain = stored(tmp_path, "")
    assert json.loads(plain["retrospan.flow.input"])["opaque"] == "binary/zlib"
    assert HISTORY not in plain
    assert "binary/zlib, which redaction cannot read" in plain[LEFT_OUT]
    opened = stored(tmp_path, address)
    told = json.loads(opened["retrospan.flow.input"])
    assert told["order_id"] == "o1"
    assert "[redacted:" in told["card"]
    # One more is encrypted: the server is asked, and leaves it as it is.
    assert Server.asked == [("/decode", 2)]
    assert CARD not in json.dumps(restore(opened[HISTORY]))


def test_payloads_of_no_codec_are_not_sent(address: str) -> None:
    events: list[object] = [{"x": {"metadata": {"encoding": text("json/plain")}, "data": "MQ=="}}]
    assert CodecServer(address).opened(events) == events
    assert Server.asked == []


def test_the_message_of_an_encoded_failure_is_put_back(address: str) -> None:
    encoded = closed({"message": "card declined", "stack_trace": "at line 3"})
    events: list[object] = [
        {"failure": {"message": "Encoded failure", "encodedAttributes": encoded}}
    ]
    (event,) = CodecServer(address).opened(events)
    assert isinstance(event, dict)
    assert event["failure"]["message"] == "card declined"
    assert event["failure"]["stackTrace"] == "at line 3"


@pytest.mark.parametrize(
    ("broken", "status", "named"),
    [
        (b"oops", 500, "it answered 500"),
        (b"not json", 200, "its answer has no payloads"),
        (b'{"payloads":[]}', 200, "0 payloads for 2"),
    ],
)
def test_a_server_that_does_not_answer_as_one_is_named_and_nothing_is_stored(
    broken: bytes, status: int, named: str, address: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(Server, "broken", broken)
    monkeypatch.setattr(Server, "status", status)
    with pytest.raises(DataError, match=named):
        stored(tmp_path, address)
    assert not (tmp_path / "True.duckdb").exists()


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"codec server http://127\.0\.0\.1:9: .*refused"):
        stored(tmp_path, "http://127.0.0.1:9")


@pytest.mark.parametrize("url", ["http://codec.example.com", "http://10.0.0.7:8081", "file:///etc"])
def test_payloads_go_to_no_other_machine(url: str) -> None:
    with pytest.raises(UsageError, match=r"on this machine only|give an address"):
        CodecServer(url)
