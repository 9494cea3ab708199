"""The sample services behave as their recordings' stories say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import pytest

from sample_traces.services.breaker import OPEN_S, WINDOW_CALLS, Breaker
from sample_traces.services.faults import Plan, load_plan
from sample_traces.services.once import Execution, Once
from sample_traces.services.payment.gateway import Gateway
from sample_traces.services.payment.orders import order
from sample_traces.services.payment.truth import FlowTruth, breaks_s4
from sample_traces.services.plain import strip
from sample_traces.services.policy import load_policy
from sample_traces.services.saga_truth import breaks_s1, breaks_s3
from sample_traces.services.sink import hex_ids
from sample_traces.services.web import Answer, Json
from tests.sample_traces.surroundings import host, request


def charge_body(plan: Plan, *, declined: bool = False) -> Json:
    """The charge of the first healthy order whose card is or is not declined."""
    for index in range(plan.flows):
        refused = plan.draw("decline", index) < plan.shares["decline"]
        busy = plan.fate("gateway-eu", "POST /charges", index, 1).error_status is not None
        if refused == declined and not busy:
            placed = order(plan, index)
            names = ("order_id", "amount", "currency")
            return {name: placed[name] for name in names}
    raise AssertionError("the plan has no such order")


def test_gateway_charges_once_for_one_key() -> None:
    """In one process; the recordings show it over HTTP."""
    plan = load_plan("payment-healthy")
    surroundings = host(plan, "gateway-eu")
    gateway, body = Gateway(surroundings), charge_body(plan)
    first = gateway.charge(request(body, "key-a"))
    again = gateway.charge(request(body, "key-a"))
    other = gateway.charge(request(body, "key-b"))
    assert (first.status, again.body) == (201, first.body)
    assert first.effect and not again.effect
    assert other.body["charge_id"] != first.body["charge_id"]
    assert len(surroundings.book.page("charges")) == 2


def test_resolved_charge_never_takes_effect_later() -> None:
    """The race inside the gateway is closed by one lock, which this cannot show."""
    plan = load_plan("payment-healthy")
    surroundings = host(plan, "gateway-eu")
    gateway, body = Gateway(surroundings), charge_body(plan)
    resolve = {"order_id": body["order_id"], "idempotency_key": "key-a"}
    late = threading.Thread(target=gateway.charge, args=(request(body, "key-a"),))
    late.start()
    time.sleep(0.01)
    assert gateway.resolve(request(resolve, None)).body["status"] == "cancelled"
    late.join()
    assert surroundings.book.page("charges") == []


def test_resolving_a_made_charge_confirms_it() -> None:
    """Covers the gateway only, not what the orchestrator makes of it."""
    plan = load_plan("payment-healthy")
    gateway, body = Gateway(host(plan, "gateway-eu")), charge_body(plan)
    made = gateway.charge(request(body, "key-a"))
    resolve = {"order_id": body["order_id"], "idempotency_key": "key-a"}
    assert gateway.resolve(request(resolve, None)).body == made.body


def test_declined_card_is_declined_for_every_key() -> None:
    """The decline depends on the order, not on the attempt."""
    plan = load_plan("payment-healthy")
    gateway, body = Gateway(host(plan, "gateway-eu")), charge_body(plan, declined=True)
    assert [gateway.charge(request(body, key)).status for key in ("a", "b")] == [402, 402]


def test_failed_execution_frees_its_key() -> None:
    """A 5xx had no effect, so a retry with the same key must run."""
    once, answers = Once(), [Answer(status=503, body={}), Answer(status=201, body={})]

    def work(_: Execution) -> Answer:
        return answers.pop(0)

    assert [once.run("key", work).status for _ in range(3)] == [503, 201, 201]


def test_breaker_opens_on_failures_and_closes_after_a_good_probe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a clock of its own; nothing is said about how late it opens in a recording."""
    now = [0.0]
    monkeypatch.setattr("sample_traces.services.breaker.time.monotonic", lambda: now[0])
    breaker = Breaker()
    states = [breaker.record(False, breaker.admit()[1]) for _ in range(WINDOW_CALLS)]
    assert states[-1] == "open" and set(states[:-1]) == {None}
    assert breaker.admit() == (False, "open")
    now[0] += OPEN_S
    assert breaker.admit() == (True, "half_open")
    assert breaker.admit() == (False, "open"), "one probe at a time"
    assert breaker.record(True, "half_open") == "closed"
    assert breaker.admit() == (True, "closed")


@pytest.mark.parametrize("name", ["payment-healthy", "payment-brownout"])
def test_fault_plan_is_the_same_whenever_it_is_read(name: str) -> None:
    """The recordings still differ in timing: sleeps and breakers live on the real clock."""

    def fates(plan: Plan) -> list[object]:
        where = [tuple(window.split(" ", 1)) for window in plan.latency_ms]
        return [
            plan.fate(service, operation, index, nth)
            for service, operation in where
            for index in range(0, plan.flows, 37)
            for nth in (1, 2)
        ]

    first, second = load_plan(name), load_plan(name)
    assert fates(first) == fates(second)
    assert [order(first, n) for n in range(50)] == [order(second, n) for n in range(50)]
    assert {first.release("orchestrator", n).version for n in range(first.flows)} <= {
        "2.3.0",
        "2.4.0",
        "2.4.1",
    }


def test_policy_v7_lets_low_confidence_pass_and_the_others_do_not() -> None:
    """Approvals only: v7 kept the rule for rejections."""
    judged = {
        v: load_policy("payment", v).judge("approve", 0.62).outcome for v in ("v6", "v7", "v8")
    }
    assert judged == {"v6": "escalate", "v7": "allow", "v8": "escalate"}


def test_stripping_drops_our_attributes_and_our_log_records() -> None:
    """Bodies are left alone."""
    ours = {"key": "retrospan.step.key", "value": {"stringValue": "x"}}
    theirs = {"key": "http.request.method", "value": {"stringValue": "POST"}}
    document = {
        "spans": [{"attributes": [ours, theirs]}],
        "logRecords": [{"eventName": "retrospan.effect"}, {"body": {"stringValue": "kept"}}],
    }
    assert strip(document) == {
        "spans": [{"attributes": [theirs]}],
        "logRecords": [{"body": {"stringValue": "kept"}}],
    }


def test_ids_become_hex_and_values_stay() -> None:
    """Only the id fields are base64 in protobuf's JSON."""
    assert hex_ids({"spanId": "AQIDBAUGBwg=", "name": "AQID"}) == {
        "spanId": "0102030405060708",
        "name": "AQID",
    }


def flow(steps: list[Json], compensations: list[Json], refunds: Iterable[Json] = ()) -> FlowTruth:
    """An aborted flow with these entries in the books."""
    journal = {"output": {"status": "failed"}, "steps": steps, "compensations": compensations}
    return FlowTruth(flow_id="order-000001", journal=journal, refunds=list(refunds))


def step(name: str, ref: str, start: int, end: int) -> Json:
    """A completed step."""
    return {"step": name, "ref": ref, "started_ns": start, "ended_ns": end, "ok": True}


def undo(ref: str, start: int) -> Json:
    """A completed compensation."""
    return {"key": ref, "started_ns": start, "ok": True}


def test_truth_sees_a_step_that_was_never_undone() -> None:
    """One of the book-keeping rules; the others are alike."""
    steps = [step("reserve-stock", "rsv", 0, 1), step("charge-eu", "ch", 2, 3)]
    assert breaks_s1(flow(steps, [undo("ch", 4)]))
    assert not breaks_s1(flow(steps, [undo("ch", 4), undo("rsv", 5)]))


def test_truth_lets_parallel_steps_be_undone_in_any_order() -> None:
    """Order counts only between steps of which one ended before the other began."""
    parallel = [step("reserve-stock", "a", 0, 5), step("reserve-stock", "b", 1, 4)]
    serial = [step("reserve-stock", "a", 0, 1), step("charge-us", "b", 2, 3)]
    undone = [undo("a", 6), undo("b", 7)]
    assert not breaks_s3(flow(parallel, undone))
    assert breaks_s3(flow(serial, undone))


def test_truth_counts_effective_refunds_per_charge() -> None:
    """Repeats of one key make no second entry in a gateway's book."""
    refund = {"charge_id": "ch", "refund_id": "re"}
    assert breaks_s4(flow([], [], refunds=[refund, refund]))
    assert not breaks_s4(flow([], [], refunds=[refund, {**refund, "charge_id": "other"}]))
