"""The interface for tests under `/__replay`: open and close sessions, read reports.

`GET /__replay` lists flows and sessions; `POST /__replay/sessions` with
`{"flow_id": …, "session": …, "clock": …}` opens one, the last two optional;
`GET /__replay/sessions/NAME` reports, `DELETE` closes and reports.
"""

import json
from urllib.parse import unquote

from replay.server.routing import CONTROL_PREFIX
from replay.server.sessions import Clock, Sessions
from replay.server.wire import Arrived, Reply
from store.errors import UsageError
from store.model import JsonValue

JSON = {"content-type": "application/json"}
PROBLEM = {"content-type": "application/problem+json"}
_SESSIONS = f"{CONTROL_PREFIX}/sessions"


def control(sessions: Sessions, arrived: Arrived, path: str) -> Reply:
    """Do what a control request asks for; a problem document (RFC 9457) says why not."""
    try:
        if path.rstrip("/") == CONTROL_PREFIX and arrived.method == "GET":
            return _json(
                200, {"flows": [*sorted(sessions.flows)], "sessions": [*sorted(sessions.open)]}
            )
        if path.rstrip("/") == _SESSIONS and arrived.method == "POST":
            return _opened(sessions, arrived)
        name = unquote(path.removeprefix(_SESSIONS + "/"))
        if path.startswith(_SESSIONS + "/") and arrived.method == "GET":
            session = sessions.open.get(name)
            if session is None:
                return problem(404, "no such session", f"session {name!r} is not open")
            return _json(200, sessions.report(session))
        if path.startswith(_SESSIONS + "/") and arrived.method == "DELETE":
            return _json(200, sessions.report(sessions.close(name)))
    except UsageError as error:
        return problem(409, "the session cannot be opened or closed", str(error))
    return problem(404, "no such control request", f"{arrived.method} {path}")


def _opened(sessions: Sessions, arrived: Arrived) -> Reply:
    try:
        asked = json.loads(arrived.body or b"{}")
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict) or not all(isinstance(it, str) for it in asked.values()):
        return problem(400, "no session", "send an object of texts: flow_id, session, clock")
    clock = Clock.of(asked["clock"]) if "clock" in asked else None
    session = sessions.start(asked.get("flow_id", ""), asked.get("session", ""), clock)
    return _json(201, {"session": session.name, "flow_id": session.flow_id})


def problem(status: int, title: str, detail: str, **more: JsonValue) -> Reply:
    """A problem document; its type names this server, so that no client takes it for an answer."""
    document = {"type": "urn:retrospan:replay", "title": title, "status": status, "detail": detail}
    body = json.dumps({**document, **more}, sort_keys=True).encode()
    return Reply(status=status, headers=PROBLEM, pieces=[body])


def _json(status: int, document: JsonValue) -> Reply:
    body = json.dumps(document, sort_keys=True).encode()
    return Reply(status=status, headers=JSON, pieces=[body])
