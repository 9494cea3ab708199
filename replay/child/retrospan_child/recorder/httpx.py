"""Hooks for the instrumentation of httpx and httpx2.

Its response hook comes when the headers are there. The body is a stream that belongs to the caller,
so it is only looked at as it passes: the stream's class becomes one that tells of each chunk.
"""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterator

from .recording import Recorder, tell_headers

_kinds: dict[type, type] = {}


def hooks(recorder: Recorder) -> dict[str, Any]:
    """What `instrument` takes."""

    def asked(span: Any, request: Any) -> None:
        timeout = (request.extensions or {}).get("timeout") or {}
        if isinstance(timeout.get("read"), (int, float)):
            span.set_attribute("retrospan.call.timeout_ms", round(timeout["read"] * 1000))
        # A request that was given whole keeps its bytes; a stream is the caller's.
        content = getattr(request.stream, "_stream", None)
        recorder.request(
            span, _Lower(request.headers), content if isinstance(content, bytes) else None
        )

    def answered(span: Any, request: Any, response: Any) -> None:
        headers = _Lower(response.headers)
        tell_headers(span, "http.response.header.", headers)
        stream = response.stream
        kind = _watched(type(stream))
        watching = recorder.streaming(span, headers.get("content-type", ""), stream)
        stream._retrospan = watching
        stream.__class__ = kind

    request_hook = recorder.safely("httpx request", asked)
    response_hook = recorder.safely("httpx response", answered)

    async def async_request_hook(span: Any, request: Any) -> None:
        request_hook(span, request)

    async def async_response_hook(span: Any, request: Any, response: Any) -> None:
        response_hook(span, request, response)

    return {
        "request_hook": request_hook,
        "response_hook": response_hook,
        "async_request_hook": async_request_hook,
        "async_response_hook": async_response_hook,
    }


class _Lower(dict):  # type: ignore[type-arg]
    """Headers by their names in lower case, whatever they came as."""

    def __init__(self, headers: Any) -> None:
        pairs = headers.items() if hasattr(headers, "items") else headers
        super().__init__((_text(name).lower(), _text(value)) for name, value in pairs)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _watched(kind: Any) -> type:
    """A subclass of a stream's class that tells of what passes."""
    made = _kinds.get(kind)
    if made is None:
        parts: dict[str, Any] = {}
        if hasattr(kind, "__iter__"):
            parts["__iter__"], parts["close"] = _iterating(kind), _closing(kind)
        if hasattr(kind, "__aiter__"):
            parts["__aiter__"], parts["aclose"] = _aiterating(kind), _aclosing(kind)
        made = _kinds[kind] = type(kind.__name__, (kind,), parts)
    return made


def _iterating(kind: Any) -> Any:
    def __iter__(self: Any) -> Iterator[bytes]:
        for chunk in kind.__iter__(self):
            self._retrospan.feed(chunk)
            yield chunk
        self._retrospan.finish()

    return __iter__


def _closing(kind: Any) -> Any:
    def close(self: Any) -> None:
        try:
            kind.close(self)
        finally:
            self._retrospan.finish()

    return close


def _aiterating(kind: Any) -> Any:
    async def __aiter__(self: Any) -> AsyncIterator[bytes]:
        async for chunk in kind.__aiter__(self):
            self._retrospan.feed(chunk)
            yield chunk
        self._retrospan.finish()

    return __aiter__


def _aclosing(kind: Any) -> Any:
    async def aclose(self: Any) -> None:
        try:
            await kind.aclose(self)
        finally:
            self._retrospan.finish()

    return aclose
