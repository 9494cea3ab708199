"""Hooks for the instrumentation of aiohttp.

Its hooks see neither body: the request's comes by a trace of aiohttp's own, while the span is the
current one; the response's is looked at where the parser puts it, so that nothing is read.
"""

from __future__ import annotations

import importlib
from typing import Any

from .bodies import Body
from .recording import REQUEST, Recorder, Streaming, tell_headers

_kinds: dict[type, type] = {}
_watching: dict[int, Streaming] = {}


def hooks(recorder: Recorder) -> dict[str, Any]:
    """What `instrument` takes."""
    aiohttp: Any = importlib.import_module("aiohttp")
    trace: Any = importlib.import_module("opentelemetry.trace")

    def asked(span: Any, started: Any) -> None:
        tell_headers(span, "http.request.header.", started.headers)
        # Headers that aiohttp makes itself come later; a body says in itself whether it is JSON.
        span._retrospan = recorder.body(started.headers.get("content-type", ""))

    def answered(span: Any, ended: Any) -> None:
        sent: Body | None = getattr(span, "_retrospan", None)
        response = getattr(ended, "response", None)
        if sent is not None:
            kind = None if response is None else response.request_info.headers.get("content-type")
            sent.content_type = kind or sent.content_type
            span.set_attributes(sent.attributes(REQUEST))
        if response is None:
            return
        tell_headers(span, "http.response.header.", response.headers)
        _watch(recorder, span, response)

    sending = recorder.safely("aiohttp request body", _sent)

    async def chunk_sent(session: Any, context: Any, sent: Any) -> None:
        sending(trace.get_current_span(), sent.chunk)

    config = aiohttp.TraceConfig()
    config.on_request_chunk_sent.append(chunk_sent)
    return {
        "request_hook": recorder.safely("aiohttp request", asked),
        "response_hook": recorder.safely("aiohttp response", answered),
        "trace_configs": [config],
    }


def _sent(span: Any, chunk: bytes) -> None:
    body: Body | None = getattr(span, "_retrospan", None)
    if body is not None:
        body.feed(chunk)


def _watch(recorder: Recorder, span: Any, response: Any) -> None:
    payload = response.content
    here = b"".join(getattr(payload, "_buffer", ()))
    kind = response.headers.get("content-type", "")
    if payload.is_eof():
        recorder.response(span, kind, here)
        return
    watching = recorder.streaming(span, kind, response)
    watching.feed(here)
    payload.__class__ = _watched(type(payload))
    number = id(payload)
    _watching[number] = watching
    watching.after = lambda: _watching.pop(number, None)
    payload.on_eof(watching.finish)


def _watched(kind: Any) -> type:
    """A subclass of a stream's class that tells of what the parser feeds it."""
    made = _kinds.get(kind)
    if made is None:

        def feed_data(self: Any, data: bytes, *rest: Any) -> Any:
            watching = _watching.get(id(self))
            if watching is not None:
                watching.feed(data)
            return kind.feed_data(self, data, *rest)

        made = _kinds[kind] = type(
            kind.__name__, (kind,), {"__slots__": (), "feed_data": feed_data}
        )
    return made
