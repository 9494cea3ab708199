"""Who sees the pages when other machines reach them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from streamlit.testing.v1 import AppTest

from dashboards import data
from dashboards.access import COOKIE, LOGIN, SIGN_IN_VARIABLE, TokenGate, local_target
from dashboards.serve import read_sign_in, require_access
from store.errors import DataError, UsageError

TOKEN = "a token that nobody guesses"
SIGN_IN = """[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "secret"
client_id = "id"
client_secret = "secret"
server_metadata_url = "https://provider.example/.well-known/openid-configuration"
"""


async def pages(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands for the application behind the gate."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await PlainTextResponse(f"page {scope['path']}")(scope, receive, send)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Client:
    """Asks the gate as a browser does, with its cookies."""

    gate: TokenGate = field(default_factory=lambda: TokenGate(pages, TOKEN))
    cookie: str = ""

    def get(self, target: str, **headers: str) -> Answer:
        return self._ask("GET", target, b"", headers)

    def post(self, fields: Mapping[str, str] | bytes) -> Answer:
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return self._ask("POST", LOGIN, body, {})

    def _ask(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent = self._sent("http", method, target, body, headers)
        held = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        if "set-cookie" in held:
            self.cookie = held["set-cookie"].partition(";")[0]
        text = b"".join(one.get("body", b"") for one in sent[1:])
        return Answer(status=sent[0]["status"], headers=held, text=text.decode())

    def websocket(self) -> str:
        return str(self._sent("websocket", "GET", "/stream", b"", {})[0]["type"])

    def _sent(
        self, kind: str, method: str, target: str, body: bytes, headers: Mapping[str, str]
    ) -> list[Any]:
        path, _, query = target.partition("?")
        named = {"host": "here", **headers} | ({"cookie": self.cookie} if self.cookie else {})
        scope = {
            "type": kind, "method": method, "path": path, "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in named.items()],
            "scheme": "http", "server": ("here", 80), "root_path": "",
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.gate(scope, receive, send))
        return sent


@pytest.fixture
def client() -> Client:
    return Client()


def test_without_the_token_there_is_a_form_and_no_page(client: Client) -> None:
    answer = client.get("/flows?outcome=failed")
    assert answer.status == 401
    assert "page /flows" not in answer.text
    assert 'value="/flows?outcome=failed"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_without_the_token_no_websocket_opens(client: Client) -> None:
    assert client.websocket() == "websocket.close"


def test_the_token_opens_the_page_that_was_asked_for(client: Client) -> None:
    answer = client.post({"token": TOKEN, "next": "/flows?outcome=failed"})
    assert (answer.status, answer.headers["location"]) == (303, "/flows?outcome=failed")
    held = answer.headers["set-cookie"]
    assert "HttpOnly" in held
    assert "SameSite=strict" in held
    assert TOKEN not in held
    assert client.get("/flows").text == "page /flows"
    assert client.websocket() == "websocket.accept"


@pytest.mark.parametrize("wrong", ["", "a token", TOKEN + "x", "\udc80", TOKEN[::-1]])
def test_another_token_opens_nothing(client: Client, wrong: str) -> None:
    answer = client.post({"token": wrong.encode("utf-8", "replace").decode()})
    assert answer.status == 401
    assert "set-cookie" not in answer.headers
    assert client.get("/").status == 401


@pytest.mark.parametrize("held", ["", "x", TOKEN, "ä"])
def test_a_made_up_cookie_opens_nothing(client: Client, held: str) -> None:
    assert client.get("/", cookie=f"{COOKIE}={held}").status == 401


def test_programs_show_the_token_as_a_bearer(client: Client) -> None:
    assert client.get("/", authorization=f"Bearer {TOKEN}").status == 200
    assert client.get("/", authorization=f"Basic {TOKEN}").status == 401


def test_a_long_form_is_refused(client: Client) -> None:
    assert client.post(b"token=" + b"x" * 100_000).status == 413


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"]
)
def test_the_form_leads_nowhere_else(client: Client, target: str) -> None:
    assert local_target(target) == "/"
    answer = client.post({"token": TOKEN, "next": target})
    assert answer.headers["location"] == "/"


def test_what_the_address_says_is_escaped_in_the_form(client: Client) -> None:
    assert "<script>" not in client.get('/"><script>alert(1)</script>').text


def test_the_health_check_needs_no_token(client: Client) -> None:
    assert client.get("/_stcore/health").status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org"])
def test_another_address_needs_something_that_keeps_others_out(host: str) -> None:
    with pytest.raises(UsageError, match="--token"):
        require_access(host, insecure=False)
    require_access(host, insecure=False, token=TOKEN)
    require_access(host, insecure=True)
    require_access("127.0.0.1", insecure=False)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(UsageError, match="16 characters"):
        require_access("127.0.0.1", insecure=False, token="short")


def test_sign_in_settings_are_checked_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "auth.toml"
    path.write_text(SIGN_IN)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="Authlib"):
        read_sign_in(path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert read_sign_in(path)["auth"]["client_id"] == "id"
    path.write_text("[auth]\nclient_id = 1\n")
    with pytest.raises(DataError, match="lacks redirect_uri, cookie_secret"):
        read_sign_in(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_sign_in(tmp_path / "none.toml")


def test_where_people_sign_in_a_stranger_sees_a_button_and_nothing_else(
    served_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SIGN_IN_VARIABLE, "1")
    app = AppTest.from_file(str(Path(data.__file__).parent / "app.py"), default_timeout=30)
    app.user = {"is_logged_in": False}
    app.run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Sign in"]
    assert not app.metric
