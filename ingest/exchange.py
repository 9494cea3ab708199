"""One recorded HTTP request with its response, as a client span."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.limits import Limits
from ingest.span_draft import SYNTHETIC_TIME, SpanDraft, json_text

HEADERS_MAX = 256
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"}
)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """What was sent and what came back; bodies are None where none was recorded, `took_ns` is 0
    where nobody knows how long it took."""

    method: str
    url: str
    status: int | None
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    request_body: str | None = None
    response_body: str | None = None
    error: str = ""
    took_ns: int = 0


def describe(draft: SpanDraft, exchange: Exchange, end_ns: int) -> None:
    """Give a draft the names, the attributes and the ending of an exchange."""
    method = exchange.method.upper()
    known = method if method in _METHODS else "_OTHER"
    draft.put("http.request.method", known)
    if known == "_OTHER":
        draft.put("http.request.method_original", exchange.method)
    _address(draft, exchange.url)
    path = draft.attributes.get("url.path")
    draft.name = f"{known} {path}"[:512] if isinstance(path, str) else known
    for side, headers in (
        ("request", exchange.request_headers),
        ("response", exchange.response_headers),
    ):
        for name, value in headers[:HEADERS_MAX]:
            draft.put(f"http.{side}.header.{name.lower()[:200]}", value)
    for name, body in (
        ("http.request.body.content", exchange.request_body),
        ("http.response.body.content", exchange.response_body),
    ):
        if body is not None:
            draft.text_body(name, body)
    for name, value in exchange.request_headers:
        parent = _traceparent(value) if name.lower() == "traceparent" else None
        if parent is not None:
            draft.link(*parent, "sent_as")
    if exchange.status is None:
        draft.fail(end_ns, "no_response", exchange.error or "no response was recorded")
        return
    draft.put("http.response.status_code", exchange.status)
    if exchange.status >= 400:
        draft.fail(end_ns, str(exchange.status), exchange.error)
    else:
        draft.close(end_ns, "unset")


def _address(draft: SpanDraft, url: str) -> None:
    draft.put("url.full", url)
    try:
        parts = urlsplit(url)
        draft.put("url.scheme", parts.scheme)
        draft.put("url.path", parts.path or "/")
        draft.put("server.address", parts.hostname)
        draft.put("server.port", parts.port)
    except ValueError:  # no URL: what was recorded stays under url.full
        return


def _traceparent(value: str) -> tuple[str, str] | None:
    parts = value.lower().split("-")
    if len(parts) < 4 or (len(parts[1]), len(parts[2])) != (32, 16):
        return None
    hexadecimal = set("0123456789abcdef").issuperset(parts[1] + parts[2])
    return (parts[1], parts[2]) if hexadecimal and parts[1].strip("0") else None


def header_of(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The value of a header, "" when it was not recorded."""
    return next((value for key, value in headers if key.lower() == name), "")


def text_of(content: bytes, headers: Iterable[tuple[str, str]], limits: Limits) -> str:
    """A body as text, unpacked where its header says so; what is no text, by its digest."""
    packing = header_of(headers, "content-encoding").lower()
    if packing in ("gzip", "x-gzip", "deflate"):
        content = _unpacked(content, limits.attribute_chars * 4)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        digest = hashlib.sha256(content).hexdigest()
        return json_text({"opaque": "binary", "size_bytes": len(content), "sha256": digest})


def _unpacked(content: bytes, size_max: int) -> bytes:
    for bits in (47, -15):  # gzip or zlib by its header, else bare deflate
        try:
            return zlib.decompressobj(bits).decompress(content, size_max)
        except zlib.error:
            continue
    return content


def from_base64(text: str) -> bytes:
    """The bytes of base64 text; of any other text, its own."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "replace")


def mark_synthetic(draft: SpanDraft) -> None:
    """Say that the span's times are made up: only its place in the order is real."""
    draft.put(SYNTHETIC_TIME, True)
