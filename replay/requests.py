"""HTTP requests matched against the recorded ones of a flow.

In: method, host, path, query, headers and body of a request somebody makes. Out: the exchange it
repeats, on which rung, or the nearest ones. Attempts of one logical call are taken one by one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import msgspec

from replay.exchange import Exchange, hosts_of
from replay.ladder import Entry, Ladder, Match
from replay.leaves import Leaves, Scalar, flatten
from replay.noise import Noise
from store.model import JsonValue

BODY_BYTES_MAX = 4_000_000
_SEGMENT = re.compile(r"[^/]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it arrives. `callee` is whom it is meant for."""

    callee: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The exchange a request repeats, None when there is none, how it was found, what was asked."""

    exchange: Exchange | None
    match: Match
    leaves: Leaves


class Requests:
    """The exchanges of one flow, for any number of sessions."""

    def __init__(self, exchanges: Sequence[Exchange], noise: Noise, given: JsonValue) -> None:
        self.exchanges = tuple(exchanges)
        self.hosts = hosts_of(exchanges)
        self.numbers = {it.span_id: number for number, it in enumerate(self.exchanges)}
        self.leaves = [_leaves_of(it) for it in exchanges]
        self.said: dict[tuple[str, bytes], Leaves] = {
            (it.query, (it.request_body or "").encode()): leaves
            for it, leaves in zip(exchanges, self.leaves, strict=True)
        }
        self.ladder = Ladder(
            [
                Entry(
                    op=_op(it.callee, it.method, it.path),
                    key="",
                    request=leaves,
                    answer=_answer_of(it),
                    label=f"{it.method} {it.callee}{it.target}",
                )
                for it, leaves in zip(exchanges, self.leaves, strict=True)
            ],
            noise,
            flatten(given),
        )
        self.ops = frozenset(entry.op for entry in self.ladder.entries)

    def find(self, request: Request, session: str = "") -> Answered:
        """Find and take the exchange a request repeats."""
        leaves = self.said.get((request.query, request.body))
        if leaves is None:
            leaves = leaves_of(request.query, request.body)
        op = _op(request.callee, request.method, request.path)
        if op not in self.ops:
            op = self._like(request) or op
        match = self.ladder.find(op, "", leaves, session)
        if match.number is None:
            return Answered(exchange=None, match=match, leaves=leaves)
        exchange = self.exchanges[match.number]
        return Answered(exchange=exchange, match=self._sure(match, session), leaves=leaves)

    def first_alike(self) -> list[int]:
        """For each exchange the number of the first whose request says the same."""
        alike = self.ladder.by_exact.values()
        first = {number: numbers[0] for numbers in alike for number in numbers}
        return [first[number] for number in range(len(self.exchanges))]

    def recorded(self, exchange: Exchange) -> Leaves:
        """What a recorded request says."""
        return self.leaves[self.numbers[exchange.span_id]]

    def served(self, exchange: Exchange, body: bytes, session: str = "") -> None:
        """Tell what a session got as the body of an exchange, where it is not what was recorded:
        requests that carry it on are known again."""
        self.ladder.answered(self.numbers[exchange.span_id], _body(body), session)

    def _sure(self, match: Match, session: str) -> Match:
        """Attempts of one call repeat a request and differ in answer: their order decides."""
        assert match.number is not None
        if not match.ambiguous or match.rung == "structural":
            return match
        mine = self.exchanges[match.number].step_id
        op, leaves = self.ladder.entries[match.number].op, self.leaves[match.number]
        rivals = {
            it.step_id
            for it, entry, other in zip(
                self.exchanges, self.ladder.entries, self.leaves, strict=True
            )
            if entry.op == op and other == leaves
        }
        if rivals == {mine}:
            return Match(number=match.number, rung=match.rung, near=match.near)
        return match

    def _like(self, request: Request) -> str | None:
        """The recorded operation of that callee and method whose path differs in ids alone."""
        shape = _SEGMENT.findall(request.path)
        for op in sorted(self.ops):
            callee, method, path = op.split(" ", 2)
            segments = _SEGMENT.findall(path)
            if (callee, method) != (request.callee, request.method):
                continue
            if len(segments) == len(shape) and all(
                ours == theirs or (_is_id(ours) and _is_id(theirs))
                for ours, theirs in zip(segments, shape, strict=True)
            ):
                return op
        return None

    def unread(self, session: str = "") -> list[Exchange]:
        """What was recorded and nobody asked for."""
        return [self.exchanges[number] for number in self.ladder.unread(session)]


def _op(callee: str, method: str, path: str) -> str:
    return f"{callee} {method} {path}"


def _is_id(segment: str) -> bool:
    return any(letter.isdigit() for letter in segment)


def _leaves_of(exchange: Exchange) -> dict[str, Scalar]:
    return leaves_of(exchange.query, (exchange.request_body or "").encode())


def leaves_of(query: str, body: bytes) -> dict[str, Scalar]:
    """What a request says: `query.NAME` and the body's leaves, or the body as text."""
    if not query:
        return _body(body)
    found: dict[str, Scalar] = {
        f"query.{name}": value
        for name, value in sorted(parse_qsl(query, keep_blank_values=True, max_num_fields=1_000))
    }
    return {**found, **_body(body)}


def _body(body: bytes) -> dict[str, Scalar]:
    if not body or len(body) > BODY_BYTES_MAX:
        return {"body": f"{len(body)} bytes"} if body else {}
    try:
        parsed = _parsed(body)
    except (ValueError, RecursionError):
        return {"body": body.decode("utf-8", "replace")}
    return flatten(parsed)


def _parsed(body: bytes) -> JsonValue:
    try:
        fast: JsonValue = msgspec.json.decode(body)
        return fast
    except ValueError:
        slow: JsonValue = json.loads(body)  # it takes lone surrogates and huge numbers
        return slow


def _answer_of(exchange: Exchange) -> Leaves:
    answer: dict[str, Scalar] = {"~status": exchange.status, "~error": exchange.error}
    return {**answer, **_body((exchange.response_body or "").encode())}
