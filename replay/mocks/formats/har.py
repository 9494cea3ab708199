"""HTTP archives, HAR 1.2 (W3C Web Performance draft, "HTTP Archive (HAR) format").

A request without an answer has status 0 and says why in `_error`, as browsers do.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from replay.exchange import Exchange
from replay.mocks.mock import Mock, content_type, reason_of, response_headers, url_of
from store.model import JsonValue

NS_PER_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _write(exchanges: Sequence[Exchange], origin_ns: int) -> tuple[str, Sequence[str]]:
    document = {
        "log": {
            "version": "1.2",
            "creator": {"name": "retrospan", "version": "1"},
            "entries": [_entry(it, origin_ns) for it in exchanges],
        }
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n", ()


def _entry(exchange: Exchange, origin_ns: int) -> dict[str, JsonValue]:
    took_ms = exchange.answer_after_ns / NS_PER_MS
    response = _response(exchange)
    return {
        "startedDateTime": _moment(origin_ns + exchange.start_ns),
        "time": took_ms,
        "request": _request(exchange),
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": took_ms, "receive": 0},
    }


def _moment(at_ns: int) -> str:
    """RFC 3339 with all nine digits: readers of fewer cut them."""
    seconds, rest = divmod(at_ns, 1_000_000_000)
    return f"{(_EPOCH + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')}.{rest:09d}Z"


def _request(exchange: Exchange) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {
        "method": exchange.method,
        "url": url_of(exchange),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.request_headers),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(exchange.query, keep_blank_values=True)
        ],
        "headersSize": -1,
        "bodySize": len((exchange.request_body or "").encode("utf-8", "surrogatepass")),
    }
    if exchange.request_body is not None:
        found["postData"] = {
            "mimeType": exchange.request_headers.get("content-type")
            or content_type(exchange.request_body),
            "text": exchange.request_body,
        }
    return found


def _response(exchange: Exchange) -> dict[str, JsonValue]:
    failed = exchange.error is not None or exchange.status is None
    status = 0 if failed or exchange.status is None else exchange.status
    body = exchange.response_body or ""
    headers = response_headers(exchange)
    found: dict[str, JsonValue] = {
        "status": status,
        "statusText": reason_of(status) if status else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {
            "size": len(body.encode("utf-8", "surrogatepass")),
            "mimeType": headers.get("content-type", "x-unknown"),
            "text": body,
        },
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": -1,
    }
    return {**found, "_error": exchange.error or "not recorded"} if failed else found


def _pairs(headers: Mapping[str, str]) -> list[JsonValue]:
    return [{"name": name, "value": value} for name, value in sorted(headers.items())]


MOCK = Mock(name="har", title="HTTP archive", write=_write)
