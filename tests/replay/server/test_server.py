"""The mock server on loopback: right answers, honest refusals, nothing passed on."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import pytest

from replay.requests import Requests
from replay.server.server import MockServer, ServerSettings
from replay.server.sessions import Clock
from store.errors import UsageError
from tests.replay.server.recorded import Got, ask, exchange, requests

Scenario = Callable[[MockServer], Awaitable[None]]
ORDER = '{"order_id": "o-1", "amount": "12.50"}'


def served(
    scenario: Scenario,
    *flows: Requests,
    traces: dict[str, str] | None = None,
    clock: str = "instant",
    port_per_callee: bool = False,
) -> dict[str, Any]:
    """Run a scenario against a server of its own; gives the report."""

    async def run() -> dict[str, Any]:
        named = {f"flow-{at}": flow for at, flow in enumerate(flows, 1)}
        settings = ServerSettings(clock=Clock.of(clock), port_per_callee=port_per_callee)
        async with MockServer(named, traces or {}, settings) as server:
            await scenario(server)
            return dict(server.report())

    return asyncio.run(run())


def document(got: Got | None) -> Any:
    assert got is not None
    return json.loads(got.body)


def test_a_recorded_request_gets_its_answer_and_says_on_which_rung() -> None:
    async def scenario(server: MockServer) -> None:
        got = await ask(server.port, "/charges", ORDER)
        assert got is not None
        assert (got.status, got.body) == (201, b'{"charge_id":"ch-1"}')
        assert got.headers["x-replay-rung"] == "exact"
        assert got.headers["content-type"] == "application/json"

    flow = requests(exchange(1, "/charges", '{"charge_id":"ch-1"}', request=ORDER, status=201))
    report = served(scenario, flow)
    (session,) = report["sessions"]
    assert session["faithful"] is True
    assert session["answers"] == {"exact": 1}


def test_attempts_of_one_call_come_in_their_order_and_are_no_ambiguity() -> None:
    async def scenario(server: MockServer) -> None:
        first = await ask(server.port, "/charges", ORDER)
        second = await ask(server.port, "/charges", ORDER)
        assert first is not None
        assert second is not None
        assert (first.status, second.status) == (503, 201)

    flow = requests(
        exchange(1, "/charges", status=503, request=ORDER, step="charge"),
        exchange(2, "/charges", status=201, request=ORDER, step="charge"),
    )
    assert served(scenario, flow)["sessions"][0]["faithful"] is True


def test_equal_requests_of_different_calls_with_different_answers_are_flagged() -> None:
    async def scenario(server: MockServer) -> None:
        await ask(server.port, "/jobs/7", method="GET")
        await ask(server.port, "/jobs/7", method="GET")

    flow = requests(
        exchange(1, "/jobs/7", '{"state":"running"}', method="GET"),
        exchange(2, "/jobs/7", '{"state":"done"}', method="GET"),
    )
    (session,) = served(scenario, flow)["sessions"]
    assert session["faithful"] is False
    assert len(session["ambiguous"]) == 2


def test_what_was_not_recorded_is_refused_with_the_nearest_recorded_request() -> None:
    async def scenario(server: MockServer) -> None:
        got = await ask(server.port, "/charges", '{"order_id": "o-2", "amount": "99.00", "x": 1}')
        assert got is not None
        assert got.status == 599
        assert got.headers["content-type"] == "application/problem+json"
        problem = document(got)
        (near,) = problem["nearest"]
        assert near["request"] == "POST shop/charges"
        assert {it["path"] for it in near["differences"]} == {"order_id", "amount", "x"}
        gone = document(await ask(server.port, "/refunds", ORDER))
        assert gone["nearest"] == []

    report = served(scenario, requests(exchange(1, "/charges", request=ORDER)))
    (session,) = report["sessions"]
    assert session["unmatched"] == ["POST shop/charges", "POST shop/refunds"]
    assert session["unread"] == ["POST shop/charges"]
    assert session["faithful"] is False


def test_a_request_that_had_timed_out_waits_until_its_caller_goes() -> None:
    async def scenario(server: MockServer) -> None:
        asking = asyncio.ensure_future(ask(server.port, "/charges", ORDER))
        done, _ = await asyncio.wait({asking}, timeout=0.2)
        assert not done
        asking.cancel()
        again = await ask(server.port, "/charges", ORDER)
        assert again is not None
        assert again.status == 201

    flow = requests(
        exchange(1, "/charges", None, status=None, error="timeout", request=ORDER, step="charge"),
        exchange(2, "/charges", status=201, request=ORDER, step="charge"),
    )
    assert served(scenario, flow)["sessions"][0]["faithful"] is True


def test_a_request_whose_connection_had_failed_is_dropped() -> None:
    async def scenario(server: MockServer) -> None:
        assert await ask(server.port, "/charges", ORDER) is None

    served(
        scenario,
        requests(exchange(1, "/charges", status=None, error="ConnectError", request=ORDER)),
    )


@pytest.mark.parametrize(("clock", "at_least", "at_most"), [("instant", 0, 0.15), ("0.5", 0.2, 1)])
def test_answers_take_as_long_as_the_clock_says(
    clock: str, at_least: float, at_most: float
) -> None:
    async def scenario(server: MockServer) -> None:
        started = perf_counter()
        await ask(server.port, "/charges")
        assert at_least <= perf_counter() - started <= at_most

    served(scenario, requests(exchange(1, "/charges", after_ms=400)), clock=clock)


def test_a_dependency_is_told_by_host_path_port_or_as_a_proxy() -> None:
    async def scenario(server: MockServer) -> None:
        by_host = await ask(server.port, "/a", host="shop:80")
        by_path = await ask(server.port, "/__up/bank/a", host="127.0.0.1")
        by_port = await ask(server.ports["mail"], "/a", host="127.0.0.1")
        by_proxy = await ask(server.port, "http://post/a", host="post")
        assert [document(it)["by"] for it in (by_host, by_path, by_port, by_proxy)] == [
            "shop", "bank", "mail", "post",
        ]  # fmt: skip
        nowhere = await ask(server.port, "/a", host="127.0.0.1")
        assert "bank, mail, post, shop" in document(nowhere)["detail"]
        tunnel = await ask(server.port, "shop:443", method="CONNECT")
        assert tunnel is not None
        assert tunnel.status == 501

    flow = requests(
        *(
            exchange(at, "/a", json.dumps({"by": name}), callee=name)
            for at, name in enumerate(["shop", "bank", "mail", "post"], 1)
        )
    )
    served(scenario, flow, port_per_callee=True)


def test_sessions_by_header_baggage_and_trace_do_not_disturb_each_other() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    async def scenario(server: MockServer) -> None:
        for name in ("one", "two"):
            opened = await ask(
                server.port,
                "/__replay/sessions",
                json.dumps({"flow_id": "flow-1", "session": name}),
            )
            assert opened is not None
            assert opened.status == 201
        header = {"X-Replay-Session": "one"}
        baggage = {"baggage": "user=7, replay.session=two;p=1"}
        parent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        for given in (header, baggage, parent):
            got = await ask(server.port, "/charges", ORDER, headers=given)
            assert got is not None
            assert got.status == 200
        nameless = await ask(server.port, "/charges", ORDER)
        assert "name one" in document(nameless)["detail"]
        closed = await ask(server.port, "/__replay/sessions/one", method="DELETE")
        assert document(closed)["faithful"] is True

    one = requests(exchange(1, "/charges", '{"of":1}', request=ORDER))
    two = requests(exchange(1, "/charges", '{"of":2}', request=ORDER))
    report = served(scenario, one, two, traces={trace: "flow-2"})
    assert [(it["session"], it["faithful"]) for it in report["sessions"]] == [
        ("one", True),
        ("two", True),
        ("trace-flow-2", True),
    ]


def test_a_session_opened_again_begins_anew() -> None:
    async def scenario(server: MockServer) -> None:
        for _ in range(2):
            await ask(server.port, "/__replay/sessions", '{"flow_id":"flow-1","session":"s"}')
            got = await ask(server.port, "/charges", ORDER)
            assert got is not None
            assert got.status == 200
            await ask(server.port, "/__replay/sessions/s", method="DELETE")

    report = served(scenario, requests(exchange(1, "/charges", request=ORDER)))
    assert [it["faithful"] for it in report["sessions"]] == [True, True]


def test_an_event_stream_comes_piece_by_piece() -> None:
    async def scenario(server: MockServer) -> None:
        got = await ask(server.port, "/chat")
        assert got is not None
        assert got.headers["transfer-encoding"] == "chunked"
        assert got.body.count(b"data: ") == 3
        assert got.body.endswith(b"0\r\n\r\n")

    events = "data: a\n\ndata: b\n\ndata: c\n\n"
    headers = {"content-type": "text/event-stream", "connection": "keep-alive"}
    served(scenario, requests(exchange(1, "/chat", events, headers=headers)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\x01\x02",
        b"GET / HTTP/1.1\r\n\r\n",
        b"G" * 200_000,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100,
    ],
)
def test_noise_on_the_wire_ends_only_its_own_connection(raw: bytes) -> None:
    async def scenario(server: MockServer) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(raw)
        writer.write_eof()
        await asyncio.sleep(0.05)
        writer.close()
        got = await ask(server.port, "/charges", ORDER)
        assert got is not None
        assert got.status == 200

    served(scenario, requests(exchange(1, "/charges", request=ORDER)))


def test_recorded_headers_cannot_smuggle_another_answer() -> None:
    async def scenario(server: MockServer) -> None:
        got = await ask(server.port, "/a")
        assert got is not None
        assert b"Evil" not in got.raw
        assert got.headers["content-length"] == "2"

    headers = {"x-a": "1\r\nEvil: 1", "content-length": "999", "x\r\nEvil": "2"}
    served(scenario, requests(exchange(1, "/a", headers=headers)))


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1001"])
def test_a_clock_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="clock"):
        Clock.of(text)
