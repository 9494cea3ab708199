"""Pieces of inputs into records, several at once, in their order."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from ingest.preparation import Preparation
from ingest.reader import Item, Piece
from ingest.streams import Input, Place
from store.log_table import LogTable
from store.span_table import SpanTable

# Each piece at work takes some ten times its bytes of memory; storing is slower than three makers.
THREADS = min(3, os.cpu_count() or 1)


class Made(NamedTuple):
    """What is stored, and where its input was when it had been read."""

    item: Item | SpanTable | LogTable
    place: Place


class Makers:
    """Threads that make pieces, each with a memory of its own for texts and names."""

    def __init__(self, preparation: Callable[[], Preparation]) -> None:
        self._preparation = preparation
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="retrospan-maker")

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def made(
        self, parts: Iterator[Item | Piece], stream: Input, prepare: Preparation
    ) -> Iterator[Made]:
        """All that is in an input, as it is stored; `parts` are read from `stream`."""
        waiting: deque[tuple[Future[list[Item | SpanTable | LogTable]], Place]] = deque()

        def first() -> Iterator[Made]:
            future, place = waiting.popleft()
            for item in future.result():
                yield Made(item, place)

        for part in parts:
            if isinstance(part, Piece):
                waiting.append((self._pool.submit(self._make, part), stream.place()))
                while len(waiting) > THREADS:
                    yield from first()
            else:
                place = stream.place()
                while waiting:
                    yield from first()
                yield Made(prepare.item(part), place)
        while waiting:
            yield from first()

    def _make(self, piece: Piece) -> list[Item | SpanTable | LogTable]:
        prepare: Preparation | None = getattr(self._own, "prepare", None)
        if prepare is None:
            prepare = self._own.prepare = self._preparation()
        made = piece.make(prepare)
        return [one if isinstance(one, SpanTable | LogTable) else prepare.item(one) for one in made]
