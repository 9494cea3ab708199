"""A scenario applied where answers come from: the code runs on, and gets other answers.

In: a scenario and the recorded side of one flow. Out: what the child is told instead, and what a
claim on the result rests on. Settings that live in the code itself cannot be changed here; they are
refused by name.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from typing import Any

from replay.code.donors import Donors
from replay.exchange import Exchange
from replay.faults import PERCENT, named
from replay.leaves import Scalar
from replay.scenario import AlteredAnswer, Change, Scenario
from store.conclusions import Attempt, Divergence, ReplayResult
from store.errors import DataError

MILLISECOND_NS = 1_000_000
TIMEOUT, OK, NO_ANSWER = "timeout", "ok", 599
UNAPPLIED = "unapplied"
_TAKEN = ("operation", "timeout_ms")
_PART = re.compile(r"[^.\[\]]+")


def refuse(scenario: Scenario, operations: Iterable[str]) -> None:
    """Raise DataError where a scenario changes what only the code can, or what nobody calls."""
    kept = [
        f"changes.{field.name}"
        for field in fields(Change)
        if field.name not in _TAKEN
        and any(getattr(change, field.name) is not None for change in scenario.changes)
    ]
    if scenario.version is not None:
        kept.append("version")
    if kept:
        raise DataError(
            f"scenario {scenario.name!r}: --code runs your own code, which itself decides "
            f"{', '.join(kept)}: change the code, and leave them out"
        )
    known = sorted(set(operations))
    meant = [it.operation for it in scenario.changes]
    meant += [it.operation for it in scenario.answers]
    unknown = [name for name in meant if not named(name, known)]
    if unknown:
        raise DataError(
            f"scenario {scenario.name!r} names {unknown[0]!r}, which these flows never call; "
            f"they call: {', '.join(known)}"
        )


class Altered:
    """What the child is told under a scenario.

    `used` are the spans whose answers were altered, `faulted` those that end otherwise; `classes`
    and `reasons` are what a claim rests on, `open_` is why there can be none.
    """

    def __init__(
        self,
        scenario: Scenario,
        exchanges: Sequence[Exchange],
        attempts: Mapping[str, Attempt],
        donors: Donors,
    ) -> None:
        self.scenario = scenario
        self.donors = donors
        self.attempts = attempts
        self.every = [it for it in scenario.answers if it.nth is None]
        self.single = _single(scenario.answers, exchanges)
        self.limits = {
            it.operation: it.timeout_ms * MILLISECOND_NS
            for it in scenario.changes
            if it.timeout_ms is not None
        }
        self.used: set[str] = set()
        self.faulted: set[str] = set()
        self.classes = {"C1"}
        self.reasons: list[str] = []
        self.open_: list[str] = []

    def told(self, exchange: Exchange, told: dict[str, Any]) -> dict[str, Any]:
        """A recorded answer as it is under the scenario."""
        for change in self.of(exchange):
            self.used.add(exchange.span_id)
            told = self._changed(change, exchange, told)
        limit_ns = self.limit_ns(exchange.op)
        return told if limit_ns is None else self._limited(exchange, told, limit_ns)

    def limit_ns(self, op: str) -> int | None:
        """The timeout that the scenario sets for an operation."""
        return next((ns for named, ns in self.limits.items() if fnmatchcase(op, named)), None)

    def unrecorded(self, op: str) -> dict[str, Any] | None:
        """The declared answer to a call that nobody recorded; None when none is declared whole."""
        for change in self._every(op):
            if change.status is not None and change.status != OK:
                after_ns = (change.latency_ms or 0) * MILLISECOND_NS
                return {**_status(change.status, {"after_ns": after_ns}), "gap_ns": 0}
        return None

    def of(self, exchange: Exchange) -> list[AlteredAnswer]:
        """What the scenario changes of an answer."""
        return [*self.single.get(exchange.span_id, ()), *self._every(exchange.op)]

    def _every(self, op: str) -> list[AlteredAnswer]:
        return [it for it in self.every if fnmatchcase(op, it.operation)]

    def _changed(
        self, change: AlteredAnswer, exchange: Exchange, told: dict[str, Any]
    ) -> dict[str, Any]:
        recorded_ns = exchange.answer_after_ns
        told = {name: value for name, value in told.items() if name != "event_ns"}
        if change.latency_percent is not None:
            told["after_ns"] = recorded_ns * change.latency_percent // PERCENT
        if change.latency_ms is not None:
            told["after_ns"] = change.latency_ms * MILLISECOND_NS
        if change.status is not None:
            self.faulted.add(exchange.span_id)
            told = _status(change.status, told)
        if change.fields:
            self.classes.add("C2")
            told["body"] = {"text": _with(exchange, told, change.fields)}
            told.pop("error", None)
            told.setdefault("status", 200)
        if told.get("status") == NO_ANSWER and told.get("after_ns") is not None:
            self.open_.append(f"{exchange.op}: what it would have answered was not recorded")
        return told

    def _limited(self, exchange: Exchange, told: dict[str, Any], limit_ns: int) -> dict[str, Any]:
        """The timeout in force is another one; what a patient caller gets may not be known."""
        attempt = self.attempts[exchange.span_id]
        waited_ns = (attempt.end_ns or attempt.start_ns) - attempt.start_ns
        self.used.add(exchange.span_id)
        if attempt.http_status is None and limit_ns > waited_ns and "error" not in told:
            if told.get("after_ns") is None:
                self.open_.append(f"{exchange.op}: how long it would have taken was not recorded")
            elif told["after_ns"] <= limit_ns:
                self.classes.add("C2")
                self._say(f"{exchange.op}: latency and status are from the callee's own span")
                told = self._lent(exchange, told)
            else:
                self._say(f"{exchange.op}: the callee's own span ends after the new timeout too")
        own_ns = None if attempt.timeout_ms is None else attempt.timeout_ms * MILLISECOND_NS
        return {**told, "limit_ns": limit_ns, "own_ns": own_ns}

    def _lent(self, exchange: Exchange, told: dict[str, Any]) -> dict[str, Any]:
        """The body never reached the caller: where the callee's was not recorded, another's."""
        if exchange.response_body is not None:
            return told
        donor = self.donors.get((exchange.op, told["status"]))
        if donor is None:
            self.open_.append(f"{exchange.op}: the body of its late answer was not recorded")
            return told
        self.classes.add("C3")
        self._say(
            f"{exchange.op}: the body is lent by one of {donor.answers} answers with status "
            f"{told['status']}"
        )
        headers = {"content-type": "application/json"}
        return {**told, "headers": headers, "body": {"text": donor.body}}

    def _say(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


def claim_of(altered: Altered, result: ReplayResult) -> tuple[str | None, list[str]]:
    """The weakest class any part of a result rests on, and on what; None where it rests on what
    nobody knows."""
    doubts = [*altered.open_]
    unanswered = result.answers.get("missing", 0)
    if unanswered:
        doubts.append(f"no recording answers {unanswered} calls of this run")
    if result.answers.get("ambiguous", 0):
        doubts.append("an answer could as well be another one")
    doubts += [flag for flag in result.flags if flag.startswith(UNAPPLIED)]
    if doubts:
        return None, [f"not identified: {'; '.join(dict.fromkeys(doubts))}", *altered.reasons]
    if altered.scenario.population:
        why = "for all flows at once load feeds back: read this as qualitative"
        return "C4", [*altered.reasons, why]
    why = "for this flow alone: load feedback is not part of the claim"
    return max(altered.classes), [*altered.reasons, why]


def unread_of(
    altered: Altered, exchanges: Sequence[Exchange], result: ReplayResult
) -> list[Divergence]:
    """Altered values that changed nothing."""
    if result.verdict not in ("identical", "equivalent"):
        return []
    return [
        Divergence(
            kind="unread_answer", step_id=it.step_id, recorded=None, replayed=None,
            path=f"response.{path}",
        )
        for it in exchanges
        if it.span_id in altered.used
        for change in altered.of(it)
        for path in change.fields
    ]  # fmt: skip


def _single(
    answers: Sequence[AlteredAnswer], exchanges: Sequence[Exchange]
) -> dict[str, list[AlteredAnswer]]:
    """The answers altered one by one, by the span whose answer is the nth of its operation."""
    by_op: defaultdict[str, list[str]] = defaultdict(list)
    for exchange in exchanges:
        by_op[exchange.op].append(exchange.span_id)
    found: defaultdict[str, list[AlteredAnswer]] = defaultdict(list)
    for answer in answers:
        if answer.nth is not None:
            for op in named(answer.operation, sorted(by_op)):
                if answer.nth <= len(by_op[op]):
                    found[by_op[op][answer.nth - 1]].append(answer)
    return found


def _status(status: str, told: dict[str, Any]) -> dict[str, Any]:
    """An answer that ends otherwise: by another HTTP status, by an error, or never."""
    if status == OK and not told.get("error"):
        return told
    after_ns = told.get("after_ns")
    if status == TIMEOUT:
        return {"status": NO_ANSWER, "after_ns": None}
    if status == OK or status.isdecimal():
        number = 200 if status == OK else int(status)
        headers = {"content-type": "application/json"}
        return {
            "status": number, "headers": headers, "body": {"text": "{}"}, "after_ns": after_ns or 0,
        }  # fmt: skip
    return {"error": status, "after_ns": after_ns or 0}


def _with(exchange: Exchange, told: Mapping[str, Any], changed: Mapping[str, Scalar]) -> str:
    """A JSON body with some of its values changed."""
    text = (told.get("body") or {}).get("text") or "{}"
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict | list):
        raise DataError(f"{exchange.op}: its answer is no JSON document, so it has no fields")
    for path, value in changed.items():
        if not _put(document, path, value):
            raise DataError(f"{exchange.op}: its answer has no place for {path!r}")
    return json.dumps(document)


def _put(document: Any, path: str, value: Scalar) -> bool:
    """Set one value; objects on the way are made, elements of lists are not."""
    parts = _PART.findall(path)
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(document, list):
            if not part.isdecimal() or int(part) >= len(document):
                return False
            key: Any = int(part)
        elif isinstance(document, dict):
            key = part
        else:
            return False
        if after is None:
            document[key] = value
        elif isinstance(document, dict) and not isinstance(document.get(key), dict | list):
            document[key] = {}
        document = document[key]
    return bool(parts)
