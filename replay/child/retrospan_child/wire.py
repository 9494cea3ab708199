"""HTTP/1.1 as a server reads and writes it: bytes in, requests out; answers in, bytes out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from .channel import packed, unpacked

REQUEST_BYTES_MAX = 64_000_000
_OURS = {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
_EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
_PHRASES = {200: "OK", 201: "Created", 204: "No Content", 599: "No Recorded Answer"}


class NotHttpError(ValueError):
    """What was written is no HTTP/1.1 request."""


class Asking:
    """Collects what a client writes until it is a whole request."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> dict[str, Any] | None:
        """The request once it is whole: method, host, target, headers, body."""
        self._data += data
        if len(self._data) > REQUEST_BYTES_MAX:
            raise NotHttpError(f"a request is longer than {REQUEST_BYTES_MAX} bytes")
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if self._data and not self._data[:1].isalpha():
                raise NotHttpError(repr(bytes(self._data[:20])))
            return None
        first, *lines = self._data[:end].decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not version.startswith("HTTP/1."):
            raise NotHttpError(first[:80])
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = self._body(end + 4, headers)
        if body is None:
            return None
        self._data.clear()
        parts = urlsplit(target) if not target.startswith("/") else None
        return {
            "method": method.upper(),
            "host": parts.netloc if parts is not None else headers.get("host", ""),
            "target": target if parts is None else target.partition(parts.netloc)[2] or "/",
            "headers": headers,
            "body": packed(body),
        }

    def _body(self, start: int, headers: dict[str, str]) -> bytes | None:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks(start)
        size = int(headers.get("content-length") or 0)
        return bytes(self._data[start : start + size]) if len(self._data) >= start + size else None

    def _chunks(self, at: int) -> bytes | None:
        pieces: list[bytes] = []
        while True:
            end = self._data.find(b"\r\n", at)
            if end < 0:
                return None
            size = int(bytes(self._data[at:end]).split(b";")[0], 16)
            if len(self._data) < end + 2 + size + 2:
                return None
            if size == 0:
                return b"".join(pieces)
            pieces.append(bytes(self._data[end + 2 : end + 2 + size]))
            at = end + 2 + size + 2


def pieces(answer: dict[str, Any], method: str) -> list[tuple[int, bytes]]:
    """An answer as bytes, in pieces, each with how long after the request it comes.

    A stream of events comes event by event, at the recorded times where there are any; all other
    answers are one piece. The connection ends with the last one.
    """
    status, body = int(answer["status"]), unpacked(answer.get("body") or {})
    first_ns = int(answer["after_ns"])
    events = [] if method == "HEAD" else _events(answer, body)
    if len(events) < 2:
        return [(first_ns, _head(answer, method, status, len(body)) + _shown(body, method, status))]
    times = list(answer.get("event_ns") or [])
    found = [(first_ns, _head(answer, method, status, None))]
    for number, event in enumerate(events):
        at_ns = times[number] if number < len(times) else first_ns
        at_ns = max(at_ns, found[-1][0])
        found.append((at_ns, b"%x\r\n%s\r\n" % (len(event), event)))
    found[-1] = (found[-1][0], found[-1][1] + b"0\r\n\r\n")
    return found


def _events(answer: dict[str, Any], body: bytes) -> list[bytes]:
    headers = answer.get("headers") or {}
    kind = next((str(v) for n, v in headers.items() if n.lower() == "content-type"), "").lower()
    if kind.startswith("text/event-stream"):
        return [it for it in _EVENT_END.split(body) if it]
    if kind.startswith(("application/x-ndjson", "application/jsonl")):
        return body.splitlines(keepends=True)
    return []


def _shown(body: bytes, method: str, status: int) -> bytes:
    return b"" if method == "HEAD" or status in (204, 304) else body


def _head(answer: dict[str, Any], method: str, status: int, size: int | None) -> bytes:
    """The status line and headers; a size of None means chunks."""
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Recorded')}"]
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in _OURS:
            lines.append(f"{name}: {value}")
    lines.append("Connection: close")
    if size is None:
        lines.append("Transfer-Encoding: chunked")
    elif status not in (204, 304):
        lines.append(f"Content-Length: {size}")
    head = "\r\n".join(lines).replace("\0", "") + "\r\n\r\n"
    return head.encode("latin-1", "replace")
