"""Reads flows from the engine and runs the code on each, in a process of its own."""

from __future__ import annotations

import gc
import hashlib
import importlib
import inspect
import os
import platform
import sys
import traceback
from typing import Any, Callable

from . import PROTOCOL, UPSTREAMS, clock, draws, guards, network, threads, tls
from .channel import Channel
from .handed import Handed
from .world import WORLD, Stopped, own, relative


def main() -> None:
    """Serve the engine until it goes."""
    channel = Channel()
    start = channel.receive()
    if start is None:
        return
    if start.get("protocol") != PROTOCOL:
        channel.send({"kind": "failed", "reason": f"the child speaks protocol {PROTOCOL}"})
        return
    _install()
    WORLD.ask = channel.ask
    draws.begin(str(start["code"]), [])
    try:
        function = _load(str(start["code"]), [str(path) for path in start.get("path", [])])
    except BaseException as error:
        channel.send({"kind": "failed", "reason": _told(error)["message"], **_told(error)})
        return
    channel.send(
        {
            "kind": "ready",
            "python": platform.python_version(),
            "native": guards.native(),
            "upstreams": UPSTREAMS,
            "sources": _sources(),
        }
    )
    gc.collect()
    gc.freeze()  # what the imports made stays: it is neither searched nor copied again
    alone = bool(start.get("isolate", True)) and hasattr(os, "fork")
    while True:
        flow = channel.receive()
        if flow is None or flow.get("kind") != "run":
            return
        if not alone:
            _run(channel, function, flow)
            continue
        number = os.fork()
        if number == 0:
            _run(channel, function, flow)
            os._exit(0)
        os.waitpid(number, 0)


def _install() -> None:
    guards.install()
    threads.install()
    clock.install()
    draws.install()
    network.install()
    tls.install()
    from . import loop, running  # asyncio makes locks: it comes after them
    from .recorder import timed

    running.install()
    timed.install(WORLD.waited, loop.VirtualLoop)


def _load(code: str, path: list[str]) -> Callable[..., Any]:
    module, _, name = code.partition(":")
    sys.path[:0] = [it for it in path if it not in sys.path]
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise AttributeError(f"there is no {part}; nearest: {_nearest(part, found)}")
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{code} is not a function")
    return found  # type: ignore[no-any-return]


def _nearest(name: str, found: Any) -> str:
    from difflib import get_close_matches

    names = [it for it, value in vars(found).items() if callable(value)]
    return ", ".join(get_close_matches(name, names, 3, 0)) or "nothing that can be called"


def _sources() -> str:
    """SHA-256 over the team's own modules that are loaded: which code this is."""
    digest = hashlib.sha256()
    files = {str(getattr(module, "__file__", None) or "") for module in sys.modules.values()}
    for path in sorted((it for it in files if it.endswith(".py") and own(it)), key=relative):
        with open(path, "rb") as source:
            digest.update(relative(path).encode() + b"\0" + source.read() + b"\0")
    return digest.hexdigest()


def _run(channel: Channel, function: Callable[..., Any], flow: dict[str, Any]) -> None:
    WORLD.begin(
        int(flow["epoch_ns"]), steps_max=int(flow["steps_max"]), order_seed=flow.get("order_seed")
    )
    WORLD.refusing, WORLD.limited = bool(flow.get("refusing")), bool(flow.get("limited"))
    WORLD.handed = Handed(flow.get("handed", {}))
    WORLD.breakers = {name: list(states) for name, states in flow.get("breakers", {}).items()}
    draws.begin(str(flow["seed"]), list(flow.get("draws", [])))
    end: dict[str, Any] = {"kind": "end"}
    WORLD.active = True
    debug = bool(flow.get("debug"))
    try:
        if debug:
            _debugging().begin(function)
        output = function(flow["input"])
        if inspect.iscoroutine(output):
            from . import running

            output = running.run(output)
        end["output"] = output
    except Stopped as stopped:
        end["stopped"] = str(stopped)
    except BaseException as error:
        end["error"] = _told(error)
    finally:
        if debug:
            _debugging().end()
        WORLD.active = False
    if debug and str(end.get("error", {}).get("type")) == "BdbQuit":
        end["stopped"] = "it was ended in the debugger"
    end.update(at_ns=WORLD.now_ns, notes=WORLD.notes, reported=WORLD.reported)
    end.update(taken=WORLD.handed.taken(), waits=WORLD.waits_taken())
    WORLD.notes = []
    sys.stdout.flush()
    try:
        channel.send(end)
    except (TypeError, ValueError, RecursionError) as error:
        del end["output"]
        channel.send({**end, "error": _told(error)})


def _debugging() -> Any:
    from . import debugging  # pdb imports much that most runs do not need

    return debugging


def _told(error: BaseException) -> dict[str, str]:
    """An exception: its type, its message, and the team's own line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    last = next((frame for frame in reversed(frames) if own(frame.filename)), None)
    return {
        "type": type(error).__name__,
        "message": f"{type(error).__name__}: {error}"[:2_000],
        "where": "" if last is None else f"{relative(last.filename)}:{last.lineno}",
    }


if __name__ == "__main__":
    main()
