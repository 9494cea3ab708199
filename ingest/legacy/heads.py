"""Which keys stand where in the first bytes of a JSON input; sniffing asks this."""

import re
from functools import lru_cache

# A path this long or this deep tells one format from another no better.
PATHS_MAX = 4096
DEPTH_MAX = 12

_TOKEN = re.compile(rb'\s*(?:("(?:[^"\\\n]|\\.)*")(\s*:)?|([{}\[\]])|(,|[-+\w.]+))')
_FRESH = re.compile(rb"\n\s*(?=[{\[])")


@lru_cache(maxsize=4)
def paths_of(head: bytes) -> frozenset[str]:
    """Dotted paths of object keys, arrays left out; empty when the input is not JSON.

    The head may end anywhere, and a malformed part hides nothing that begins on a later line.
    """
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] not in (b"{", b"[") or b"\0" in text:
        return frozenset()
    return frozenset(_scan(text))


def _scan(text: bytes) -> set[str]:
    found: set[str] = set()
    stack: list[tuple[str, bool]] = []  # the path of each open bracket, and whether an object's
    key: str | None = None  # the path of the key whose value comes next
    at = 0
    while at < len(text) and len(found) < PATHS_MAX:
        token = _TOKEN.match(text, at)
        if token is None:
            fresh = _FRESH.search(text, at)
            if fresh is None:
                break
            at, stack, key = fresh.end(), [], None
            continue
        at = token.end()
        string, colon, bracket = token[1], token[2], token[3]
        if colon is not None:
            if stack and stack[-1][1] and len(stack) <= DEPTH_MAX:
                name = string[1:-1].decode("utf-8", "replace")
                key = f"{stack[-1][0]}.{name}" if stack[-1][0] else name
                found.add(key)
            continue
        if bracket in (b"{", b"["):
            if key is None and stack and stack[-1][1]:
                stack = []  # no value may begin here: the document before was left open
            path = key if key is not None else stack[-1][0] if stack else ""
            stack.append((path, bracket == b"{"))
        elif bracket is not None and stack:
            stack.pop()
        key = None
    return found
