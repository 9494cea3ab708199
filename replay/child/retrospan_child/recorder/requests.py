"""Hooks for the instrumentation of requests.

A body that requests has read already is told of at once; one that the caller streams is looked at
as it passes.
"""

from __future__ import annotations

from typing import Any, Iterator

from .recording import Recorder, Streaming, tell_headers


def hooks(recorder: Recorder) -> dict[str, Any]:
    """What `instrument` takes."""

    def asked(span: Any, request: Any) -> None:
        body = request.body
        content = body.encode() if isinstance(body, str) else body
        recorder.request(span, request.headers, content if isinstance(content, bytes) else None)

    def answered(span: Any, request: Any, response: Any) -> None:
        if response is None:
            return
        headers = response.headers
        tell_headers(span, "http.response.header.", headers)
        kind = headers.get("content-type", "")
        if response._content_consumed:
            recorder.response(span, kind, response.content or b"")
        else:
            _watch(response.raw, recorder.streaming(span, kind, response.raw))

    return {
        "request_hook": recorder.safely("requests request", asked),
        "response_hook": recorder.safely("requests response", answered),
    }


def _watch(raw: Any, watching: Streaming) -> None:
    """Tell of what the caller reads from urllib3's response."""
    stream, read, close = raw.stream, raw.read, raw.close
    inside = [False]  # `stream` reads by `read`: only the outer one tells

    def streamed(*args: Any, **named: Any) -> Iterator[bytes]:
        pieces = stream(*args, **named)
        while True:
            inside[0] = True
            try:
                piece = next(pieces)
            except StopIteration:
                watching.finish()
                return
            finally:
                inside[0] = False
            watching.feed(piece)
            yield piece

    def got(*args: Any, **named: Any) -> Any:
        data = read(*args, **named)
        if not inside[0]:
            watching.feed(data)
            if not data:
                watching.finish()
        return data

    def closed() -> None:
        try:
            close()
        finally:
            watching.finish()

    raw.stream, raw.read, raw.close = streamed, got, closed
