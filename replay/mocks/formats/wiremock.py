"""Stub mappings of WireMock, as its `/__admin/mappings/import` and `mappings/` folder take them.

Equal requests with several answers become a scenario, one state after the other. A connection that
failed is a fault; a request that had timed out is answered after longer than its caller waited.
"""

import json
from collections import defaultdict
from collections.abc import Sequence

from replay.exchange import Exchange
from replay.mocks.mock import Mock, response_headers
from store.model import JsonValue

STARTED = "Started"
PATIENCE = 2
NS_PER_MS = 1_000_000


def _write(exchanges: Sequence[Exchange], origin_ns: int) -> tuple[str, Sequence[str]]:
    del origin_ns
    equal: defaultdict[tuple[str, ...], list[Exchange]] = defaultdict(list)
    for it in exchanges:
        equal[it.callee, it.method, it.target, it.request_body or ""].append(it)
    mappings: list[JsonValue] = []
    for number, same in enumerate(equal.values(), 1):
        for at, exchange in enumerate(same):
            mapping: dict[str, JsonValue] = {
                "name": f"{exchange.method} {exchange.callee}{exchange.target} {at + 1}",
                "request": _request(exchange),
                "response": _response(exchange),
                "priority": 5,
            }
            if len(same) > 1:
                mapping |= _state(number, at, len(same))
            mappings.append(mapping)
    document = {"mappings": mappings, "meta": {"total": len(mappings)}}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n", ()


def _request(exchange: Exchange) -> dict[str, JsonValue]:
    """Host, method, URL, and the body: as JSON where it is some."""
    found: dict[str, JsonValue] = {
        "method": exchange.method,
        "url": exchange.target,
        "host": {"equalTo": exchange.host.partition(":")[0]},
    }
    body = exchange.request_body
    if body:
        form = "equalToJson" if _is_json(body) else "equalTo"
        found["bodyPatterns"] = [{form: body}]
    return found


def _response(exchange: Exchange) -> dict[str, JsonValue]:
    waited_ms = -(-exchange.answer_after_ns // NS_PER_MS)
    if exchange.error is not None and "time" in exchange.error.lower():
        return {"status": 504, "fixedDelayMilliseconds": waited_ms * PATIENCE}
    if exchange.error is not None or exchange.status is None:
        return {"fault": "CONNECTION_RESET_BY_PEER"}
    return {
        "status": exchange.status,
        "headers": dict(response_headers(exchange)),
        "body": exchange.response_body or "",
        "fixedDelayMilliseconds": waited_ms,
    }


def _state(number: int, at: int, count: int) -> dict[str, JsonValue]:
    states = [STARTED, *(f"answered {after}" for after in range(1, count))]
    found: dict[str, JsonValue] = {
        "scenarioName": f"equal requests {number}",
        "requiredScenarioState": states[at],
    }
    return found if at + 1 == count else {**found, "newScenarioState": states[at + 1]}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


MOCK = Mock(name="wiremock", title="WireMock mappings", write=_write)
