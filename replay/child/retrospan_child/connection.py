"""A stream of asyncio whose other end is the recording."""

# The base class is generic over arguments; Python 3.9 cannot say so.
# mypy: disable-error-code="override,abstract,attr-defined,unused-ignore"

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Deque

from .asking import ask, failure, note
from .wire import Asking, NotHttpError, pieces
from .world import WORLD


class Connection(asyncio.Transport):
    """A stream whose other end is the recording."""

    def __init__(self, loop: Any, protocol: Any, address: Any, sock: Any) -> None:
        super().__init__({"socket": sock, "peername": address, "sockname": ("127.0.0.1", 0)})
        self._loop, self._protocol, self._address = loop, protocol, address
        self._asking = Asking()
        self._closing = self._begun = False
        self._waiting: tuple[int, Any] | None = None
        self._limit: Any = None
        loop.call_soon(protocol.connection_made, self)

    def write(self, data: Any) -> None:
        if self._closing:
            return
        try:
            request = self._asking.feed(bytes(data))
        except (NotHttpError, ValueError) as error:
            WORLD.report("blocked", f"no HTTP request ({error}) to {self._address}")
            self._loop.call_soon(self._lost, ConnectionRefusedError(str(error)))
            return
        if request is None:
            return
        answer = ask(request, self._address)
        self._loop.waits_for = f"an answer from {request['host']}"
        timer, begun_ns = None, WORLD.now_ns + answer["gap_ns"]
        if answer.get("limit_ns") is not None:
            limits, at_ns = self._loop.limits, begun_ns + answer["limit_ns"]
            self._limit = limits.begin(answer.get("own_ns"), at_ns)
        if answer.get("error"):
            timer = self._loop.call_at_ns(begun_ns + answer["after_ns"], self._failed, answer)
        elif answer["after_ns"] is not None:
            left = deque((begun_ns + at, data) for at, data in pieces(answer, request["method"]))
            timer = self._loop.call_at_ns(left[0][0], self._arrived, answer["id"], left)
        self._waiting = (answer["id"], timer)

    def _failed(self, answer: dict[str, Any]) -> None:
        self._waiting = None
        self._limited()
        note(answer["id"], "error")
        self._lost(failure(answer))

    def _arrived(self, number: int, left: Deque[tuple[int, bytes]]) -> None:
        _, data = left.popleft()
        self._limited()
        read, self._begun = self._read(), True
        self._waiting = None
        if left and read:
            self._waiting = (number, self._loop.call_at_ns(left[0][0], self._arrived, number, left))
        else:
            note(number, "answer" if read else "unread")
        self._protocol.data_received(data)
        if not left:
            # A client that has read all may close first.
            self._loop.call_soon(self._end)

    def _read(self) -> bool:
        """Whether somebody waits for the answer; a stream may have been left by its reader."""
        if not isinstance(self._protocol, asyncio.StreamReaderProtocol):
            return True
        reader: Any = self._protocol._stream_reader  # type: ignore[attr-defined]
        return reader is not None and reader._waiter is not None

    def _end(self) -> None:
        if not self._closing and not self._protocol.eof_received():
            self.close()

    def _lost(self, error: BaseException | None) -> None:
        self._closing = True
        self._protocol.connection_lost(error)

    def _limited(self) -> None:
        """The answer is there, or nobody waits for it: its timeout has ended."""
        if self._limit is not None:
            self._loop.limits.end(self._limit)
            self._limit = None

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._limited()
        if self._waiting is not None:
            number, timer = self._waiting
            # Who leaves a stream that has begun has got an answer.
            note(number, "answer" if self._begun else "closed")
            if timer is not None:
                timer.cancel()
        self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def can_write_eof(self) -> bool:
        return False

    def is_reading(self) -> bool:
        return not self._closing

    def pause_reading(self) -> None:
        """Answers come whole."""

    def resume_reading(self) -> None:
        """Answers come whole."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""

    def get_write_buffer_size(self) -> int:
        return 0
