"""A whole history as text that redaction can read, and back.

Payloads are opened, since a secret inside base64 would pass every rule. What is opened by no
encoding known here is left out, unless it is encrypted; the text says how many were.
"""

import base64
import json

from ingest.history.events import Object, text_in
from ingest.history.payloads import decoded
from ingest.jsonstream import UndecodableError, decode_plain
from ingest.span_draft import json_text

HISTORY = "retrospan.history"
LEFT_OUT = "retrospan.history.left_out"
FORMAT = 1
TOKEN = "[redacted:"
_JSON = ("json/plain", "json/protobuf")
_TEXT = "binary/plain"
_SAFE = ("binary/null", "binary/encrypted")
_DEPTH_MAX = 64


def keep(events: list[object]) -> tuple[str, str]:
    """The text of a history's events, or "" and why it cannot be kept."""
    closed: set[str] = set()
    opened = _opened(events, closed, 0)
    if closed:
        return "", f"payloads are {', '.join(sorted(closed))}, which redaction cannot read"
    return json_text({"format": FORMAT, "events": opened}), ""


def restore(text: str) -> list[object]:
    """The events again. Raises ValueError for a text that is none of `keep`'s."""
    told = decode_plain(text.encode("utf-8", "surrogatepass"))
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError("the kept history is of another version")
    events = _closed(told.get("events"))
    if not isinstance(events, list):
        raise ValueError("the kept history has no events")
    return events


def _opened(value: object, closed: set[str], depth: int) -> object:
    if depth > _DEPTH_MAX:
        closed.add("nested too deeply")
        return None
    if isinstance(value, list):
        return [_opened(item, closed, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("metadata"), dict) and isinstance(value.get("data", ""), str):
        return _payload(value, closed)
    return {key: _opened(item, closed, depth + 1) for key, item in value.items()}


def _payload(payload: Object, closed: set[str]) -> Object:
    encoding = text_in(payload, "metadata", "encoding")
    name = decoded(encoding).decode("utf-8", "replace") if encoding else "unknown"
    data = payload.get("data", "")
    content = decoded(data) if isinstance(data, str) else b""
    rest = {key: item for key, item in payload.items() if key != "data"}
    if not content or name in _SAFE:
        return payload
    try:
        if name in _JSON:
            return {**rest, "value": decode_plain(content)}
        if name == _TEXT:
            return {**rest, "text": content.decode()}
    except (UndecodableError, UnicodeDecodeError):
        pass
    closed.add(name[:200])
    return rest


def _closed(value: object) -> object:
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("metadata"), dict) and ("value" in value or "text" in value):
        rest = {key: item for key, item in value.items() if key not in ("value", "text")}
        if "text" in value:
            content = str(value["text"])
        else:
            content = json.dumps(value["value"], separators=(",", ":"), ensure_ascii=False)
        return {**rest, "data": base64.b64encode(content.encode("utf-8", "replace")).decode()}
    return {key: _closed(item) for key, item in value.items()}
