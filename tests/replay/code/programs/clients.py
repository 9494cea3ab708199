"""One order by each HTTP client there is: a call that is answered, one that times out."""

import asyncio
import json
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
