"""HTTP/1.1 on a stream: one connection, request by request.

h11 holds the protocol's rules; here are the limits, and what a mock needs beyond a web server:
closing without an answer, waiting until the caller has gone, and answers in recorded pieces.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import h11

READ_BYTES = 65_536
BODY_BYTES_MAX = 16_000_000
HEAD_BYTES_MAX = 65_536
IDLE_S = 120.0
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "content-length", "content-encoding", "date"}
)
"""Fields of one connection (RFC 9110, 7.6.1), and those that speak of bytes that were not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A request as it came; header names in lower case, the first of each name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. `hold` waits until the caller goes; `drop` closes without a word."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[bytes] = ()
    delay_s: float = 0.0
    hold_s: float = 0.0
    drop: bool = False


Answer = Callable[[Arrived], Awaitable[Reply]]


async def serve_connection(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
) -> None:
    """Answer the requests of one connection until it ends. A broken peer ends only itself."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
    try:
        while True:
            arrived = await _read(connection, reader, writer)
            if arrived is None:
                break
            reply = await answer(arrived)
            if not await _wait(reply, reader, writer):
                break
            await _send(connection, writer, reply, arrived.method)
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                break
            connection.start_next_cycle()
    except (h11.ProtocolError, OSError, TimeoutError):
        pass
    finally:
        writer.close()


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Arrived | None:
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                writer.write(connection.send(go_on) or b"")
            connection.receive_data(await asyncio.wait_for(reader.read(READ_BYTES), IDLE_S))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_BYTES_MAX:
                raise h11.RemoteProtocolError("the body is too large", 413)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            headers: dict[str, str] = {}
            for name, value in request.headers:
                headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
            return Arrived(
                method=request.method.decode("latin-1").upper(),
                target=request.target.decode("latin-1"),
                headers=headers,
                body=bytes(body),
            )
        else:
            return None


async def _wait(reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Wait as the reply says; False when there is nobody to answer, or nothing to say."""
    if reply.drop:
        writer.transport.abort()
        return False
    if reply.delay_s:
        await asyncio.sleep(reply.delay_s)
    if reply.hold_s:
        try:
            # A caller that waits sends nothing; what arrives is the end of its patience.
            await asyncio.wait_for(reader.read(1), reply.hold_s)
        except TimeoutError:
            return True
        return False
    return True


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, reply: Reply, method: str
) -> None:
    """One piece goes with its length, several are chunks, each flushed by itself."""
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in reply.headers.items()
        if name.lower() not in HOP_BY_HOP and not set("\r\n\0") & set(name + value)
    ]
    bodiless = method == "HEAD" or reply.status in (204, 304) or reply.status < 200
    pieces = () if bodiless else reply.pieces
    if len(pieces) > 1:
        headers.append((b"transfer-encoding", b"chunked"))
    elif not bodiless:
        headers.append((b"content-length", str(sum(map(len, pieces))).encode()))
    response = h11.Response(status_code=reply.status, headers=headers)
    writer.write(connection.send(response) or b"")
    for piece in pieces:
        writer.write(connection.send(h11.Data(data=piece)) or b"")
        await writer.drain()
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    await writer.drain()
