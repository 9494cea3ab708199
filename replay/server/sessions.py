"""Which recorded flow answers a request, and what each session asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from replay.exchange import Exchange
from replay.requests import Answered, Request, Requests
from store.errors import UsageError
from store.model import JsonValue

SESSION_HEADER = "x-replay-session"
BAGGAGE_KEY = "replay.session"
SESSIONS_MAX = 10_000
UNMATCHED_MAX = 1_000
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How long answers take: at once, as recorded, or as recorded times `scale`."""

    scale: float = 0.0

    def seconds(self, after_ns: int) -> float:
        """How long to wait before an answer that took so long."""
        return after_ns / _NS_PER_S * self.scale

    @classmethod
    def of(cls, text: str) -> "Clock":
        """`instant`, `recorded`, or a factor such as `0.1`. Raises UsageError."""
        if text in ("instant", "recorded"):
            return cls(scale=float(text == "recorded"))
        try:
            scale = float(text)
        except ValueError:
            scale = -1.0
        if not 0 <= scale <= 1_000:
            raise UsageError(f"clock {text!r}: there are instant, recorded, or a factor up to 1000")
        return cls(scale=scale)


@dataclass(slots=True, kw_only=True)
class Session:
    """One run against one flow; `cursor` tells it from earlier ones of the same name."""

    name: str
    cursor: str
    flow_id: str
    clock: Clock
    rungs: Counter[str] = field(default_factory=Counter)
    ambiguous: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    asked: int = 0


class Sessions:
    """All sessions over the recorded flows. The only flow there is needs no session opened."""

    def __init__(
        self, flows: Mapping[str, Requests], traces: Mapping[str, str], clock: Clock
    ) -> None:
        self.flows = flows
        self.traces = traces
        self.clock = clock
        self.open: dict[str, Session] = {}
        self.closed: list[Session] = []
        self.started = 0

    def start(self, flow_id: str, name: str = "", clock: Clock | None = None) -> Session:
        """Open a session over a flow. Raises UsageError for an unknown flow or a taken name."""
        if flow_id not in self.flows:
            known = ", ".join(sorted(self.flows)[:20])
            raise UsageError(f"flow {flow_id!r} is not served; there are {known}")
        name = name or f"session-{self.started + 1}"
        if name in self.open:
            raise UsageError(f"session {name!r} is open already")
        if len(self.open) >= SESSIONS_MAX:
            raise UsageError(f"{SESSIONS_MAX} sessions are open; close one first")
        self.started += 1
        session = Session(
            name=name,
            cursor=f"{self.started} {name}",
            flow_id=flow_id,
            clock=clock or self.clock,
        )
        self.open[name] = session
        return session

    def close(self, name: str) -> Session:
        """End a session. Raises UsageError when it is not open."""
        if name not in self.open:
            raise UsageError(f"session {name!r} is not open")
        session = self.open.pop(name)
        self.closed.append(session)
        return session

    def of(self, headers: Mapping[str, str]) -> Session | str:
        """The session a request belongs to: named, else of its trace, else the only one. A text
        says why there is none."""
        named = headers.get(SESSION_HEADER) or _baggage(headers.get("baggage", ""))
        if named:
            return self.open.get(named) or f"session {named!r} is not open"
        trace_id = headers.get("traceparent", "").split("-")[1:2]
        flow_id = self.traces.get(trace_id[0].lower()) if trace_id else None
        if flow_id is not None:
            name = f"trace-{flow_id}"
            return self.open.get(name) or self.start(flow_id, name)
        if len(self.open) == 1:
            return next(iter(self.open.values()))
        if not self.open and len(self.flows) == 1:
            return self.start(next(iter(self.flows)))
        return (
            f"{len(self.flows)} flows are served and {len(self.open)} sessions are open: name one "
            f"by the header {SESSION_HEADER} or by baggage {BAGGAGE_KEY}"
        )

    def find(self, session: Session, request: Request) -> Answered:
        """The exchange that answers, noted in the session's report."""
        answered = self.flows[session.flow_id].find(request, session.cursor)
        label = f"{request.method} {request.callee}{request.path}"
        session.asked += 1
        session.rungs[answered.match.rung] += 1
        if answered.exchange is None:
            if len(session.unmatched) < UNMATCHED_MAX:
                session.unmatched.append(label)
        elif answered.match.ambiguous:
            session.ambiguous.append(f"{label}: {answered.match.ambiguous}")
        if answered.match.rung == "structural":
            session.changed.append(label)
        return answered

    def unread(self, session: Session) -> Sequence[Exchange]:
        """What the flow asked for when it was recorded and this session did not."""
        return self.flows[session.flow_id].unread(session.cursor)

    def report(self, session: Session) -> dict[str, JsonValue]:
        """What a session asked for; `faithful` when all of it, and nothing else, was recorded."""
        unread = [f"{it.method} {it.callee}{it.target}" for it in self.unread(session)]
        faithful = not (unread or session.unmatched or session.ambiguous or session.changed)
        return {
            "session": session.name,
            "flow_id": session.flow_id,
            "requests": session.asked,
            "answers": {rung: session.rungs[rung] for rung in sorted(session.rungs)},
            "ambiguous": list(session.ambiguous),
            "changed": list(session.changed),
            "unmatched": list(session.unmatched),
            "unread": list(unread),
            "faithful": faithful,
        }


def _baggage(header: str) -> str:
    """The session a W3C baggage header names; "" when it names none."""
    for member in header.split(","):
        name, _, value = member.partition(";")[0].partition("=")
        if name.strip() == BAGGAGE_KEY:
            return unquote(value.strip())
    return ""
