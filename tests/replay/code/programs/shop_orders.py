"""An order as a team would write it, with the marks and the recorder of the child's wheel."""

import asyncio
import os
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

import retrospan_child
from retrospan_child.recorder import Recorder

SHOP = os.environ.get("SHOP", "http://127.0.0.1:9")
RECORDER = Recorder(redact=("loyalty_number",), key="a key of the test")
CALLS = {"scored": 0}

Post = Callable[[str, Any], Any]


class DeclinedError(Exception):
    """The model says no."""


@retrospan_child.activity("score", kind="decision", recorder=RECORDER)
def score(amount: int) -> Any:
    """A model in this process; it must not be asked again in a replay."""
    CALLS["scored"] += 1
    return {"score": random.random(), "amount": amount}


@retrospan_child.activity("approve", kind="gate", recorder=RECORDER)
async def approve(amount: int) -> Any:
    """A slow gate."""
    await asyncio.sleep(0.02)
    if amount > 1_000:
        raise DeclinedError("too much")
    return {"approved": True}


def reservation(order: Any) -> Any:
    """A request with an id and a number that were drawn."""
    return {
        "order": order["id"],
        "card_number": order["card_number"],
        "loyalty_number": order["loyalty_number"],
        "request": str(uuid.uuid4()),
        "bin": random.randint(1, 1_000_000),
    }


def _pay(order: Any, post: Post) -> Any:
    reserved = post("/reserve", reservation(order))
    scored = score(order["amount"])
    charged = post("/charge", {"reservation": reserved["id"], "score": scored["score"]})
    return {"charge": charged["id"], "scored_here": CALLS["scored"]}


@retrospan_child.flow("order", recorder=RECORDER)
def by_requests(order: Any) -> Any:
    import requests

    with requests.Session() as session:
        return _pay(order, lambda path, body: session.post(SHOP + path, json=body).json())


@retrospan_child.flow("order", recorder=RECORDER)
def by_httpx(order: Any) -> Any:
    import httpx

    with httpx.Client() as client:
        return _pay(order, lambda path, body: client.post(SHOP + path, json=body).json())


@retrospan_child.flow("order", recorder=RECORDER)
def paced(order: Any) -> Any:
    """Gives the shop time between calls."""
    return _paced(order, 0.02)


def hasty(order: Any) -> Any:
    """As `paced`, but gives it none."""
    return _paced(order, 0)


def _paced(order: Any, pause_s: float) -> Any:
    import requests

    with requests.Session() as session:
        charged = []
        for path in ("/reserve", "/charge", "/ship"):
            charged.append(session.post(SHOP + path, json={"order": order["id"]}).json()["id"])
            time.sleep(pause_s)
    return charged


@retrospan_child.flow("order", recorder=RECORDER)
async def by_async_httpx(order: Any) -> Any:
    """Reads a stream of events, and asks a gate that says no."""
    import httpx

    async with httpx.AsyncClient() as client:
        reserved = (await client.post(SHOP + "/reserve", json=reservation(order))).json()
        words = []
        async with client.stream("POST", SHOP + "/words", json={"id": reserved["id"]}) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    words.append([line[6:], round(asyncio.get_running_loop().time(), 1) >= 0])
        return await _approved(order, words)


@retrospan_child.flow("order", recorder=RECORDER)
async def by_aiohttp(order: Any) -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as session:
        async with session.post(SHOP + "/reserve", json=reservation(order)) as answer:
            reserved = await answer.json()
        words = []
        async with session.post(SHOP + "/words", json={"id": reserved["id"]}) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    words.append([line[6:].decode().strip(), True])
        return await _approved(order, words)


async def _approved(order: Any, words: Any) -> Any:
    await approve(order["amount"])
    try:
        await approve(order["amount"] * 1_000)
    except DeclinedError as declined:
        return {"words": words, "declined": str(declined)}
    return None
