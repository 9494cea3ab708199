"""Two flow kinds: a payment saga, and an insurance claim that polls for a review."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from store.conclusions import Flow
from tests.replay.worlds import (
    EPOCH_NS,
    MS,
    Abort,
    Answering,
    Body,
    Engine,
    Reply,
    Task,
    attempt_until,
    dice,
    flow_of,
    must,
)

RESERVE = ("stock", "POST /reservations")
RELEASE = ("stock", "DELETE /reservations/{id}")
SCORE = ("risk", "POST /score")
GATE = ("", "risk-limit")
CHARGE_EU = ("gateway-eu", "POST /charges")
CHARGE_US = ("gateway-us", "POST /charges")
REFUND_EU = ("gateway-eu", "POST /refunds")
REFUND_US = ("gateway-us", "POST /refunds")
SHIP = ("shipping", "POST /shipments")
NOTIFY = ("mail", "POST /messages")

THRESHOLD = 0.8
_FAILOVER_ON = ("timeout", "503", "breaker_open")


def payment(
    engine: Engine,
    given: Body,
    version: str = "1",
    threshold: float = THRESHOLD,
    attempts: int = 3,
) -> Task:
    """Reserve all items and score the risk at once, gate, charge with failover, ship, tell."""
    undo: list[tuple[tuple[str, str], str, Body, tuple[tuple[str, str], str]]] = []
    order = given["order_id"]

    def reserve(item: Body) -> Task:
        reply = yield from must(
            attempt_until(
                engine, RESERVE, item["sku"], {"sku": item["sku"], "qty": item["qty"]},
                times=3, base_ms=50, jitter=0.2,
            )
        )  # fmt: skip
        body = {"reservation": reply.body["reservation"]}
        undo.append((RELEASE, reply.body["reservation"], body, (RESERVE, item["sku"])))
        return reply

    def charge(op: tuple[str, str], refund: tuple[str, str], times: int) -> Task:
        nonce = f"{dice('nonce', order, op).getrandbits(64):016x}"
        request = {"order": order, "amount": given["amount"], "nonce": nonce}
        reply = yield from attempt_until(
            engine, op, f"{order}/charge", request, times=times, base_ms=200, jitter=0.3,
            declared_times=times,
        )  # fmt: skip
        if reply.status == "ok":
            body = {"charge": reply.body["charge_id"]}
            undo.append((refund, f"{order}/refund", body, (op, f"{order}/charge")))
        return reply

    try:
        scoring = must(attempt_until(engine, SCORE, "", {"customer": given["customer"]}))
        replies = yield ("all", [*(reserve(item) for item in given["items"]), scoring])
        score = replies[-1].body["score"]
        allowed = "allow" if score < threshold else "deny"
        verdict = {"confidence": score, "threshold": threshold, "outcome": allowed}
        local = Reply(status="ok", latency=20_000, body=verdict)
        yield ("call", GATE, "", {"confidence": score}, {"local": local})
        if allowed == "deny":
            raise Abort("denied")
        paid = yield from charge(CHARGE_EU, REFUND_EU, attempts)
        if paid.status in _FAILOVER_ON and given["region"] != "eu-only":
            paid = yield from charge(CHARGE_US, REFUND_US, 2)
        if paid.status != "ok":
            raise Abort(paid.status)
        body = {"order": order, "charge": paid.body["charge_id"]}
        yield from must(attempt_until(engine, SHIP, "", body, times=2, base_ms=100))
        yield from attempt_until(
            engine, NOTIFY, "", {"to": given["customer"]}, times=2, base_ms=300
        )
        return "succeeded", {"order": order, "charge": paid.body["charge_id"]}
    except Abort:
        return (yield from _undo(engine, undo, version))


def _undo(engine: Engine, undo: list[Any], version: str) -> Task:
    """Undo last first (version 1) or first first (version 2); stop at the first failure."""
    done = 0
    for op, key, request, undone in undo if version == "2" else list(reversed(undo)):
        reply = yield from attempt_until(
            engine, op, key, request, times=2, base_ms=80, undoes=undone
        )
        if reply.status != "ok":
            return "partially_compensated" if done else "compensation_failed", None
        done += 1
    return "compensated" if done else "failed", None


_TRANSIENT = {RESERVE: 0.05, CHARGE_EU: 0.3, CHARGE_US: 0.2, SHIP: 0.08, NOTIFY: 0.1,
              RELEASE: 0.1, REFUND_EU: 0.15, REFUND_US: 0.1}  # fmt: skip
_FINAL = {RESERVE: 0.03, CHARGE_EU: 0.05, CHARGE_US: 0.03, SHIP: 0.05, NOTIFY: 0.02}
_LATENCY_MS = {SCORE: 300, CHARGE_EU: 150, CHARGE_US: 220}


def payment_world(seed: object, index: int) -> Answering:
    """Give the callees of one payment."""

    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        roll = dice("answer", seed, index, op, key, number)
        sick = dice("sick", seed, index, op).random() < 0.12 and op in _TRANSIENT
        latency = int(_LATENCY_MS.get(op, 60) * MS * roll.lognormvariate(0, 0.4))
        if op == CHARGE_EU and dice("breaker", seed, index).random() < 0.08:
            return Reply(status="breaker_open", latency=30_000, breaker="open")
        if roll.random() < (0.85 if sick else _TRANSIENT.get(op, 0.0)):
            if roll.random() < 0.4:
                true = int(2_000 * MS * (1 + roll.random()))
                known = true if roll.random() < 0.5 else None
                return Reply(status="timeout", latency=2_000 * MS, true_ns=known)
            return Reply(status="503", latency=latency // 3, breaker="closed")
        if dice("final", seed, index, op, key).random() < _FINAL.get(op, 0.01):
            refused = "402" if op in (CHARGE_EU, CHARGE_US) else "409"
            return Reply(status=refused, latency=latency, body={"reason": "refused"})
        return Reply(status="ok", latency=latency, body=_payment_body(op, key, roll))

    return answering


def _payment_body(op: tuple[str, str], key: str, roll: Any) -> Body:
    if op == SCORE:
        return {"score": round(roll.betavariate(1.2, 2.0), 4), "model": "risk-3"}
    if op == RESERVE:
        return {"reservation": f"r-{roll.randrange(10**9)}", "depot": roll.randrange(9)}
    if op in (CHARGE_EU, CHARGE_US):
        return {"charge_id": f"ch-{roll.randrange(10**9)}", "fee": roll.randrange(1, 30)}
    return {"accepted": True} if op == NOTIFY else {}


def payment_input(seed: object, index: int) -> Body:
    """Give the order of one payment."""
    roll = dice("input", seed, index)
    count = roll.choice([1, 1, 2, 3])
    return {
        "order_id": f"o-{seed}-{index}",
        "customer": f"c-{roll.randrange(10**6)}",
        "amount": roll.randrange(500, 90_000),
        "region": roll.choice(["any", "any", "any", "eu-only"]),
        "items": [{"sku": f"s-{index}-{n}", "qty": roll.randrange(1, 4)} for n in range(count)],
    }


CLASSIFY = ("model", "POST /classify")
OPEN_REVIEW = ("reviews", "POST /reviews")
POLL = ("reviews", "GET /reviews/{id}")
PAYOUT = ("bank", "POST /transfers")
DENY = ("mail", "POST /denials")
TICKET = ("desk", "POST /tickets")


def claims(engine: Engine, given: Body, version: str = "1") -> Task:
    """Classify, let a person look when unsure (polling), then pay or deny."""
    claim = given["claim_id"]
    try:
        told = yield from must(
            attempt_until(engine, CLASSIFY, "", {"claim": claim}, times=3, base_ms=500, factor=1.0)
        )
        verdict = told.body["label"]
        if told.body["confidence"] < 0.7:
            opened = yield from must(attempt_until(engine, OPEN_REVIEW, "", {"claim": claim}))
            request = {"review": opened.body["review_id"]}
            looked = None
            for _ in range(8):
                looked = yield ("call", POLL, opened.body["review_id"], request, {})
                if looked.body.get("state") == "done":
                    break
                yield ("sleep", 5_000 * MS)
            if looked is None or looked.body.get("state") != "done":
                raise Abort("late")
            verdict = looked.body["verdict"]
        if verdict == "approve":
            body = {"claim": claim, "amount": given["amount"]}
            yield from must(
                attempt_until(engine, PAYOUT, claim, body, times=4, base_ms=1_000, factor=3.0,
                              jitter=0.1)
            )  # fmt: skip
        else:
            yield from must(attempt_until(engine, DENY, "", {"claim": claim}))
        return "succeeded", {"verdict": verdict}
    except Abort:
        yield from attempt_until(engine, TICKET, "", {"claim": claim})
        return "failed", None


def claims_world(seed: object, index: int) -> Answering:
    """Give the callees of one claim."""

    def answering(op: tuple[str, str], key: str, number: int) -> Reply:
        roll = dice("answer", seed, index, op, key, number)
        latency = int(120 * MS * roll.lognormvariate(0, 0.4))
        if roll.random() < {CLASSIFY: 0.12, PAYOUT: 0.3, DENY: 0.05}.get(op, 0.0):
            return Reply(status="503", latency=latency // 3)
        body: Body = {}
        if op == CLASSIFY:
            body = {
                "label": "approve" if roll.random() < 0.7 else "deny",
                "confidence": round(roll.betavariate(5, 1.8), 4),
            }
        elif op == OPEN_REVIEW:
            body = {"review_id": f"rv-{roll.randrange(10**9)}"}
        elif op == POLL and roll.random() < 0.3:
            body = {"state": "done", "verdict": "approve" if roll.random() < 0.5 else "deny"}
        elif op == POLL:
            body = {"state": "pending"}
        return Reply(status="ok", latency=latency, body=body)

    return answering


def claims_input(seed: object, index: int) -> Body:
    """Give one claim."""
    roll = dice("input", seed, index)
    return {"claim_id": f"k-{seed}-{index}", "amount": roll.randrange(100, 5_000),
            "age": roll.randrange(18, 90)}  # fmt: skip


Program = Callable[..., Task]
Kind: TypeAlias = tuple[Program, Callable[..., Answering], Callable[..., Body]]
KINDS: dict[str, Kind] = {
    "payment": (payment, payment_world, payment_input),
    "claims": (claims, claims_world, claims_input),
}


def true_flow(
    kind: str,
    index: int,
    *,
    seed: object = 1,
    version: str = "1",
    answering: Answering | None = None,
    kinds: Mapping[str, Kind] = KINDS,
    **options: Any,
) -> Flow:
    """Run the true program once; other answers or settings make a counterfactual truth."""
    program, world, make_input = kinds[kind]
    given = make_input(seed, index)
    engine = Engine(answering or world(seed, index), (kind, seed, index))
    (outcome, output), end = engine.run(_ending(program(engine, given, version, **options)))
    return flow_of(
        engine.calls, flow_id=f"{kind}-{seed}-{version}-{index}", name=kind, version=version,
        service="orchestrator", given=given, output=output, outcome=outcome,
        end=end + 3 * MS, origin=EPOCH_NS + index * 10**9,
    )  # fmt: skip


def _ending(task: Task) -> Task:
    """What a program does not catch fails its flow."""
    try:
        return (yield from task)
    except Abort:
        return "failed", None


def true_flows(kind: str, count: int, **options: Any) -> list[Flow]:
    """Run the true program often."""
    return [true_flow(kind, index, **options) for index in range(count)]
