"""Randomness and ids: as recorded where they were, else from a seed made of the flow's id."""

from __future__ import annotations

import os
import random
import sys
import uuid
from typing import Any, Callable

from .recorder.drawn import RANDOM
from .world import own

WHOLE = ("randint", "randrange", "getrandbits")
_seeding = random.Random.seed
_SOURCE = random.Random(0)
_recorded: dict[str, list[Any]] = {}


def begin(seed: str, draws: list[dict[str, Any]]) -> None:
    """Start the draws of a flow; recorded ones are taken in their order, by kind."""
    _seeding(_SOURCE, seed)
    random.seed(_SOURCE.getrandbits(64))
    _recorded.clear()
    for draw in draws:
        _recorded.setdefault(str(draw.get("kind")), []).append(draw.get("value"))
    uuid._last_timestamp = None  # type: ignore[attr-defined]


def _taken(kind: str, *kinds: type) -> Any:
    left = _recorded.get(kind)
    # A recorder keeps what the team's own code draws; libraries draw for themselves.
    if not left or type(left[0]) not in kinds or not own(sys._getframe(2).f_code.co_filename):
        return None
    return left.pop(0)


def _drawing(seeded: Callable[..., Any], whole: bool) -> Callable[..., Any]:
    kinds = (int,) if whole else (int, float)

    def draw(*args: Any, **named: Any) -> Any:
        value = _taken("random", *kinds)
        if value is None:
            return seeded(*args, **named)
        return value if whole else float(value)

    return draw


def _urandom(size: int) -> bytes:
    return _SOURCE.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def install() -> None:
    """Put recorded and seeded draws in place."""
    module: Any = random
    made = uuid.uuid4

    def identity() -> uuid.UUID:
        value = _taken("uuid", str)
        return made() if value is None else uuid.UUID(str(value))

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        _seeding(self, _SOURCE.getrandbits(64) if a is None else a, version)

    for name in RANDOM:
        setattr(module, name, _drawing(getattr(module, name), name in WHOLE))
    module._urandom = _urandom
    module.Random.seed = seed
    os.urandom = _urandom
    ids: Any = uuid
    ids.uuid4, ids._generate_time_safe, ids._node = identity, None, 0x0200_0000_0001
    ids.getnode = lambda: 0x0200_0000_0001
