"""Randomness and ids: as recorded where they were, else from a seed made of the flow's id."""

from __future__ import annotations

import os
import random
import uuid
from typing import Any

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


def _taken(kind: str) -> Any:
    left = _recorded.get(kind)
    return left.pop(0) if left else None


def _urandom(size: int) -> bytes:
    return _SOURCE.getrandbits(8 * size).to_bytes(size, "big") if size else b""


def install() -> None:
    """Put recorded and seeded draws in place."""
    module: Any = random
    seeded, made = random.random, uuid.uuid4

    def draw() -> float:
        value = _taken("random")
        return float(value) if isinstance(value, (int, float)) else seeded()

    def identity() -> uuid.UUID:
        value = _taken("uuid")
        return made() if value is None else uuid.UUID(str(value))

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        _seeding(self, _SOURCE.getrandbits(64) if a is None else a, version)

    module.random, module._urandom = draw, _urandom
    module.Random.seed = seed
    os.urandom = _urandom
    ids: Any = uuid
    ids.uuid4, ids._generate_time_safe, ids._node = identity, None, 0x0200_0000_0001
    ids.getnode = lambda: 0x0200_0000_0001
