"""What the code under test asks for, and what the recording tells it.

In: requests of the child in the order it made them, with virtual times. Out: answers, and the
account of one run: which request repeats which recorded one, when, how it ended.

Times: a recorded answer came so long after its request. Between the end of the last answer and
the next request the recorded process worked for itself; that gap is given to the code as well,
so that answers arrive in the recorded order. A gap that is too long is no work but a wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from replay.code.asked import Asked, activity_of, request_of, unasked
from replay.code.recorded import UNMATCHED, Recorded, refused
from replay.code.settings import CodeSettings
from replay.code.transitions import END, START, Transitions
from replay.code.what_if import Altered
from replay.requests import Request
from replay.server.routing import route
from store.errors import DataError

DECLARED = "declared"  # a call nobody recorded, answered as the scenario says
# A flow with more than this is answered request by request.
HANDED_MAX, HANDED_CHARACTERS_MAX = 200, 1_000_000
SURE = ("explicit", "exact", "denoised", "bound")
_TELEMETRY = ("/v1/traces", "/v1/logs", "/v1/metrics")


class UnlikeError(DataError):
    """The child answered a request itself as the engine would not have: it must ask."""


class Answering:
    """Answers one run of one flow from its recording; `asked` is the account of it."""

    def __init__(
        self,
        recorded: Recorded,
        upstreams: Mapping[str, str],
        settings: CodeSettings,
        usual: Transitions,
        session: str = "",
        altered: Altered | None = None,
    ) -> None:
        self.usual = usual
        self.altered = altered
        self.recorded = recorded
        self.settings = settings
        self.session = session
        self.hosts = {**recorded.requests.hosts, **upstreams}
        self.asked: list[Asked] = []
        self.telemetry = 0
        self.waits: list[int] = []

    def handed(self) -> dict[str, Any]:
        """What the child needs to answer recorded requests itself: each as it was written, the
        first that says the same, its times, its answer. Under a scenario it must ask."""
        requests = self.recorded.requests
        exchanges = requests.exchanges
        if self.altered is not None or len(exchanges) > HANDED_MAX:
            return {}
        size = sum(len(it.request_body or "") + len(it.response_body or "") for it in exchanges)
        if size > HANDED_CHARACTERS_MAX:
            return {}
        return {
            "hosts": self.hosts,
            "gap_max_ns": self.settings.gap_max_ns,
            "answers": [
                [
                    it.callee, it.method, it.target, it.request_body or "", first,
                    it.start_ns, self.recorded.end_ns(it), self.recorded.told(it),
                ]
                for it, first in zip(exchanges, requests.first_alike(), strict=True)
            ],
        }  # fmt: skip

    def taken(self, log: Sequence[Any]) -> None:
        """Answer again what the child answered itself. Raises UnlikeError where it is not alike."""
        for number, gap_ns, at_ns, where, headers, notes in log:
            self.noted(notes)
            exchange = self.recorded.requests.exchanges[number]
            request = Request(
                callee=exchange.callee, method=exchange.method, path=exchange.path,
                query=exchange.query, headers=headers,
                body=(exchange.request_body or "").encode(),
            )  # fmt: skip
            asked = self._ask(request, at_ns, where)
            if asked.exchange is not exchange or asked.sent_ns != at_ns + gap_ns:
                raise UnlikeError(f"{exchange.op}: the child took another answer than its own")

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one request of the child."""
        self.waits += message.get("waits", ())
        self.taken(message.get("taken", ()))
        self.noted(message.get("notes", ()))
        if message.get("kind") == "connect":
            return self._connect(message)
        if message.get("activity") in self.recorded.running:
            self.asked.append(unasked(activity_of(message), message, "ran"))
            return {"run": True}
        request = request_of(message, self.hosts)
        if request.path.endswith(_TELEMETRY):
            self.asked.append(unasked(request, message, "telemetry"))
            self.telemetry += 1
            return {"status": 200, "gap_ns": 0, "after_ns": 0}
        if len(self.asked) >= self.settings.requests_max:
            self.asked.append(unasked(request, message, "missing"))
            return _unmatched(request, f"more than {self.settings.requests_max} requests")
        asked = self._ask(request, int(message["at_ns"]), str(message.get("where", "")))
        exchange = asked.exchange
        if exchange is None:
            return self._unrecorded(asked)
        told = self.recorded.told(exchange)
        if self.altered is not None:
            told = self.altered.told(exchange, told)
            body = str((told.get("body") or {}).get("text", ""))
            if body != (exchange.response_body or ""):
                self.recorded.requests.served(exchange, body.encode(), self.session)
        if asked.match.rung in SURE:
            told["number"] = asked.match.number
        return {"gap_ns": asked.sent_ns - asked.at_ns, **told}

    def _ask(self, request: Request, at_ns: int, where: str) -> Asked:
        """Find the recorded request that one repeats, and put it on the account."""
        answered = self.recorded.requests.find(request, self.session)
        exchange = answered.exchange
        mapped_ns = self.mapped(at_ns)
        asked = Asked(
            request=request,
            match=answered.match,
            exchange=exchange,
            where=where,
            at_ns=at_ns,
            sent_ns=at_ns,
            gap_ns=0 if exchange is None else exchange.start_ns - mapped_ns,
            mapped_ns=mapped_ns,
            leaves=answered.leaves,
        )
        gap_ns, longest_ns = asked.gap_ns, self.settings.gap_max_ns
        if exchange is not None and gap_ns > longest_ns:
            asked.own_time = self.own_time(exchange.start_ns)
            longest_ns += self.late_ns(asked)
        if exchange is not None and (asked.own_time or 0 <= gap_ns <= longest_ns):
            asked.sent_ns += gap_ns
        self.asked.append(asked)
        return asked

    def _connect(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """A connection fails where the next recorded call to its callee did; which call the code
        was about to make is not known then, so it is taken to be that one."""
        callee = route("/", {"host": str(message["host"])}, self.hosts, None).callee
        unread = self.recorded.requests.unread(self.session)
        first = next((it for it in unread if it.callee == callee), None)
        if first is None or not refused(first):
            return {}
        said = {
            "method": first.method,
            "host": first.callee,
            "target": first.target,
            "headers": first.request_headers,
            "body": {"text": first.request_body or ""},
            "at_ns": message["at_ns"],
            "where": message.get("where", ""),
        }
        return {**self.answer(said), "refused": True}

    def _unrecorded(self, asked: Asked) -> dict[str, Any]:
        request = asked.request
        if self.altered is not None:
            op = f"{request.callee} {request.method} {request.path}"
            declared = self.altered.unrecorded(op)
            if declared is not None:
                asked.match = replace(asked.match, rung=DECLARED)
                return declared
        return _unmatched(request, "it was not recorded, or not so often")

    def noted(self, notes: Sequence[Mapping[str, Any]]) -> None:
        """Take what the child says of how earlier requests ended."""
        for note in notes:
            number = int(note["id"]) - 1
            if 0 <= number < len(self.asked):
                asked = self.asked[number]
                asked.ended_ns, asked.how = int(note["at_ns"]), str(note["how"])
                if asked.how == "closed" and asked.exchange is not None:
                    # Garbage may be collected late: who gave up did so no later than recorded.
                    longest_ns = self.recorded.end_ns(asked.exchange) - asked.exchange.start_ns
                    if self.altered is not None:
                        longest_ns = self.altered.limit_ns(asked.exchange.op) or longest_ns
                    asked.ended_ns = min(asked.ended_ns, asked.sent_ns + longest_ns)

    def own_time(self, until_ns: int) -> bool:
        """Whether the code has asked for the very waits that the recorded code had asked for at a
        moment of the recording: then it did not wait beyond them, and was at work or held up."""
        recorded = self.recorded.waits
        if recorded is None:
            return False
        return sorted(self.waits) == sorted(ns for at_ns, ns in recorded if at_ns <= until_ns)

    def overdue_ns(self, asked: Asked) -> int:
        """How long after its client's limit a recorded call was given up, where the code under test
        gives up at that limit. No client waits longer than it says: the process stood still."""
        exchange = asked.exchange
        if exchange is None or asked.ended_ns is None:
            return 0
        limit_ms = self.recorded.attempts[exchange.span_id].timeout_ms
        limit_ns = 0 if limit_ms is None else limit_ms * 1_000_000
        over_ns = self.recorded.end_ns(exchange) - exchange.start_ns - limit_ns
        off_ns = abs(asked.ended_ns - asked.sent_ns - limit_ns)
        return max(0, over_ns) if limit_ns and off_ns <= self.settings.early_max_ns else 0

    def before(self, at_ns: int) -> Asked | None:
        """The recorded call that ended last before a virtual moment."""
        ended = [
            it
            for it in self.asked
            if it.exchange is not None and it.ended_ns is not None and it.ended_ns <= at_ns
        ]
        return max(ended, key=lambda it: (it.ended_ns, it.sent_ns)) if ended else None

    def late_ns(self, asked: Asked) -> int:
        """How much longer than in other flows the recorded code took to a request."""
        if asked.exchange is None:
            return 0
        name, end_ns = self._last(asked.at_ns)
        return self.usual.late_ns(name, asked.exchange.op, asked.exchange.start_ns - end_ns)

    def late_end_ns(self, at_ns: int, duration_ns: int) -> int:
        """How much longer than in other flows the recorded code took from its last call to its
        end."""
        name, end_ns = self._last(at_ns)
        return self.usual.late_ns(name, END, duration_ns - end_ns)

    def _last(self, at_ns: int) -> tuple[str, int]:
        last = self.before(at_ns)
        if last is None or last.exchange is None:
            return START, 0
        return last.exchange.op, self.recorded.end_ns(last.exchange)

    def mapped(self, at_ns: int) -> int:
        """A virtual moment as the recording's clock would show it."""
        last = self.before(at_ns)
        if last is None or last.exchange is None or last.ended_ns is None:
            return at_ns
        return self.recorded.end_ns(last.exchange) + at_ns - last.ended_ns


def _unmatched(request: Request, why: str) -> dict[str, Any]:
    detail = f'{{"title":"no recorded answer","status":{UNMATCHED}}}'
    return {
        "status": UNMATCHED,
        "headers": {"content-type": "application/problem+json", "x-replay": why},
        "body": {"text": detail},
        "gap_ns": 0,
        "after_ns": 0,
    }
