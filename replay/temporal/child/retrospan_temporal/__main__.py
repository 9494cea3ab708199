"""Reads histories from the engine and replays each; one Replayer serves them all."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

from . import PROTOCOL


def main() -> None:
    """Serve the engine until it goes."""
    from retrospan_child.channel import Channel

    channel = Channel()
    start = channel.receive()
    if start is None:
        return
    try:
        serving = _serving(start)
    except BaseException as error:
        channel.send({"kind": "failed", "reason": f"{type(error).__name__}: {error}"[:2_000]})
        return
    channel.send({"kind": "ready", **serving.about()})
    asyncio.run(_serve(channel, serving))


def _serving(start: dict[str, Any]) -> Any:
    if start.get("protocol") != PROTOCOL:
        raise RuntimeError(f"the child speaks protocol {PROTOCOL}")
    sys.path[:0] = [str(path) for path in start.get("path", []) if path not in sys.path]
    try:
        import temporalio  # noqa: F401
    except ImportError:
        raise RuntimeError(
            "this interpreter has no temporalio; name the one your workflows run in by --python, "
            "or: pip install 'retrospan[temporal]'"
        ) from None
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    from .serving import Serving

    return Serving(str(start["module"]))


async def _serve(channel: Any, serving: Any) -> None:
    from retrospan_child import guards
    from retrospan_child.world import WORLD

    guards.install()
    loop = asyncio.get_running_loop()

    async def histories() -> AsyncIterator[Any]:
        while True:
            message = await loop.run_in_executor(None, channel.receive)
            if message is None:
                return
            if message.get("kind") == "drive":
                WORLD.active = True
                await loop.run_in_executor(None, serving.drive, channel)
                WORLD.active = False
                continue
            history, refused = serving.accept(message)
            if refused:
                channel.send({"kind": "refused", "reason": refused})
                continue
            WORLD.active = True
            yield history

    async with serving.replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            WORLD.active = False
            channel.send(await serving.told(result))


if __name__ == "__main__":
    main()
