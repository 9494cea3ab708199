"""One order by each HTTP client there is: a call that is answered, one that times out."""

import asyncio
import json
import time
from typing import Any

SHOP = "http://shop.example:8080"
SECURE = "https://shop.example:8080"
TIMEOUT_S = 0.3


def by_requests(order: Any) -> Any:
    import requests

    with requests.Session() as session:
        first = session.post(SHOP + "/reserve", json={"order": order["id"]}, timeout=TIMEOUT_S)
        try:
            session.post(SECURE + "/charge", json={"order": order["id"]}, timeout=TIMEOUT_S)
        except requests.ReadTimeout as late:
            return {"id": first.json()["id"], "error": type(late).__name__}
    return None


def by_urllib3(order: Any) -> Any:
    import urllib3

    pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S)
    first = pool.request("POST", SHOP + "/reserve", json={"order": order["id"]})
    try:
        pool.request("POST", SECURE + "/charge", json={"order": order["id"]})
    except urllib3.exceptions.ReadTimeoutError as late:
        return {"id": first.json()["id"], "error": type(late).__name__}
    return None


def _httpx(module: Any, order: Any) -> Any:
    with module.Client(timeout=TIMEOUT_S) as client:
        first = client.post(SHOP + "/reserve", json={"order": order["id"]})
        try:
            client.post(SECURE + "/charge", json={"order": order["id"]})
        except module.ReadTimeout as late:
            return {"id": first.json()["id"], "error": type(late).__name__}
    return None


async def _async_httpx(module: Any, order: Any) -> Any:
    async with module.AsyncClient(timeout=TIMEOUT_S) as client:
        first = await client.post(SHOP + "/reserve", json={"order": order["id"]})
        try:
            await client.post(SECURE + "/charge", json={"order": order["id"]})
        except module.ReadTimeout as late:
            return {"id": first.json()["id"], "error": type(late).__name__}
    return None


def by_httpx(order: Any) -> Any:
    import httpx

    return _httpx(httpx, order)


def by_httpx2(order: Any) -> Any:
    import httpx2

    return _httpx(httpx2, order)


def by_async_httpx(order: Any) -> Any:
    import httpx

    return _async_httpx(httpx, order)


def by_async_httpx2(order: Any) -> Any:
    import httpx2

    return _async_httpx(httpx2, order)


async def by_aiohttp(order: Any) -> Any:
    import aiohttp

    limit = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=limit) as session:
        async with session.post(SHOP + "/reserve", json={"order": order["id"]}) as answer:
            first = await answer.json()
        try:
            async with session.post(SECURE + "/charge", json={"order": order["id"]}) as answer:
                await answer.json()
        except asyncio.TimeoutError as late:
            return {"id": first["id"], "error": type(late).__name__}
    return None


def streamed(order: Any) -> Any:
    """Server-sent events, line by line."""
    import requests

    lines = []
    body = {"order": order["id"]}
    with requests.post(SHOP + "/chat", json=body, stream=True, timeout=5) as answer:
        for line in answer.iter_lines():
            if line.startswith(b"data: {"):
                lines.append(json.loads(line[6:])["text"])
    return {"text": "".join(lines)}


def _told(done: Any, *kinds: Any) -> Any:
    try:
        return {"text": done()}
    except kinds as failed:
        return {"error": type(failed).__name__}


def refused_by_requests(order: Any) -> Any:
    import requests

    body = {"order": order["id"]}
    return _told(
        lambda: requests.post(SHOP + "/chat", json=body).text, requests.exceptions.RequestException
    )


def refused_by_urllib3(order: Any) -> Any:
    import urllib3

    pool, body = urllib3.PoolManager(retries=False), {"order": order["id"]}
    return _told(
        lambda: pool.request("POST", SHOP + "/chat", json=body).data.decode(),
        urllib3.exceptions.HTTPError,
    )


def _refused_by_httpx(module: Any, order: Any) -> Any:
    body = {"order": order["id"]}
    return _told(lambda: module.post(SHOP + "/chat", json=body).text, module.HTTPError)


def refused_by_httpx(order: Any) -> Any:
    import httpx

    return _refused_by_httpx(httpx, order)


def refused_by_httpx2(order: Any) -> Any:
    import httpx2

    return _refused_by_httpx(httpx2, order)


async def _refused_by_async_httpx(module: Any, order: Any) -> Any:
    async with module.AsyncClient() as client:
        try:
            await client.post(SHOP + "/chat", json={"order": order["id"]})
        except module.HTTPError as failed:
            return {"error": type(failed).__name__}
    return None


async def refused_by_async_httpx(order: Any) -> Any:
    import httpx

    return await _refused_by_async_httpx(httpx, order)


async def refused_by_async_httpx2(order: Any) -> Any:
    import httpx2

    return await _refused_by_async_httpx(httpx2, order)


async def refused_by_aiohttp(order: Any) -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        try:
            await session.post(SHOP + "/chat", json={"order": order["id"]})
        except aiohttp.ClientError as failed:
            return {"error": type(failed).__name__}
    return None


def streamed_by_requests(order: Any) -> Any:
    import requests

    with requests.post(SHOP + "/chat", json={"order": order["id"]}, stream=True) as answer:
        return _words(answer.iter_lines())


def streamed_by_urllib3(order: Any) -> Any:
    import urllib3

    answer = urllib3.PoolManager(retries=False).request(
        "POST", SHOP + "/chat", json={"order": order["id"]}, preload_content=False
    )
    return _words(line for chunk in answer.stream() for line in chunk.splitlines())


def _streamed_by_httpx(module: Any, order: Any) -> Any:
    with module.stream("POST", SHOP + "/chat", json={"order": order["id"]}) as answer:
        return _words(answer.iter_lines())


def streamed_by_httpx(order: Any) -> Any:
    import httpx

    return _streamed_by_httpx(httpx, order)


def streamed_by_httpx2(order: Any) -> Any:
    import httpx2

    return _streamed_by_httpx(httpx2, order)


async def _streamed_by_async_httpx(module: Any, order: Any) -> Any:
    body = {"order": order["id"]}
    async with (
        module.AsyncClient() as client,
        client.stream("POST", SHOP + "/chat", json=body) as answer,
    ):
        told: dict[str, Any] = {"words": [], "times": []}
        async for line in answer.aiter_lines():
            _word(told, line)
        return told


async def streamed_by_async_httpx(order: Any) -> Any:
    import httpx

    return await _streamed_by_async_httpx(httpx, order)


async def streamed_by_async_httpx2(order: Any) -> Any:
    import httpx2

    return await _streamed_by_async_httpx(httpx2, order)


async def streamed_by_aiohttp(order: Any) -> Any:
    import aiohttp

    told: dict[str, Any] = {"words": [], "times": []}
    async with (
        aiohttp.ClientSession() as session,
        session.post(SHOP + "/chat", json={"order": order["id"]}) as answer,
    ):
        async for line in answer.content:
            _word(told, line)
    return told


def _words(lines: Any) -> Any:
    told: dict[str, Any] = {"words": [], "times": []}
    for line in lines:
        _word(told, line)
    return told


def _word(told: Any, line: Any) -> None:
    text = (line.decode() if isinstance(line, bytes) else line).strip()
    if text:
        told["words"].append(text.removeprefix("data: "))
        told["times"].append(round(time.monotonic() * 1000))
