"""The mock server: every request is answered from a recording, or told that it cannot be.

A request that was recorded as timed out is held until its caller goes; one whose connection failed
is dropped. What was never recorded gets status 599 and a problem document with the nearest
recorded requests. Nothing reaches a network.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from replay.exchange import Exchange
from replay.requests import Answered, Request, Requests
from replay.server.control import control, problem
from replay.server.routing import route
from replay.server.sessions import Clock, Session, Sessions
from replay.server.wire import Answer, Arrived, Reply, serve_connection
from store.model import JsonValue

UNMATCHED = 599
HOLD_S_MAX = 300.0
CONNECTIONS_MAX = 1_000
_TIMED_OUT = re.compile("time[d]?[ _-]?out|deadline", re.IGNORECASE)
_EVENT_END = re.compile(rb"(?<=\n\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where to listen; port 0 takes a free one. `port_per_callee` opens one more for each."""

    host: str = "127.0.0.1"
    port: int = 0
    port_per_callee: bool = False
    clock: Clock = field(default_factory=Clock)


class MockServer:
    """Serves recorded flows while it is entered; `ports` are those of the callees."""

    def __init__(
        self, flows: Mapping[str, Requests], traces: Mapping[str, str], settings: ServerSettings
    ) -> None:
        self.settings = settings
        self.sessions = Sessions(flows, traces, settings.clock)
        self.hosts = {host: name for of in flows.values() for host, name in of.hosts.items()}
        self.port = 0
        self.ports: dict[str, int] = {}
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "MockServer":
        self.port = await self._listen(None, self.settings.port)
        if self.settings.port_per_callee:
            for callee in sorted(set(self.hosts.values())):
                self.ports[callee] = await self._listen(callee, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _listen(self, callee: str | None, port: int) -> int:
        async def answer(arrived: Arrived) -> Reply:
            return self.reply(arrived, callee)

        server = await asyncio.start_server(
            self._connected(answer), self.settings.host, port, backlog=CONNECTIONS_MAX
        )
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    def _connected(
        self, answer: Answer
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if len(self._connections) >= CONNECTIONS_MAX:
                writer.transport.abort()
                return
            task = asyncio.ensure_future(serve_connection(reader, writer, answer))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

        return connected

    def reply(self, arrived: Arrived, callee: str | None) -> Reply:
        """What a request gets; everything but the waiting happens at once, so order is kept."""
        if arrived.method == "CONNECT":
            return problem(501, "no tunnel", "TLS cannot be replayed; use http:// by proxy")
        routed = route(arrived.target, arrived.headers, self.hosts, callee)
        if routed.control:
            return control(self.sessions, arrived, routed.path)
        session = self.sessions.of(arrived.headers)
        if isinstance(session, str):
            return problem(UNMATCHED, "no session", session)
        if routed.callee is None:
            known = sorted(set(self.hosts.values()))
            detail = f"nothing says which of {', '.join(known)} is meant; use /__up/NAME/…"
            return problem(UNMATCHED, "no such dependency", detail)
        request = Request(
            callee=routed.callee,
            method=arrived.method,
            path=routed.path,
            query=routed.query,
            headers=arrived.headers,
            body=arrived.body,
        )
        answered = self.sessions.find(session, request)
        if answered.exchange is None:
            return _unmatched(request, answered)
        return _recorded(answered.exchange, session, answered)

    def report(self) -> dict[str, JsonValue]:
        """What all sessions asked for; those still open are closed by it."""
        for name in list(self.sessions.open):
            self.sessions.close(name)
        reports = [self.sessions.report(session) for session in self.sessions.closed]
        return {"schema": "retrospan.replay_server/1", "sessions": list(reports)}


def _recorded(exchange: Exchange, session: Session, answered: Answered) -> Reply:
    delay_s = session.clock.seconds(exchange.answer_after_ns)
    if exchange.error is not None:
        if not _TIMED_OUT.search(exchange.error):
            return Reply(drop=True, delay_s=delay_s)
        return Reply(
            status=UNMATCHED,
            headers={"content-type": "application/problem+json"},
            pieces=problem(
                UNMATCHED,
                "the answer was not recorded",
                f"its caller gave up ({exchange.error}); what it would have got is unknown",
            ).pieces,
            hold_s=HOLD_S_MAX,
        )
    body = (exchange.response_body or "").encode()
    kind = exchange.response_headers.get("content-type") or _content_type(body)
    streamed = kind.startswith("text/event-stream")
    return Reply(
        status=exchange.status or UNMATCHED,
        headers={
            **exchange.response_headers,
            "content-type": kind,
            "x-replay-rung": answered.match.rung,
        },
        pieces=[it for it in _EVENT_END.split(body) if it] if streamed else [body],
        delay_s=delay_s,
    )


def _content_type(body: bytes) -> str:
    return "application/json" if body[:1] in (b"{", b"[") else "text/plain; charset=utf-8"


def _unmatched(request: Request, answered: Answered) -> Reply:
    near: list[JsonValue] = [
        {
            "request": it.label,
            "likeness_percent": it.likeness_percent,
            "taken": it.taken,
            "differences": [
                {"path": path, "recorded": recorded, "asked": asked}
                for path, recorded, asked in it.differences
            ],
        }
        for it in answered.match.near
    ]
    detail = f"{request.method} {request.callee}{request.path} was not recorded"
    if near:
        detail += ", or was answered as often as it was recorded"
    return problem(UNMATCHED, "no recorded answer", detail, nearest=near)
