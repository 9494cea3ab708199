"""Small orchestrators, each written as somebody would write it; none knows that it is replayed."""

import asyncio
import datetime
import http.client
import json
import os
import platform
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

SHOP = "http://shop.example:8080"


def post(path: str, body: Any, timeout: float = 5.0) -> Any:
    """POST by the standard library."""
    asked = urllib.request.Request(
        SHOP + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=timeout) as answer:
        return json.loads(answer.read())


def sequential(order: Any) -> Any:
    """Reserve, wait, charge."""
    reserved = post("/reserve", {"order": order["id"]})
    time.sleep(3_600)
    charged = post("/charge", {"order": order["id"], "reservation": reserved["id"]})
    return {"charge": charged["id"]}


def noting(order: Any) -> Any:
    """As `sequential`, with more to say."""
    reserved = post("/reserve", {"order": order["id"]})
    time.sleep(3_600)
    said = {"order": order["id"], "reservation": reserved["id"], "note": "gift", "lane": 3}
    return {"charge": post("/charge", said)["id"]}


def patient(order: Any) -> Any:
    """As `sequential`; a charge that takes too long is told, not raised."""
    reserved = post("/reserve", {"order": order["id"]})
    time.sleep(3_600)
    try:
        return post("/charge", {"order": order["id"], "reservation": reserved["id"]})
    except TimeoutError:
        return {"charge": None}


def in_threads(order: Any) -> Any:
    """Two calls at once, in threads; tells who was done first."""
    done: list[str] = []
    lock = threading.Lock()

    def call(path: str) -> Any:
        answer = post(path, {"order": order["id"]})
        with lock:
            done.append(path)
        return answer

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(call, ["/reserve", "/score"]))
    return {"done": done, "ids": [it["id"] for it in results]}


async def ask(path: str, body: Any) -> Any:
    """POST over an asyncio stream."""
    reader, writer = await asyncio.open_connection("shop.example", 8080)
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    raw = await reader.read()
    writer.close()
    return json.loads(raw.partition(b"\r\n\r\n")[2])


async def in_tasks(order: Any) -> Any:
    """Two calls at once, an hour of sleep, then a charge with a timeout and one more try."""
    body = {"order": order["id"]}
    reserved, scored = await asyncio.gather(ask("/reserve", body), ask("/score", body))
    await asyncio.sleep(3_600)
    tries = 0
    while True:
        tries += 1
        try:
            charged = await asyncio.wait_for(ask("/charge", body), timeout=0.3)
            return {"ids": [reserved["id"], scored["id"], charged["id"]], "tries": tries}
        except asyncio.TimeoutError:
            await asyncio.sleep(0.1)


async def stuck(order: Any) -> Any:
    """Waits for what never comes."""
    await asyncio.get_running_loop().create_future()


def stuck_in_threads(order: Any) -> Any:
    """Two threads, each waiting for the other's lock."""
    first, second = threading.Lock(), threading.Lock()

    def take(one: threading.Lock, other: threading.Lock) -> None:
        with one:
            time.sleep(1)
            with other:
                pass

    threads = [
        threading.Thread(target=take, args=pair) for pair in ((first, second), (second, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def endless(order: Any) -> Any:
    """Sleeps forever, a bit at a time."""
    while True:
        time.sleep(1)


def busy(order: Any) -> Any:
    """Never gives up its turn."""
    while True:
        pass


def draws(order: Any) -> Any:
    """Whatever a program can draw."""
    return {
        "python": platform.python_version(),
        "random": random.random(),
        "uuid": str(uuid.uuid4()),
        "uuid1": str(uuid.uuid1()),
        "secret": secrets.token_hex(8),
        "system": random.SystemRandom().random(),
        "own": random.Random().random(),
        "now": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "local": datetime.datetime.now().isoformat(),
        "today": datetime.date.today().isoformat(),
        "time": time.time_ns(),
        "monotonic": time.monotonic(),
        "words": list({"one", "two", "three", "four", "five"}),
    }


def racing(order: Any) -> Any:
    """Whichever thread comes first decides: what is sent depends on their order."""
    first: list[str] = []

    def enter(name: str) -> None:
        time.sleep(0.01)
        first.append(name)

    threads = [threading.Thread(target=enter, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return post("/reserve", {"order": order["id"], "first": first[0]})


def unrecorded(order: Any) -> Any:
    """Calls what nobody recorded."""
    try:
        return post("/nothing", {"order": order["id"]})
    except urllib.error.HTTPError as refused:
        return {"status": refused.code}


def failing(order: Any) -> Any:
    """Raises."""
    raise LookupError(f"no such order: {order['id']}")


def escaping(order: Any) -> Any:
    """Tries every way out; tells which were open."""
    port = int(order["port"])
    target = str(Path(order["folder"]) / "written")

    def connection() -> None:
        http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
        raw = socket.socket()
        raw.connect(("127.0.0.1", port))
        raw.sendall(b"\x00\x01binary")

    def below() -> None:
        import _socket

        _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM).connect(("127.0.0.1", port))

    def datagram() -> None:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", port))

    def library() -> None:
        import ctypes

        ctypes.CDLL("libc.so.6")

    ways: dict[str, Any] = {
        "connection": connection,
        "below": below,
        "datagram": datagram,
        "library": library,
        "process": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        "shell": lambda: os.system("true"),
        "fork": os.fork,
        "file": lambda: Path(target).write_text("x"),
        "low file": lambda: os.open(target, os.O_WRONLY | os.O_CREAT),
        "folder": lambda: os.mkdir(target),
    }
    opened = []
    for name, way in ways.items():
        try:
            way()
        except OSError:
            continue
        opened.append(name)
    return {"open": opened}


def printing(order: Any) -> Any:
    """Prints, and reads standard input; neither is the engine's channel."""
    print("to standard output")
    return {"read": sys.stdin.read()}
