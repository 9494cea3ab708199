"""What is kept of a body: text that a key rule has not hidden, within limits.

In: bytes as they pass by, with their content type. Out: span attributes. A body that cannot be
kept whole is not kept at all, for what is cut cannot be searched for secrets; its SHA-256 is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from fnmatch import fnmatchcase
from typing import Any, Iterable
from urllib.parse import parse_qsl, urlencode

TRUNCATED, SHA256 = "retrospan.body.truncated", "retrospan.body.sha256"
EVENT_NS = "retrospan.stream.event_ns"
EVENTS_MAX = 2_000
# Where a value under such a name is a secret; `*` is any text, upper and lower case are one.
SECRETS = (
    "*password*", "*passwd*", "*secret*", "*token*", "*api?key*", "apikey", "authorization",
    "*cookie*", "*private?key*", "*credential*", "card?number", "cardnumber", "pan", "cvv", "cvc",
    "ssn", "pin",
)  # fmt: skip
_NAMES = "idempotency-key", "idempotencykey", "idempotency_key"
_DATA = re.compile(r"^(data:[ ]?)(.*)$", re.MULTILINE)
_TOO_DEEP = "[too deep]"


class _Brackets(dict):  # type: ignore[type-arg]
    """For `str.translate`: containers alike, and nothing else."""

    def __missing__(self, letter: int) -> None:
        self[letter] = None


_BRACKETS = _Brackets(str.maketrans("{}[]", "[][]"))


class Rules:
    """Which keys hide their values, and the limits. With a `key`, equal secrets get equal tokens,
    on every machine that has that key."""

    def __init__(
        self,
        redact: Iterable[str] = (),
        key: str = "",
        body_bytes_max: int = 64_000,
        depth_max: int = 32,
    ) -> None:
        self.patterns = tuple(it.lower() for it in (*SECRETS, *redact))
        self.key = key.encode()
        self.body_bytes_max = body_bytes_max
        self.depth_max = depth_max
        self._hidden: dict[str, bool] = {}

    def hides(self, name: str) -> bool:
        """Whether the value under a name is a secret."""
        known = self._hidden.get(name)
        if known is None:
            low = name.lower()
            known = low not in _NAMES and any(fnmatchcase(low, it) for it in self.patterns)
            if len(self._hidden) < 10_000:
                self._hidden[name] = known
        return known

    def token(self, value: Any) -> str:
        """What stands in the place of a secret."""
        if not self.key:
            return "[redacted]"
        said = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        digest = hmac.new(self.key, said.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"[redacted {digest.hexdigest()[:16]}]"

    def cleaned(self, value: Any, depth: int = 0) -> tuple[Any, bool]:
        """A JSON value without its secrets; whether it was cut for being too deep."""
        if not isinstance(value, (dict, list, tuple)):
            return value, False
        if depth >= self.depth_max:
            return _TOO_DEEP, True
        cut = False
        if isinstance(value, dict):
            kept: Any = {}
            for name, item in value.items():
                if item is not None and self.hides(str(name)):
                    kept[name] = self.token(item)
                elif isinstance(item, (dict, list, tuple)):
                    kept[name], deeper = self.cleaned(item, depth + 1)
                    cut = cut or deeper
                else:
                    kept[name] = item
            return kept, cut
        kept = list(value)
        for number, item in enumerate(kept):
            if isinstance(item, (dict, list, tuple)):
                kept[number], deeper = self.cleaned(item, depth + 1)
                cut = cut or deeper
        return kept, cut

    def document(self, value: Any) -> tuple[str | None, bool]:
        """A value as JSON text, and whether something of it is missing; None when it is too long,
        or no JSON."""
        kept, cut = self.cleaned(value)
        text = json.dumps(kept, separators=(",", ":"), default=_refused)
        return (None, True) if len(text) > self.body_bytes_max else (text, cut)

    def text(self, data: bytes, content_type: str) -> tuple[str | None, bool]:
        """A body as text without its secrets, and whether something of it is missing."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/x-www-form-urlencoded":
            pairs = parse_qsl(data.decode(), keep_blank_values=True)
            return urlencode([(n, self.token(v) if self.hides(n) else v) for n, v in pairs]), False
        if kind == "text/event-stream":
            cuts: list[bool] = []
            told = _DATA.sub(lambda it: it[1] + self._line(it[2], cuts), data.decode())
            return told, any(cuts)
        if kind.endswith(("ndjson", "jsonl", "json-lines")):
            cuts = []
            lines = data.decode().split("\n")
            return "\n".join(self._line(line, cuts) for line in lines), any(cuts)
        if kind.endswith("json") or (not kind and data[:1] in (b"{", b"[")):
            return self._json(data.decode())
        if kind.startswith("text/") or kind.endswith("xml"):
            return data.decode(), False
        return None, True

    def _json(self, text: str) -> tuple[str | None, bool]:
        value = json.loads(text)
        if "\\" not in text:  # then a string ends at the next quote
            parts = text.split('"')
            strings = zip(parts[1::2], parts[2::2])  # noqa: B905 - Python 3.9 knows no strict
            names = {it for it, after in strings if after[:1] == ":" or after.lstrip()[:1] == ":"}
            if names and not any(map(self.hides, names)) and _depth(parts) <= self.depth_max:
                return text, False
        kept, cut = self.cleaned(value)
        # What hides nothing stays as it was sent, to the last blank.
        return (text if kept == value and not cut else json.dumps(kept)), cut

    def _line(self, line: str, cuts: list[bool]) -> str:
        if line[:1] not in ("{", "["):
            return line
        if '"' not in line:
            return line  # no names, such as `[DONE]`
        kept, cut = self._json(line)
        cuts.append(cut)
        return kept or ""


def _depth(parts: list[str]) -> int:
    """How many containers stand in each other, of JSON that is split at its quotes."""
    left = "".join(parts[::2]).translate(_BRACKETS)
    depth = 0
    while left:
        left, depth = left.replace("[]", ""), depth + 1
    return depth


def _refused(value: Any) -> str:
    raise TypeError(f"{type(value).__name__} is no JSON")


class Body:
    """Collects one body as it passes by; keeps no more of it than the limit."""

    def __init__(self, rules: Rules, content_type: str, started_ns: int = 0) -> None:
        self.rules = rules
        self.content_type = content_type
        self.started_ns = started_ns
        self.streamed = content_type.lower().startswith(("text/event-stream", "application/x-ndj"))
        self._pieces: list[bytes] = []
        self._size = 0
        self._digest: Any = None  # of a body that is longer than what is kept
        self._event_ns: list[int] = []
        self._last = b""

    def feed(self, data: bytes, at_ns: int = 0) -> None:
        """Take the next bytes."""
        self._size += len(data)
        if self._digest is not None:
            self._digest.update(data)
        else:
            self._pieces.append(data)
            if self._size > self.rules.body_bytes_max:
                self._digest = hashlib.sha256(b"".join(self._pieces))
                self._pieces.clear()
        if self.streamed and at_ns and len(self._event_ns) < EVENTS_MAX:
            ends = (self._last + data).count(b"\n\n")
            self._event_ns += [at_ns - self.started_ns] * ends
            self._last = data[-1:] if data[-2:] != b"\n\n" else b""

    def attributes(self, name: str) -> dict[str, Any]:
        """Span attributes; the body's own has this name."""
        if not self._size:
            return {}
        text, cut, data = None, True, b"".join(self._pieces)
        if self._digest is None:
            try:
                text, cut = self.rules.text(data, self.content_type)
            except (ValueError, RecursionError):
                text, cut = None, True  # neither UTF-8 nor what it says it is: nothing to search
        found: dict[str, Any] = {}
        if text is not None:
            found[name] = text
        if cut:
            found[TRUNCATED] = True
            found[SHA256] = (self._digest or hashlib.sha256(data)).hexdigest()
        if self._event_ns and text is not None:
            found[EVENT_NS] = self._event_ns
        return found
