"""Who was called, and for what."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from analyzer.conventions import (
    ADDRESS,
    DB_OPERATION,
    DB_SYSTEM,
    ENGINE_ACTIVITY_PREFIX,
    HTTP_METHOD,
    MESSAGING_DESTINATION,
    MESSAGING_OPERATION,
    MESSAGING_SYSTEM,
    PEER,
    PORT,
    RPC_METHOD,
    RPC_SERVICE,
    URL_PATH,
    URL_TEMPLATE,
    text,
)
from store.model import Span

_VERSION = re.compile(r"v\d+(\.\d+)*([a-z]+\d*)?", re.IGNORECASE)
_ID = re.compile(r"\d|^[0-9a-f-]{16,}$|^\{.*\}$|^:", re.IGNORECASE)
PLACEHOLDER = "{id}"
SEGMENTS_MAX = 32


def address_of(span: Span) -> str | None:
    """`host` or `host:port` a client span was sent to."""
    host = text(span.attributes, *ADDRESS)
    if host is None:
        return None
    port = text(span.attributes, *PORT)
    return f"{host}:{port}" if port else host


def named_callee(span: Span, callee: Span | None) -> str | None:
    """The callee's logical name where the recording has one."""
    named = text(span.attributes, *PEER)
    if named is not None:
        return named
    if callee is not None and callee.service != "unknown_service":
        return callee.service
    return None


def names_by_address(pairs: Iterable[tuple[Span, Span | None]]) -> dict[str, str]:
    """Logical names of addresses, where every span that knows agrees.

    So an attempt whose callee recorded nothing still gets the callee's name from its siblings.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for span, callee in pairs:
        address, named = address_of(span), named_callee(span, callee)
        if address is not None and named is not None:
            seen[address].add(named)
    return {address: min(names) for address, names in seen.items() if len(names) == 1}


def callee_of(span: Span, callee: Span | None, by_address: dict[str, str]) -> str:
    """The logical name of what was called, "" for local work."""
    if span.name.startswith(ENGINE_ACTIVITY_PREFIX):
        return span.service
    named = named_callee(span, callee)
    if named is not None:
        return named
    if span.kind not in ("client", "producer"):
        return ""
    address = address_of(span)
    if address is not None:
        return by_address.get(address, address)
    for names in (RPC_SERVICE, DB_SYSTEM, MESSAGING_DESTINATION, MESSAGING_SYSTEM):
        found = text(span.attributes, *names)
        if found is not None:
            return found
    return "unknown"


def operation_of(span: Span, callee: Span | None) -> str:
    """`METHOD template` of an HTTP call, else the like of it, else the span's name."""
    method = text(span.attributes, *HTTP_METHOD)
    if method is not None:
        template = text(span.attributes, *URL_TEMPLATE)
        if template is None:
            path = text(span.attributes, *URL_PATH)
            template = templated(path) if path is not None else None
        if template is None and callee is not None:
            template = text(callee.attributes, *URL_TEMPLATE)
        return f"{method} {template}" if template is not None else span.name
    service, verb = text(span.attributes, *RPC_SERVICE), text(span.attributes, *RPC_METHOD)
    if verb is not None:
        return f"{service}/{verb}" if service else verb
    for names in ((MESSAGING_OPERATION, MESSAGING_DESTINATION), (DB_OPERATION, DB_SYSTEM)):
        verb, noun = (text(span.attributes, *name) for name in names)
        if verb is not None and noun is not None:
            return f"{verb} {noun}"
    return span.name.removeprefix(ENGINE_ACTIVITY_PREFIX)


def path_segments(url: str) -> Sequence[str]:
    """The path of a URL, cut at its slashes; the rest of a very long one is one segment."""
    path = url.split("://", 1)[-1]
    if path != url:
        path = "/" + path.partition("/")[2]
    path = path.partition("?")[0].partition("#")[0]
    return path.strip("/").split("/", SEGMENTS_MAX)


def templated(url: str) -> str:
    """A path with its id-like segments replaced."""
    return "/" + "/".join(
        PLACEHOLDER if _is_id(segment) else segment for segment in path_segments(url)
    )


def ids_in_path(span: Span) -> str:
    """The id-like segments of the path a call was sent to, "" where there are none."""
    url = text(span.attributes, *URL_PATH)
    if url is None:
        return ""
    return "/".join(segment for segment in path_segments(url) if _is_id(segment))


def _is_id(segment: str) -> bool:
    return _ID.search(segment) is not None and _VERSION.fullmatch(segment) is None
