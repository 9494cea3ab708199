"""Runs a coroutine on virtual time, and makes every new loop a virtual one."""

# mypy: disable-error-code="abstract,attr-defined,unused-ignore"

from __future__ import annotations

import asyncio
import warnings
from asyncio import events
from typing import Any

from .loop import VirtualLoop


def run(coro: Any) -> Any:
    """`asyncio.run` without the signals, debugging and generators that a replay does not have."""
    made = VirtualLoop()
    events.set_event_loop(made)
    try:
        task = made.create_task(coro)
        made.run_until_complete(task)
        return task.result()
    finally:
        try:
            left = asyncio.all_tasks(made)
            for it in left:
                it.cancel()
            if left:
                made.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            events.set_event_loop(None)
            made.close()


def install() -> None:
    """Make every new loop a virtual one."""
    module: Any = asyncio
    module.new_event_loop = events.new_event_loop = VirtualLoop  # type: ignore[assignment]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        class Policy(asyncio.DefaultEventLoopPolicy):  # type: ignore[name-defined,misc,valid-type]
            def new_event_loop(self) -> Any:
                return VirtualLoop()

        asyncio.set_event_loop_policy(Policy())
