"""Payloads opened by a team's own codec server, as Temporal's web interface asks one.

The server takes `{"payloads": [...]}` at `/decode` and answers the same list, opened (Temporal's
documentation, "Codec Server"). It runs on this machine: payloads go nowhere else.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from ingest.history.events import Object, text_in
from ingest.history.payloads import decoded
from ingest.jsonstream import UndecodableError, decode_plain
from store.errors import DataError, UsageError

TIMEOUT_S = 30.0
PAYLOADS_MAX = 1_000
REQUEST_BYTES_MAX = 4_000_000
RESPONSE_BYTES_MAX = 64_000_000
DEPTH_MAX = 64
# Encodings of Temporal's own converters: no codec made them.
_PLAIN = frozenset(
    {"json/plain", "json/protobuf", "binary/plain", "binary/null", "binary/protobuf"}
)


@dataclass(frozen=True, slots=True)
class CodecServer:
    """A codec server by its address. Raises UsageError for one that is not on this machine."""

    url: str

    def __post_init__(self) -> None:
        self._parts()

    def opened(self, events: list[object]) -> list[object]:
        """The events with every payload opened that the server can open. Raises DataError when it
        does not answer as a codec server does."""
        kept = json.loads(json.dumps(events))
        closed = list(_closed(kept, 0))
        for group in _groups(closed):
            for payload, answer in zip(group, self._ask(group), strict=True):
                payload.clear()
                payload.update(answer)
        _spread(kept, 0)
        return kept if isinstance(kept, list) else []

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError(f"--codec {self.url}: {error}") from None
        if parts.scheme not in ("http", "https") or not host:
            raise UsageError(f"--codec {self.url}: give an address such as http://127.0.0.1:8081")
        if not _here(host):
            raise UsageError(
                f"--codec {self.url}: a codec server is asked on this machine only, since payloads "
                "go to it; forward its port to 127.0.0.1"
            )
        return parts

    def _ask(self, payloads: Sequence[Object]) -> list[Object]:
        parts = self._parts()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else (
            http.client.HTTPConnection
        )  # fmt: skip
        connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        body = json.dumps({"payloads": payloads}).encode()
        headers = {"Content-Type": "application/json", "X-Namespace": "default"}
        try:
            connection.request("POST", f"{parts.path.rstrip('/')}/decode", body, headers)
            with connection.getresponse() as response:
                status, data = response.status, response.read(RESPONSE_BYTES_MAX + 1)
        except (OSError, http.client.HTTPException) as error:
            raise DataError(f"codec server {self.url}: {error}") from None
        finally:
            connection.close()
        if status != 200:
            raise DataError(f"codec server {self.url}: it answered {status}")
        return self._checked(data, len(payloads))

    def _checked(self, data: bytes, count: int) -> list[Object]:
        if len(data) > RESPONSE_BYTES_MAX:
            raise DataError(f"codec server {self.url}: more than {RESPONSE_BYTES_MAX} bytes")
        try:
            told = decode_plain(data)
        except UndecodableError:
            told = None
        found = told.get("payloads") if isinstance(told, dict) else None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise DataError(f"codec server {self.url}: its answer has no payloads")
        if len(found) != count:
            raise DataError(f"codec server {self.url}: {len(found)} payloads for {count}")
        return found


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _closed(value: object, depth: int) -> Iterator[Object]:
    """Every payload that some codec may have made."""
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value:
            yield from _closed(item, depth + 1)
    elif isinstance(value, dict):
        if isinstance(value.get("metadata"), dict) and isinstance(value.get("data"), str):
            encoding = text_in(value, "metadata", "encoding")
            name = decoded(encoding).decode("utf-8", "replace") if encoding else ""
            if name not in _PLAIN:
                yield value
            return
        for item in value.values():
            yield from _closed(item, depth + 1)


def _groups(payloads: Sequence[Object]) -> Iterator[list[Object]]:
    group: list[Object] = []
    size = 0
    for payload in payloads:
        length = len(str(payload.get("data", "")))
        if group and (len(group) >= PAYLOADS_MAX or size + length > REQUEST_BYTES_MAX):
            yield group
            group, size = [], 0
        group.append(payload)
        size += length
    if group:
        yield group


def _spread(value: object, depth: int) -> None:
    """Put the message of a failure back that was encoded with the codec."""
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        for item in value:
            _spread(item, depth + 1)
    elif isinstance(value, dict):
        encoded = value.get("encodedAttributes")
        if isinstance(encoded, dict) and isinstance(encoded.get("data"), str):
            told = _attributes(encoded)
            for name, key in (("message", "message"), ("stackTrace", "stack_trace")):
                if isinstance(told.get(key), str):
                    value[name] = told[key]
        for item in value.values():
            _spread(item, depth + 1)


def _attributes(encoded: Object) -> Object:
    try:
        told = decode_plain(decoded(str(encoded["data"])))
    except UndecodableError:
        return {}
    return told if isinstance(told, dict) else {}
