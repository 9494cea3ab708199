"""Whom a request is meant for: told by the port, the path, the proxy form, or the Host header."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

UPSTREAM_PREFIX = "/__up/"
CONTROL_PREFIX = "/__replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """The callee (None when nothing tells which), and path and query as it would see them."""

    callee: str | None
    path: str
    query: str
    control: bool = False


def route(
    target: str, headers: Mapping[str, str], hosts: Mapping[str, str], of_port: str | None
) -> Routed:
    """Route a request target: `/path`, `/__up/SERVICE/path`, or `http://host/path` of a proxy.

    `hosts` names the callee by host, with or without its port.
    """
    if target.startswith("/"):
        path, _, query = target.partition("?")
        if path == CONTROL_PREFIX or path.startswith(CONTROL_PREFIX + "/"):
            return Routed(callee=None, path=path, query=query, control=True)
        if path.startswith(UPSTREAM_PREFIX):
            name, slash, rest = path.removeprefix(UPSTREAM_PREFIX).partition("/")
            name = unquote(name)
            return Routed(
                callee=hosts.get(name.lower(), name), path=slash + rest or "/", query=query
            )
        if of_port is not None:
            return Routed(callee=of_port, path=path, query=query)
        return Routed(callee=_by_host(headers.get("host", ""), hosts), path=path, query=query)
    parts = urlsplit(target)
    return Routed(
        callee=_by_host(parts.netloc, hosts) or parts.netloc or None,
        path=parts.path or "/",
        query=parts.query,
    )


def _by_host(host: str, hosts: Mapping[str, str]) -> str | None:
    """By host and port, else by host; the only callee there is takes what comes to loopback."""
    host = host.lower()
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    found = hosts.get(host) or hosts.get(name)
    callees = set(hosts.values())
    if found is None and name in ("127.0.0.1", "localhost", "[::1]") and len(callees) == 1:
        return next(iter(callees))
    return found
