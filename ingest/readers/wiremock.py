"""Stub mappings of WireMock: a file of `/__admin/mappings`, a recorded one, or one of `mappings/`.

A stub is read as the request it was recorded from. One that matches by a pattern stands for no
single request, and one that computes its answer holds none: they are refused by name.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, TypeAlias
from urllib.parse import quote

from ingest.cassettes import MILLISECOND, Played, as_spans
from ingest.exchange import Exchange, from_base64, text_of
from ingest.jsonstream import Grammar, decode_plain, documents
from ingest.limits import Limits, excerpt_of
from ingest.reader import Item
from ingest.span_draft import json_text
from store.model import Rejected

Object: TypeAlias = dict[str, object]

STARTED = "Started"
DELAY_MS_MAX = 10**9
_URL = re.compile(rb'"url(?:Path)?(?:Pattern|Template)?"\s*:')
# No more than a query needs: what is quoted cannot be searched for secrets.
_QUOTED = str.maketrans({letter: quote(letter) for letter in "%&+#="})
_LIST = re.compile(rb'\A\s*\{\s*(?:"meta"\s*:\s*\{[^{}]*\}\s*,\s*)?"mappings"\s*:\s*\[')
_ALONE = re.compile(
    rb'\A\s*\{(?:\s*"\w+"\s*:\s*(?:"[^"]*"|[\w.]+)\s*,)*\s*"request"\s*:\s*\{(?!\s*"uri")'
)


class BadStubError(ValueError):
    """Raised when a stub stands for no recorded request; the message is the reason."""


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_document(value: object) -> bool:
    return isinstance(value, dict) and ("mappings" in value or "request" in value)


class WireMockReader:
    """Reads stubs as calls in a made-up order, and says so; states of a scenario in theirs."""

    name = "wiremock"

    def sniff(self, head: bytes) -> bool:
        """Claimed by the list of mappings, or by one whose request has a URL to match."""
        if b"\0" in head or _URL.search(head) is None:
            return False
        return _LIST.search(head) is not None or _ALONE.search(head) is not None

    def read(self, stream: BinaryIO, limits: Limits) -> Iterator[Item]:
        """The spans of each document."""
        for found in documents(stream, limits, Grammar(decode_plain, _is_document)):
            if isinstance(found, Rejected):
                yield found
                continue
            value, place = _object(found.value), f"line {found.line}"
            stubs = value.get("mappings", [value])
            if not isinstance(stubs, list):
                yield Rejected(record=place, reason="no stub mappings: mappings is no list")
                continue
            read: list[Played] = []
            for index, stub in _in_order(stubs):
                try:
                    read.append(Played(index=index, exchange=_exchange(stub, limits)))
                except BadStubError as error:
                    began = json_text(stub)[:200].encode("utf-8", "replace")
                    record = f"{place} mappings[{index}]"
                    yield Rejected(record=record, reason=str(error), excerpt=excerpt_of(began))
            yield from as_spans(read, limits, source="wiremock", name="stub mappings")


def _in_order(stubs: list[object]) -> list[tuple[int, object]]:
    """Stubs as they stand; those of a scenario state by state, where its first one stands."""
    first: dict[str, int] = {}
    follows: dict[tuple[str, str], str] = {}
    for index, (scenario, state, after) in enumerate(map(_state, stubs)):
        if scenario:
            first.setdefault(scenario, index)
            follows.setdefault((scenario, state), after)
    ranks: dict[tuple[str, str], int] = {}
    for scenario in first:
        state = STARTED
        while (scenario, state) in follows and (scenario, state) not in ranks:
            ranks[scenario, state] = len(ranks)
            state = follows[scenario, state]

    def place(found: tuple[int, object]) -> tuple[int, int, int]:
        scenario, state, _ = _state(found[1])
        return first.get(scenario, found[0]), ranks.get((scenario, state), len(stubs)), found[0]

    return sorted(enumerate(stubs), key=place)


def _state(stub: object) -> tuple[str, str, str]:
    """The scenario of a stub, the state it needs, and the one it leads to; "" for none."""
    names = ("scenarioName", "requiredScenarioState", "newScenarioState")
    scenario, state, after = (str(_object(stub).get(name) or "") for name in names)
    return scenario, state or STARTED, after


def _exchange(stub: object, limits: Limits) -> Exchange:
    request, response = (
        _object(_object(stub).get("request")),
        _object(_object(stub).get("response")),
    )
    if not request or not response:
        raise BadStubError("the stub has no request or no response")
    if "proxyBaseUrl" in response or "response-template" in _list(response.get("transformers")):
        raise BadStubError("the answer is computed, not recorded")
    method = request.get("method")
    if not isinstance(method, str) or method == "ANY":
        raise BadStubError("the stub matches any method")
    asked = [
        (str(name), value)
        for name, matcher in _object(request.get("headers")).items()
        if isinstance(value := _object(matcher).get("equalTo"), str)
    ]
    answered = [
        (str(name), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in _object(response.get("headers")).items()
    ]
    fault, status = response.get("fault"), response.get("status", 200)
    delay_ms = response.get("fixedDelayMilliseconds")
    known = type(delay_ms) is int and 0 <= delay_ms <= DELAY_MS_MAX
    return Exchange(
        method=method,
        url=_url(request),
        status=status if type(status) is int and 0 < status < 1000 and fault is None else None,
        request_headers=asked,
        response_headers=answered,
        request_body=_asked_body(request),
        response_body=_answered_body(response, answered, limits),
        error=fault if isinstance(fault, str) else "",
        took_ns=delay_ms * MILLISECOND if known and type(delay_ms) is int else 0,
    )


def _url(request: Object) -> str:
    target = request.get("url", request.get("urlPath"))
    if not isinstance(target, str):
        raise BadStubError("the stub matches URLs by a pattern")
    pairs = []
    for name, matcher in _object(request.get("queryParameters")).items():
        value = _object(matcher).get("equalTo")
        if not isinstance(value, str):
            raise BadStubError(f"the stub matches the parameter {name} by a pattern")
        pairs.append(f"{str(name).translate(_QUOTED)}={value.translate(_QUOTED)}")
    if pairs:
        target += ("&" if "?" in target else "?") + "&".join(pairs)
    host = _object(request.get("host")).get("equalTo")
    port = f":{request['port']}" if type(request.get("port")) is int else ""
    scheme = request.get("scheme") if request.get("scheme") in ("http", "https") else "http"
    return f"{scheme}://{host}{port}{target}" if isinstance(host, str) and host else target


def _asked_body(request: Object) -> str | None:
    """The body a stub asks for whole; None where it asks for a part of it, or for none."""
    for matcher in map(_object, _list(request.get("bodyPatterns"))):
        for name in ("equalToJson", "equalTo", "equalToXml"):
            if name in matcher:
                value = matcher[name]
                return value if isinstance(value, str) else json_text(value)
    return None


def _answered_body(response: Object, headers: list[tuple[str, str]], limits: Limits) -> str | None:
    if isinstance(response.get("body"), str):
        return str(response["body"]) or None
    if "jsonBody" in response:
        return json_text(response["jsonBody"])
    if isinstance(response.get("base64Body"), str):
        return text_of(from_base64(str(response["base64Body"])), headers, limits)
    return None


READER = WireMockReader()
