"""One recorder of a process: its rules, its counts, and the hooks of each client."""

from __future__ import annotations

import time
import weakref
from contextlib import contextmanager
from typing import Any, Callable, Iterable, Iterator, Mapping

from .bodies import Body, Rules
from .flows import Flow

REQUEST, RESPONSE = "http.request.body.content", "http.response.body.content"
HEADERS = ("idempotency-key", "content-type", "retry-after")
HEADER_LENGTH_MAX = 1_000


class Recorder:
    """Gives each instrumentation its hooks.

    `redact` names keys (`*` is any text) whose values are hidden, besides those that always are;
    with a `key`, equal secrets get equal tokens. `errors` counts what went wrong in here, by where.
    """

    def __init__(
        self,
        *,
        redact: Iterable[str] = (),
        key: str = "",
        body_bytes_max: int = 64_000,
        depth_max: int = 32,
    ) -> None:
        self.rules = Rules(redact, key, body_bytes_max, depth_max)
        self.errors: dict[str, int] = {}
        self.timed = False

    def httpx(self) -> dict[str, Any]:
        """Hooks for `HTTPXClientInstrumentor().instrument`, of httpx and httpx2."""
        from . import httpx

        return httpx.hooks(self)

    def requests(self) -> dict[str, Any]:
        """Hooks for `RequestsInstrumentor().instrument`."""
        from . import requests

        return requests.hooks(self)

    def aiohttp(self) -> dict[str, Any]:
        """Hooks for `AioHttpClientInstrumentor().instrument`."""
        from . import aiohttp

        return aiohttp.hooks(self)

    def draws(self) -> None:
        """Record random numbers and ids that the team's own code draws inside a flow."""
        from . import drawn

        drawn.install(self)

    def timers(self) -> None:
        """Record the waits that the code asks for inside a flow, so that a replay can tell them
        from what the process took for itself."""
        import asyncio

        from . import flows, timed

        timed.install(flows.waited, asyncio.BaseEventLoop)
        self.timed = True

    @contextmanager
    def flow(self, span: Any) -> Iterator[None]:
        """Around a flow that the code tells of on a `span` of its own, where `@flow` does not fit:
        numbers its draws, and tells of its waits on that span.

        Work in a thread of a pool belongs to the flow where it is given the context:
        `pool.submit(contextvars.copy_context().run, work)`.
        """
        flow = Flow(self.timed)
        try:
            yield
        finally:
            self.safely("waits", flow.tell)(span)
            try:
                flow.end()
            except ValueError as error:
                self.failed("end of a flow", error)

    def failed(self, where: str, error: BaseException) -> None:
        """Count an error of the recorder's own."""
        name = f"{where} {type(error).__name__}"
        self.errors[name] = self.errors.get(name, 0) + 1

    def safely(self, where: str, work: Callable[..., Any]) -> Callable[..., None]:
        """A hook that never raises, and does nothing for spans that nobody keeps."""

        def hook(span: Any, *rest: Any) -> None:
            try:
                if span is not None and span.is_recording():
                    work(span, *rest)
            except Exception as error:
                self.failed(where, error)

        return hook

    def body(self, content_type: str, span: Any = None) -> Body:
        """A collector for one body."""
        return Body(self.rules, content_type, getattr(span, "start_time", None) or 0)

    def request(self, span: Any, headers: Mapping[str, str], content: bytes | None) -> None:
        """Tell of a request: the headers that matter, and the body where it is no stream."""
        tell_headers(span, "http.request.header.", headers)
        if content:
            body = self.body(headers.get("content-type", ""))
            body.feed(content)
            span.set_attributes(body.attributes(REQUEST))

    def response(self, span: Any, content_type: str, content: bytes) -> None:
        """Tell of a response that has been read."""
        body = self.body(content_type)
        body.feed(content)
        span.set_attributes(body.attributes(RESPONSE))

    def streaming(self, span: Any, content_type: str, owner: Any) -> "Streaming":
        """Keep a span open until the body that `owner` holds has passed by."""
        return Streaming(self, span, self.body(content_type, span), owner)


class Streaming:
    """A response body on its way: the span ends when it does, with the end it would have had.

    The instrumentation ends a span when the headers are there; the attributes of an ended span
    cannot be changed. So its end waits for the body, for its loss, or for the owner's own end.
    """

    def __init__(self, recorder: Recorder, span: Any, body: Body, owner: Any) -> None:
        self._recorder, self._span, self._body = recorder, span, body
        self._end = span.end
        self._ended: tuple[Any, ...] | None = None
        self._done = False
        self.after: Callable[[], Any] | None = None
        span.end = self._later
        self._finalizer = weakref.finalize(owner, self.finish)

    def _later(self, end_time: int | None = None) -> None:
        self._ended = (end_time or time.time_ns(),)
        if self._done:
            self._close()

    def feed(self, data: bytes) -> None:
        """Take the next bytes; never raises."""
        try:
            if not self._done:
                self._body.feed(bytes(data), time.time_ns())
        except Exception as error:
            self._recorder.failed("response body", error)

    def finish(self) -> None:
        """The body is whole, or will never be; never raises."""
        if self._done:
            return
        self._done = True
        self._finalizer.detach()
        if self.after is not None:
            self.after()
        try:
            self._span.set_attributes(self._body.attributes(RESPONSE))
        except Exception as error:
            self._recorder.failed("response body", error)
        if self._ended is not None:
            self._close()

    def _close(self) -> None:
        try:
            del self._span.end
            self._end(*(self._ended or ()))
        except Exception as error:
            self._recorder.failed("end of a span", error)


def tell_headers(span: Any, prefix: str, headers: Mapping[str, str]) -> None:
    """Tell of the few headers that a replay needs."""
    told = {name: headers.get(name) for name in HEADERS}
    found = {prefix + name: [str(it)[:HEADER_LENGTH_MAX]] for name, it in told.items() if it}
    if found:
        span.set_attributes(found)
