"""One request of the code under test, as the child tells of it and as the engine keeps account."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replay.code.activities import ACTIVITY, RUN
from replay.exchange import Exchange
from replay.ladder import Match
from replay.leaves import Leaves
from replay.requests import Request
from replay.server.routing import route


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request of the code. `exchange` is the recorded one it repeats, None when there is none.

    `at_ns` is virtual; `sent_ns` is that with the recorded gap; `gap_ns` how much longer the
    recorded code took to get here, `own_time` that it is known not to have waited then. `how` it
    ended: answer, error, timeout, closed, "" if it did not. `where` are source lines, `leaves` what
    the request says.
    """

    request: Request
    match: Match
    exchange: Exchange | None
    where: str
    at_ns: int
    sent_ns: int
    gap_ns: int
    mapped_ns: int
    leaves: Leaves = field(default_factory=dict)
    ended_ns: int | None = None
    how: str = ""
    own_time: bool = False


def request_of(message: Mapping[str, Any], hosts: Mapping[str, str]) -> Request:
    """What a message of the child asks for, and of whom."""
    if "activity" in message:
        return activity_of(message)
    host, body = str(message["host"]), message.get("body") or {}
    headers = {str(name): str(value) for name, value in message["headers"].items()}
    routed = route(str(message["target"]), {"host": host}, hosts, None)
    if "base64" in body:
        data = base64.b64decode(body["base64"])
    else:
        data = str(body.get("text", "")).encode("utf-8", "surrogatepass")
    return Request(
        callee=routed.callee or host,
        method=str(message["method"]),
        path=routed.path,
        query=routed.query,
        headers=headers,
        body=data,
    )


def activity_of(message: Mapping[str, Any]) -> Request:
    """A call of an activity, as a request."""
    said = str(message["body"]["text"]).encode("utf-8", "surrogatepass")
    return Request(
        callee=ACTIVITY, method=RUN, path=str(message["activity"]), headers={}, body=said
    )


def unasked(request: Request, message: Mapping[str, Any], rung: str) -> Asked:
    """A request that repeats no recorded one; the rung says what it is instead."""
    at_ns = int(message["at_ns"])
    return Asked(
        request=request,
        match=Match(number=None, rung=rung),
        exchange=None,
        where=str(message.get("where", "")),
        at_ns=at_ns,
        sent_ns=at_ns,
        gap_ns=0,
        mapped_ns=at_ns,
    )
