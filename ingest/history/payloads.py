"""What workflows and activities were given or answered, out of its encodings."""

import binascii
import hashlib
import json

from ingest.history.events import Object, object_in, text_in
from ingest.jsonstream import UndecodableError, decode_plain

VALUES_MAX = 4096
_NOTHING = "binary/null"
_JSON = "json/plain"


def values_of(raw: object) -> list[object]:
    """The values of a payload list: Temporal's, its short form, or Cadence's base64 text."""
    if isinstance(raw, str):
        return _cadence(raw)
    if isinstance(raw, list):
        return [_payload(item) for item in raw[:VALUES_MAX]]  # the command line's short form
    if not isinstance(raw, dict):
        return []
    inner = raw.get("payloads")
    if isinstance(inner, list):
        return [_payload(item) for item in inner[:VALUES_MAX]]
    return [_payload(raw)] if "metadata" in raw or "data" in raw else []


def arguments_of(raw: object) -> object:
    """A request: the one argument, or the list of several or none."""
    values = values_of(raw)
    return values[0] if len(values) == 1 else values


def answer_of(raw: object) -> object:
    """A response: the one value; none is null."""
    values = values_of(raw)
    return values if len(values) > 1 else values[0] if values else None


def traceparent_of(attributes: Object) -> tuple[str, str] | None:
    """Trace id with span id of the caller, from the header that the tracing interceptors write."""
    fields = object_in(attributes, "header", "fields")
    for name in ("_tracer-data", "traceparent"):
        raw = fields.get(name)
        if raw is None:
            continue
        value = answer_of(raw if isinstance(raw, str) else [raw])
        if isinstance(value, dict):
            value = value.get("traceparent")
        parsed = _parent(value)
        if parsed is not None:
            return parsed
    return None


def _parent(value: object) -> tuple[str, str] | None:
    parts = value.lower().split("-") if isinstance(value, str) else []
    if len(parts) < 4 or len(parts[1]) != 32 or len(parts[2]) != 16:
        return None
    for part in parts[1:3]:
        if not set("0123456789abcdef").issuperset(part) or not part.strip("0"):
            return None
    return parts[1], parts[2]


def _payload(raw: object) -> object:
    """One value; what is not plain JSON stays closed, with its size and its digest."""
    if not isinstance(raw, dict) or not isinstance(raw.get("metadata"), dict):
        return raw
    encoding = text_in(raw, "metadata", "encoding")
    encoding = decoded(encoding).decode("utf-8", "replace") if encoding else "unknown"
    data = raw.get("data")
    content = decoded(data) if isinstance(data, str) else b""
    if encoding == _NOTHING:
        return None
    if encoding == _JSON:
        try:
            return decode_plain(content)
        except UndecodableError:
            return opaque("json/plain that is not JSON", content)
    return opaque(encoding, content)


def opaque(encoding: str, content: bytes) -> Object:
    """What stands for a value that cannot be read: equal values stay equal."""
    digest = hashlib.sha256(content).hexdigest()
    return {"opaque": encoding[:200], "size_bytes": len(content), "sha256": digest}


def decoded(text: str) -> bytes:
    """The bytes behind base64, or the text itself where it is none."""
    padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
    try:
        return binascii.a2b_base64(padded, strict_mode=True)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "replace")


def _cadence(text: str) -> list[object]:
    """Base64 of JSON values written one behind the other."""
    content = decoded(text)
    written = content.decode("utf-8", "replace").strip()
    found: list[object] = []
    decoder, at = json.JSONDecoder(), 0
    try:
        while at < len(written) and len(found) < VALUES_MAX:
            value, at = decoder.raw_decode(written, at)
            found.append(value)
            while at < len(written) and written[at].isspace():
                at += 1
    except (ValueError, RecursionError):
        return [opaque("unknown", content)]
    if len(found) == 1 and isinstance(found[0], list):
        return found[0]  # the Java client writes its arguments as one array
    return found
