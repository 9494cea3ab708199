"""OTLP or Jaeger Thrift over HTTP, as ASGI applications."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.receivers import jaeger
from ingest.receivers.access import is_allowed
from ingest.receivers.bodies import opened, too_large
from ingest.receivers.errors import (
    OverloadedError,
    RefusedError,
    TooLargeError,
    UndecodableBodyError,
)
from ingest.receivers.intake import Body, Intake
from ingest.receivers.signals import SIGNALS, Receipt, Signal

PROTOBUF, JSON = "application/x-protobuf", "application/json"
METRICS = "text/plain; version=0.0.4"  # Prometheus' exposition format
THRIFT = ("application/x-thrift", "application/vnd.apache.thrift.binary")
# HTTP status, then google.rpc.Code
STATUSES: dict[type[RefusedError], tuple[int, int]] = {
    UndecodableBodyError: (400, 3),
    TooLargeError: (413, 3),
    OverloadedError: (503, 14),
}

Take = Callable[[bytes], Receipt]


def otlp_application(
    intake: Intake,
    workers: ThreadPoolExecutor,
    token: str | None,
    metrics: Callable[[], str] | None = None,
) -> ASGIApp:
    """POST /v1/traces, /v1/logs, /v1/metrics; GET /metrics where somebody has any to tell."""
    routes = [
        Route(f"/v1/{signal.name}", _otlp(signal, intake, workers), methods=["POST"])
        for signal in SIGNALS
    ]
    if metrics is not None:
        routes.append(Route("/metrics", _told(metrics), methods=["GET"]))
    return _Guarded(Starlette(routes=routes), token, intake.limits.body_bytes)


def jaeger_application(intake: Intake, workers: ThreadPoolExecutor, token: str | None) -> ASGIApp:
    """POST /api/traces, as the Jaeger collector has it."""

    def take(body: bytes) -> Receipt:
        receipt = intake.receive(lambda: (jaeger.batch(body, intake.settings.limits), None))
        if receipt.rejected and not receipt.accepted:
            intake.count(undecodable=1)
            raise UndecodableBodyError(receipt.message)
        return receipt

    async def endpoint(request: Request) -> Response:
        if _media(request) not in THRIFT:
            return _plain(415, f"send {THRIFT[0]}")
        try:
            await _taken(request, intake, workers, take)
        except RefusedError as error:
            return _plain(STATUSES[type(error)][0], str(error), _retry(error, intake))
        return Response(status_code=202)

    routes = [Route("/api/traces", endpoint, methods=["POST"])]
    return _Guarded(Starlette(routes=routes), token, intake.limits.body_bytes)


def _told(metrics: Callable[[], str]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        del request
        return Response(metrics(), media_type=METRICS)

    return endpoint


def _otlp(
    signal: Signal, intake: Intake, workers: ThreadPoolExecutor
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        media = _media(request)
        if media not in (PROTOBUF, JSON):
            return _plain(415, f"send {PROTOBUF} or {JSON}")
        decode = signal.from_protobuf if media == PROTOBUF else signal.from_json

        def take(body: bytes) -> Receipt:
            return intake.receive(
                lambda: signal.items(decode(body), intake.settings.limits),
                Body(body, signal.name, media == JSON),
            )

        try:
            receipt = await _taken(request, intake, workers, take)
        except RefusedError as error:
            status, code = STATUSES[type(error)]
            content = _status(code, str(error), media)
            return Response(content, status, _retry(error, intake), media)
        answer = signal.to_protobuf if media == PROTOBUF else signal.to_json
        return Response(answer(receipt), media_type=media)

    return endpoint


async def _taken(
    request: Request, intake: Intake, workers: ThreadPoolExecutor, take: Take
) -> Receipt:
    """Read the body, then decode and store it on a worker, so that others are served meanwhile."""
    limit = intake.limits.body_bytes
    encoding = request.headers.get("content-encoding", "").strip().lower()
    held = 0
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(intake.limits.body_seconds):
            async for part in request.stream():
                if held + len(part) > limit:
                    raise too_large(limit)
                intake.enter(len(part))
                held += len(part)
                parts.append(part)
        body = b"".join(parts)
        parts.clear()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(workers, lambda: take(opened(body, encoding, limit)))
    except (TimeoutError, ClientDisconnect) as error:
        raise UndecodableBodyError("the body did not arrive in time") from error
    except UndecodableBodyError:
        intake.count(undecodable=1)
        raise
    finally:
        intake.leave(held)


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _retry(error: RefusedError, intake: Intake) -> dict[str, str]:
    if isinstance(error, OverloadedError):
        return {"retry-after": str(intake.limits.retry_after_seconds)}
    return {}


def _status(code: int, message: str, media: str) -> bytes:
    """A google.rpc.Status in the encoding of the request, as OTLP wants it."""
    if media == JSON:
        return json.dumps({"code": code, "message": message}).encode()
    data: bytes = Status(code=code, message=message).SerializeToString()
    return data


def _plain(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(message + "\n", status, headers, "text/plain")


class _Guarded:
    """Asks for the token; reads on, within bounds, what a refused sender still sends.

    A connection closed on a sender in the middle of its body shows it a reset, not the answer.
    """

    def __init__(self, application: ASGIApp, token: str | None, drain_bytes: int) -> None:
        self._application, self._token, self._drain = application, token, drain_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        more = True

        async def watched() -> Message:
            nonlocal more
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and more:
                await self._drained(watched, lambda: more)
            await send(message)

        headers = dict(scope["headers"])
        shown = headers.get(b"authorization", b"").decode("latin-1")
        application: Any = self._application
        if not is_allowed(shown, self._token):
            refusal = {"www-authenticate": "Bearer"}
            application = _plain(401, "a bearer token is needed", refusal)
        await application(scope, watched, answer)

    async def _drained(self, receive: Receive, more: Callable[[], bool]) -> None:
        left = self._drain
        try:
            async with asyncio.timeout(5):
                while left > 0 and more():
                    left -= len((await receive()).get("body", b""))
        except TimeoutError:
            return
