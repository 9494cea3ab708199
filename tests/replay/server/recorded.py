"""Exchanges written by hand, and a client that needs nothing but a socket."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from replay.exchange import Exchange
from replay.noise import Noise
from replay.requests import Requests

MS = 1_000_000


def exchange(
    number: int,
    path: str,
    response: str | None = "{}",
    *,
    callee: str = "shop",
    method: str = "POST",
    request: str | None = None,
    status: int | None = 200,
    error: str | None = None,
    step: str = "",
    after_ms: int = 10,
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> Exchange:
    """One exchange; its number gives its place in time."""
    return Exchange(
        span_id=f"{number:016x}",
        step_id=step or f"step-{number}",
        op=f"{callee} {method} {path}",
        key="",
        callee=callee,
        host=callee,
        method=method,
        path=path,
        query=query,
        start_ns=number * 100 * MS,
        answer_after_ns=after_ms * MS,
        request_body=request,
        status=status,
        error=error,
        response_headers=headers or {},
        response_body=response,
    )


def requests(*exchanges: Exchange) -> Requests:
    return Requests(exchanges, Noise(), None)


@dataclass(frozen=True, kw_only=True)
class Got:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes


async def ask(
    port: int,
    target: str,
    body: str = "",
    *,
    method: str = "POST",
    host: str = "shop",
    headers: Mapping[str, str] | None = None,
) -> Got | None:
    """One request on a connection of its own; None when it was closed without an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"Content-Length: {len(body.encode())}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    try:
        raw = await reader.read()
    except ConnectionResetError:
        raw = b""
    finally:
        writer.close()
    if not raw:
        return None
    head, _, rest = raw.partition(b"\r\n\r\n")
    first, *others = head.decode().split("\r\n")
    found = {it.partition(": ")[0].lower(): it.partition(": ")[2] for it in others}
    return Got(status=int(first.split()[1]), headers=found, body=rest, raw=raw)
