"""The recorded side of one flow: what was exchanged, when it ended, what a client is told of it.

In: the flow, its exchanges, and what its own attempts say of them. Out: answers for the child.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from replay.code.activities import RUN
from replay.exchange import Exchange
from replay.requests import Requests
from store.conclusions import Attempt, Flow
from store.model import Span

UNMATCHED = 599
WAITS, WAIT_AT_NS, WAIT_ASKED_NS = "retrospan.waits", "retrospan.wait.at_ns", "retrospan.wait.ns"
_TIMED_OUT = re.compile("time[d]?[ _-]?out|deadline", re.IGNORECASE)
_REFUSED = re.compile(
    "connect(ion)?[ _]?refused|ConnectError|ConnectorError|NewConnection|NameResolution|gaierror"
    "|unreachable",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Recorded:
    """The recorded side of one flow: its exchanges and what its own attempts say of them.

    `running` names the activities whose results were not recorded: they run again. `waits` are
    those that the code asked for, each with its moment; None where the recording does not tell.
    """

    flow: Flow
    requests: Requests
    activities: Mapping[str, Attempt] = field(default_factory=dict)
    running: frozenset[str] = frozenset()
    waits: Sequence[tuple[int, int]] | None = None
    attempts: Mapping[str, Attempt] = field(init=False)

    def __post_init__(self) -> None:
        steps = self.flow.steps
        mine = {attempt.span_id: attempt for step in steps for attempt in step.attempts}
        self.attempts = {**self.activities, **mine}

    def end_ns(self, exchange: Exchange) -> int:
        """When its caller had the whole answer, or gave up."""
        attempt = self.attempts[exchange.span_id]
        end_ns = attempt.start_ns if attempt.end_ns is None else attempt.end_ns
        if exchange.event_ns:
            end_ns = max(end_ns, attempt.start_ns + exchange.event_ns[-1])
        return end_ns - self.flow.start_ns

    def told(self, exchange: Exchange) -> dict[str, Any]:
        """What the child is told instead of an answer over the network; `after_ns` is None where
        nobody knows when one would have come."""
        attempt = self.attempts[exchange.span_id]
        limit_ns = None if attempt.timeout_ms is None else attempt.timeout_ms * 1_000_000
        latency_ns = self.end_ns(exchange) - exchange.start_ns
        raised = exchange.method == RUN or not timed_out(exchange.error or "")
        if exchange.error is not None and raised:
            said = exchange.response_body or ""
            return {"error": exchange.error, "message": said, "after_ns": latency_ns}
        if exchange.error is not None:
            # What a patient caller would have got is known only if the callee was recorded.
            late_ns = max(exchange.answer_after_ns, (limit_ns or 0) + 1, latency_ns)
            after_ns = None if exchange.status is None else late_ns
        else:
            # It was taken, so it was in time: what is measured beyond is the caller's own work.
            after_ns = latency_ns if limit_ns is None else min(latency_ns, limit_ns - 1_000)
        told = {
            "status": exchange.status or UNMATCHED,
            "headers": {"content-type": _content_type(exchange), **exchange.response_headers},
            "body": {"text": exchange.response_body or ""},
            "after_ns": after_ns,
        }
        if exchange.event_ns and after_ns is not None:
            told["event_ns"] = list(exchange.event_ns)
            told["after_ns"] = min(after_ns, exchange.event_ns[0])
        return told


def waits_of(flow: Flow, spans: Iterable[Span]) -> Sequence[tuple[int, int]] | None:
    """The waits that a flow's own span tells of, in nanoseconds: when asked for, and how long."""
    told = [it.attributes for it in spans if it.service == flow.service and WAITS in it.attributes]
    if len(told) != 1:
        return None  # of flows in each other nobody knows whose waits these are
    at_ns, asked_ns = (
        [it for it in listed if type(it) is int] if isinstance(listed, list) else []
        for listed in (told[0].get(WAIT_AT_NS), told[0].get(WAIT_ASKED_NS))
    )
    if not len(at_ns) == len(asked_ns) == told[0][WAITS]:
        return None
    return [*zip(at_ns, asked_ns, strict=True)]


def refused(exchange: Exchange) -> bool:
    """Whether a call failed before it was sent: nobody listened, or had that name."""
    return exchange.status is None and _REFUSED.search(exchange.error or "") is not None


def timed_out(error: str) -> bool:
    """Whether a recorded error says that its caller gave up waiting."""
    return _TIMED_OUT.search(error) is not None


def _content_type(exchange: Exchange) -> str:
    body = (exchange.response_body or "")[:1]
    return "application/json" if body in ("{", "[") else "text/plain; charset=utf-8"
