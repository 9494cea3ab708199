"""An asyncio loop on virtual time: no selector, and no I/O but what a recording answers."""

# The base class is generic over arguments; Python 3.9 cannot say so.
# mypy: disable-error-code="override,abstract,attr-defined,unused-ignore"

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Callable, Deque

from .asking import failure, note, refusal, resolve
from .connection import Connection
from .limits import Limits
from .network import VirtualSocket, getaddrinfo
from .world import WORLD, Stopped


class _Soon(events.Handle):
    """A handle that does not ask its loop whether it is being debugged."""

    __slots__ = ()

    def __init__(self, callback: Any, args: Any, loop: Any, context: Any = None) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, first come first served; then time jumps to the next timer."""

    def __init__(self) -> None:
        self._ready: Deque[Any] = deque()
        self._timers: list[tuple[int, int, Any]] = []
        self._sequence = 0
        self._closed = False
        self._stopping = False
        self._turn: Any = None
        self._factory: Any = None
        self._handler: Any = None
        self._executor: Any = None
        self.waits_for = ""
        self.limits = Limits(self._put) if WORLD.limited else None

    def time(self) -> float:
        return WORLD.now_ns / 1e9

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = _Soon(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = self.call_soon(callback, *args, context=context)
        if self._turn is not None and self._turn is not WORLD.current:
            WORLD.wake(self._turn)
        return handle

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        moment = WORLD.now_ns + max(0, round(delay * 1e9))
        return self.call_at_ns(moment, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_at_ns(round(when * 1e9), callback, *args, context=context)

    def call_at_ns(self, moment: int, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = events.TimerHandle(moment / 1e9, callback, args, self, context)
        self._put(moment, handle)
        handle._scheduled = True
        if self.limits is not None:
            self.limits.timed(handle, moment)
        return handle

    def _put(self, moment: int, handle: Any) -> None:
        self._sequence += 1
        heapq.heappush(self._timers, (moment, self._sequence, handle))

    def _timer_handle_cancelled(self, handle: Any) -> None:
        """Cancelled timers are passed over when their time comes."""

    def run_forever(self) -> None:
        self._check()
        before = events._get_running_loop()
        events._set_running_loop(self)
        self._turn = WORLD.current
        try:
            while not self._stopping:
                self._once()
        finally:
            self._stopping = False
            self._turn = None
            events._set_running_loop(before)

    def _once(self) -> None:
        ready = self._ready
        if not ready:
            self._wait()
        timers, now_ns = self._timers, WORLD.now_ns
        while timers and timers[0][0] <= now_ns:
            ready.append(heapq.heappop(timers)[2])
        order, due = WORLD.order, len(ready)
        WORLD.steps += due
        if WORLD.steps > WORLD.steps_max:
            raise Stopped(f"the flow took more than {WORLD.steps_max} steps")
        for _ in range(due):
            if order is not None and len(ready) > 1:
                ready.rotate(-order.randrange(len(ready)))
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self.call_exception_handler(
                    {"message": f"Exception in callback {handle!r}", "exception": error}
                )

    def _wait(self) -> None:
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        until = timers[0][0] if timers else None
        if until is not None and not WORLD.ready and not WORLD.timers:
            WORLD.now_ns = max(WORLD.now_ns, until)  # nobody else could have a turn before
        else:
            WORLD.park(until, self.waits_for or "a future that nothing completes")

    def run_until_complete(self, future: Any) -> Any:
        self._check()
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(self._done)
        try:
            self.run_forever()
        finally:
            task.remove_done_callback(self._done)
        if not task.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return task.result()

    def _done(self, _: Any) -> None:
        self._stopping = True

    def _check(self) -> None:
        if self._closed:
            raise RuntimeError("Event loop is closed")

    def stop(self) -> None:
        self._stopping = True

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def create_future(self) -> Any:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> Any:
        if self._factory is not None:
            task = self._factory(self, coro, **options)
        else:
            task = asyncio.Task(coro, loop=self, **options)
        if self.limits is not None:
            self.limits.made(task)
        return task

    def set_task_factory(self, factory: Any) -> None:
        self._factory = factory

    def get_task_factory(self) -> Any:
        return self._factory

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        """Debugging slows, and tells nothing here."""

    def get_exception_handler(self) -> Any:
        return self._handler

    def set_exception_handler(self, handler: Any) -> None:
        self._handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        WORLD.report("unhandled", str(context.get("message")))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        handler: Callable[..., Any] = self._handler or (
            lambda _, told: self.default_exception_handler(told)
        )
        handler(self, context)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        if executor is None:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(32)
            executor = self._executor
        return asyncio.wrap_future(executor.submit(func, *args), loop=self)

    def set_default_executor(self, executor: Any) -> None:
        self._executor = executor

    async def shutdown_asyncgens(self) -> None:
        """Generators end with the process."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Threads end with the process."""

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        return getaddrinfo(host, port)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        await self._connected(address)
        sock.address = address

    async def _connected(self, address: Any) -> None:
        """Fail to connect where the recorded code did, and when."""
        answer = refusal(address)
        if answer is None:
            return
        future = self.create_future()
        moment = WORLD.now_ns + answer["gap_ns"] + answer["after_ns"]
        self.call_at_ns(moment, lambda: future.done() or future.set_result(None))
        await future
        note(answer["id"], "error")
        raise failure(answer)

    async def create_connection(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        sock = options.get("sock") or VirtualSocket()
        address = sock.address or (resolve(host), port)
        if sock.address is None:
            await self._connected(address)
        protocol = protocol_factory()
        transport = Connection(self, protocol, address, sock)
        await asyncio.sleep(0)
        return transport, protocol

    async def start_tls(self, transport: Any, protocol: Any, *_: Any, **__: Any) -> Any:
        transport.set_protocol(protocol)
        return transport

    def add_signal_handler(self, *_: Any) -> None:
        """No signal comes."""

    def remove_signal_handler(self, *_: Any) -> bool:
        return False


def _refuse(name: str) -> Any:
    def refused(self: Any, *_: Any, **__: Any) -> Any:
        WORLD.report("blocked", f"asyncio loop.{name}")
        raise PermissionError(f"replay: loop.{name} is no recorded HTTP call")

    return refused


for _name in (
    "create_server", "create_unix_connection", "create_unix_server", "create_datagram_endpoint",
    "subprocess_exec", "subprocess_shell", "add_reader", "add_writer", "remove_reader",
    "remove_writer", "sock_recv", "sock_recv_into", "sock_sendall", "sock_accept", "sendfile",
    "sock_sendfile", "connect_read_pipe", "connect_write_pipe", "getnameinfo",
):  # fmt: skip
    setattr(VirtualLoop, _name, _refuse(_name))
VirtualLoop.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
