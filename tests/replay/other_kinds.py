"""Eleven flow kinds written before their author had read the inference: what it never saw.

Each is a true program with the callees and the inputs it meets. Their steps have one operation
each, in the words of the trade; nothing in them was chosen to suit or to break an inference.
"""

from typing import Any

from tests.replay.kinds import Kind
from tests.replay.worlds import (
    MS,
    Abort,
    Answering,
    Body,
    Engine,
    Reply,
    Task,
    attempt_until,
    dice,
    must,
)

Op = tuple[str, str]
SECOND = 1_000 * MS


def ask(engine: Engine, op: Op, key: str = "", request: Body | None = None, **how: Any) -> Task:
    """One call without retries, whatever it answers."""
    return attempt_until(engine, op, key, request or {}, **how)


# Fan-out with a quorum: a write is committed when most replicas took it, else taken back.
WRITE, COMMIT, UNWRITE = (
    ("replica", "PUT /log"),
    ("leader", "POST /commits"),
    ("replica", "DELETE /log"),
)


def quorum(engine: Engine, given: Body, version: str = "1") -> Task:
    names = given["replicas"]
    writes = [ask(engine, WRITE, name, {"at": name, "value": given["value"]}) for name in names]
    replies = yield ("all", writes)
    took = [name for name, reply in zip(names, replies, strict=True) if reply.status == "ok"]
    if 2 * len(took) > len(names):
        yield from ask(engine, COMMIT, "", {"value": given["value"]})
        return "succeeded", {"copies": len(took)}
    yield ("all", [ask(engine, UNWRITE, name, {"at": name}, undoes=(WRITE, name)) for name in took])
    return ("compensated" if took else "failed"), None


# Hedged read: a second store is asked when the first is slow; the first answer wins.
NEAR, FAR, RENDER = ("store-near", "GET /page"), ("store-far", "GET /page"), ("web", "POST /render")


def hedge(engine: Engine, given: Body, version: str = "1") -> Task:
    page = {"page": given["page"]}
    near = yield ("start", ask(engine, NEAR, "", page))
    won = yield ("first", [near], 80 * MS)
    if won is None:
        far = yield ("start", ask(engine, FAR, "", page))
        won = yield ("first", [near, far], None)
        yield ("cancel", far if won is near else near)
    if won.value.status != "ok":
        return "failed", None
    yield from ask(engine, RENDER, "", {"text": won.value.body["text"]})
    return "succeeded", None


# A race of two suppliers from the start; the loser is called off.
QUOTE_A, QUOTE_B, BUY = ("acme", "POST /quotes"), ("bolt", "POST /quotes"), ("shop", "POST /orders")


def race(engine: Engine, given: Body, version: str = "1") -> Task:
    yield from must(ask(engine, ("shop", "GET /limits"), "", {"customer": given["customer"]}))
    wanted = {"part": given["part"]}
    rivals = []
    for op in (QUOTE_A, QUOTE_B):
        rivals.append((yield ("start", ask(engine, op, "", wanted))))
    won = yield ("first", rivals, None)
    yield ("cancel", rivals[1] if won is rivals[0] else rivals[0])
    if won.value.status != "ok":
        return "failed", None
    yield from ask(engine, BUY, "", {"quote": won.value.body["quote_id"]})
    return "succeeded", {"quote": won.value.body["quote_id"]}


# Poll until a job is done, as often as the answer says; give up and call it off after nine.
SUBMIT, STATUS, FETCH = (
    ("jobs", "POST /jobs"),
    ("jobs", "GET /jobs/{id}"),
    ("files", "GET /results"),
)
STOP = ("jobs", "DELETE /jobs/{id}")


def job(engine: Engine, given: Body, version: str = "1") -> Task:
    told = yield from attempt_until(
        engine, SUBMIT, "", {"query": given["query"]}, times=3, base_ms=200
    )
    if told.status != "ok":
        return "failed", None
    name = told.body["job_id"]
    for _ in range(9):
        yield ("sleep", told.body["retry_after_ms"] * MS)
        seen = yield ("call", STATUS, name, {"job": name}, {})
        if seen.status == "ok" and seen.body["state"] != "running":
            break
    else:
        yield from ask(engine, STOP, name, {"job": name})
        return "failed", None
    if seen.body["state"] == "broken":
        return "failed", {"why": seen.body["why"]}
    yield from must(ask(engine, FETCH, "", {"file": seen.body["file"]}))
    return "succeeded", {"file": seen.body["file"]}


# A person approves, or nobody does in four hours and somebody else is asked; then the limit moves.
HOLD, DROP = ("ledger", "POST /holds"), ("ledger", "DELETE /holds/{id}")
MAIL, HEAR, APPLY = ("mail", "POST /messages"), ("", "approval"), ("ledger", "POST /limits")


def approval(engine: Engine, given: Body, version: str = "1") -> Task:
    held = yield from must(ask(engine, HOLD, "", {"account": given["account"]}))
    said = None
    for who in ("clerk", "manager"):
        yield from ask(engine, MAIL, who, {"to": who})
        roll = dice("person", engine.seed, who)
        took = int(roll.lognormvariate(0.3, 1.2) * 3_600 * SECOND)
        answer = {"verdict": "yes" if roll.random() < 0.7 else "no", "by": who}
        limit = 4 * 3_600 * SECOND
        heard = Reply(status="ok", latency=took, body=answer)
        if took > limit:
            heard = Reply(status="timeout", latency=limit)
        reply = yield ("call", HEAR, who, {}, {"local": heard, "kind": "message"})
        if reply.status == "ok":
            said = reply.body["verdict"]
            break
    if said == "yes":
        yield from ask(engine, APPLY, "", {"account": given["account"]})
        return "succeeded", None
    hold = held.body["hold_id"]
    yield from ask(engine, DROP, hold, {"hold": hold}, undoes=(HOLD, ""))
    return "compensated", None


# A saga in a saga: the flight undoes its own legs before the trip undoes what came before.
HOTEL, NO_HOTEL = ("hotel", "POST /bookings"), ("hotel", "DELETE /bookings/{id}")
LEG, NO_LEG = ("airline", "POST /seats"), ("airline", "DELETE /seats/{id}")
CAR, NO_CAR = ("cars", "POST /rentals"), ("cars", "DELETE /rentals/{id}")
PAY = ("bank", "POST /payments")


def trip(engine: Engine, given: Body, version: str = "1") -> Task:
    undo: list[tuple[Op, str, tuple[Op, str]]] = []

    def take(op: Op, key: str, back: Op, body: Body, times: int) -> Task:
        reply = yield from must(attempt_until(engine, op, key, body, times=times, base_ms=150))
        undo.append((back, reply.body["booking"], (op, key)))

    def give_back(since: int) -> Task:
        while len(undo) > since:
            back, booking, done = undo.pop()
            body = {"booking": booking}
            yield from attempt_until(engine, back, booking, body, times=3, base_ms=100, undoes=done)

    try:
        yield from take(HOTEL, "", NO_HOTEL, {"city": given["city"]}, 2)
        before = len(undo)
        try:
            for leg in given["legs"]:
                yield from take(LEG, leg["flight"], NO_LEG, {"flight": leg["flight"]}, 3)
        except Abort:
            yield from give_back(before)
            raise
        if given["car"]:
            yield from take(CAR, "", NO_CAR, {"city": given["city"]}, 1)
        yield from must(ask(engine, PAY, "", {"traveller": given["traveller"]}))
        return "succeeded", None
    except Abort:
        some = bool(engine.calls) and any(call.status == "ok" for call in engine.calls)
        yield from give_back(0)
        return ("compensated" if some else "failed"), None


# Pages: read with a token until there is none; each page is loaded before the next is read.
READ, LOAD, CLOSE = ("crm", "GET /contacts"), ("lake", "POST /rows"), ("lake", "POST /commits")


def pages(engine: Engine, given: Body, version: str = "1") -> Task:
    token = "first"
    while token:
        page = yield from must(
            attempt_until(engine, READ, token, {"token": token}, times=3, base_ms=400)
        )
        rows = {"rows": page.body["rows"], "page": token}
        yield from must(ask(engine, LOAD, token, rows))
        token = page.body.get("next")
    yield from ask(engine, CLOSE, "", {"list": given["list"]})
    return "succeeded", None


# Cache aside: what is not cached is read, then cached; a cache that fails is no failure.
LOOK, ORIGIN, KEEP = ("cache", "GET /entry"), ("profiles", "GET /profile"), ("cache", "PUT /entry")
SHOW = ("web", "POST /render")


def cached(engine: Engine, given: Body, version: str = "1") -> Task:
    user = {"user": given["user"]}
    found = yield from ask(engine, LOOK, "", user)
    name = found.body.get("name")
    if found.status != "ok":
        read = yield from attempt_until(engine, ORIGIN, "", user, times=2, base_ms=50)
        if read.status != "ok":
            return "failed", None
        name = read.body["name"]
        if found.status == "404":
            yield from ask(engine, KEEP, "", {"user": given["user"], "name": name})
    yield from must(ask(engine, SHOW, "", {"name": name, "theme": given["theme"]}))
    return "succeeded", None


# A dependency behind a breaker, with a table of old prices for when it cannot be asked.
PRICE, TABLE, OFFER = (
    ("pricing", "POST /prices"),
    ("tables", "GET /prices"),
    ("desk", "POST /offers"),
)


def shielded(engine: Engine, given: Body, version: str = "1") -> Task:
    wanted = {"article": given["article"]}
    told = yield from attempt_until(engine, PRICE, "", wanted, times=2, base_ms=100)
    if told.status == "404":
        return "failed", None
    if told.status != "ok":
        told = yield from must(ask(engine, TABLE, "", wanted))
    price = told.body["price"]
    if price > 900 and not given["vip"]:
        yield from must(ask(engine, ("desk", "POST /checks"), "", {"price": price}))
    yield from must(ask(engine, OFFER, "", {"price": price}))
    return "succeeded", {"price": price}


# Three checks at once; the first that fails calls the others off.
CHECKS = (("sanctions", "POST /check"), ("credit", "POST /check"), ("address", "POST /check"))
OPEN, REJECT = ("accounts", "POST /accounts"), ("mail", "POST /rejections")


def together(engine: Engine, given: Body, version: str = "1") -> Task:
    person = {"person": given["person"]}
    running = []
    for op in CHECKS:
        task = must(attempt_until(engine, op, "", person, times=2, base_ms=60))
        running.append((yield ("start", task)))
    try:
        yield ("together", running)
    except Abort:
        for one in running:
            yield ("cancel", one)
        yield from ask(engine, REJECT, "", person)
        return "failed", None
    yield from must(ask(engine, OPEN, "", person))
    return "succeeded", None


# A flow that calls another flow and waits for what it says; it undoes by another flow.
BASKET, CHILD = ("baskets", "POST /baskets"), ("checkout", "POST /flows/checkout")
AGAIN = ("checkout", "GET /flows/{id}")
BACK, THANKS = ("checkout", "POST /flows/cancel"), ("mail", "POST /thanks")


def parent(engine: Engine, given: Body, version: str = "1") -> Task:
    made = yield from must(
        attempt_until(engine, BASKET, "", {"who": given["who"]}, times=2, base_ms=90)
    )
    basket = made.body["basket"]
    child = yield from ask(engine, CHILD, basket, {"basket": basket})
    if child.status != "ok":
        return "failed", None
    if child.body["state"] == "review":
        yield ("sleep", 30 * SECOND)
        child = yield from ask(engine, AGAIN, basket, {"basket": basket})
        if child.body.get("state") != "paid":
            yield from ask(engine, BACK, basket, {"basket": basket}, undoes=(CHILD, basket))
            return "compensated", None
    yield from ask(engine, THANKS, "", {"who": given["who"]})
    return "succeeded", {"basket": basket}


def answers(op: Op, key: str, number: int, roll: Any, given: Body) -> tuple[str, Body]:
    """What each callee answers: a status, a body."""
    chance = roll.random()
    transient = {WRITE: 0.2, SUBMIT: 0.15, LEG: 0.25, HOTEL: 0.12, CAR: 0.15, PAY: 0.12, READ: 0.1,
                 PRICE: 0.25, BASKET: 0.1, ORIGIN: 0.2, NO_LEG: 0.1, NO_HOTEL: 0.08, NO_CAR: 0.08,
                 CHECKS[0]: 0.08, CHECKS[1]: 0.15, CHECKS[2]: 0.1, TABLE: 0.03, LOOK: 0.05,
                 LOAD: 0.03}  # fmt: skip
    if chance < transient.get(op, 0.0):
        return "503", {}
    if op == PRICE and chance > 0.96:
        return "404", {}
    if op == LOOK:
        return ("ok", {"name": f"n-{roll.randrange(9**9)}"}) if roll.random() < 0.6 else ("404", {})
    if op in CHECKS and chance > 0.95:
        return "409", {"reason": "no"}
    if op == CHILD and chance > 0.9:
        return "500", {}
    return "ok", _body(op, key, number, roll, given)


def _body(op: Op, key: str, number: int, roll: Any, given: Body) -> Body:
    bodies: dict[Op, Any] = {
        NEAR: lambda: {"text": f"near-{roll.randrange(9**9)}"},
        FAR: lambda: {"text": f"far-{roll.randrange(9**9)}"},
        QUOTE_A: lambda: {"quote_id": f"qa-{roll.randrange(9**9)}", "price": roll.randrange(99)},
        QUOTE_B: lambda: {"quote_id": f"qb-{roll.randrange(9**9)}", "price": roll.randrange(99)},
        SUBMIT: lambda: {"job_id": f"j-{roll.randrange(9**9)}",
                         "retry_after_ms": roll.choice([500, 1_000, 2_000])},
        STATUS: lambda: _job_state(roll),
        HOLD: lambda: {"hold_id": f"h-{roll.randrange(9**9)}"},
        READ: lambda: _page(key, roll),
        ORIGIN: lambda: {"name": f"n-{roll.randrange(9**9)}", "since": roll.randrange(20)},
        PRICE: lambda: {"price": roll.randrange(10, 1_500)},
        TABLE: lambda: {"price": roll.randrange(10, 1_500)},
        BASKET: lambda: {"basket": f"b-{roll.randrange(9**9)}"},
        CHILD: lambda: {"state": "review" if roll.random() < 0.4 else "paid"},
        AGAIN: lambda: {"state": roll.choice(["paid", "paid", "refused"])},
    }  # fmt: skip
    if op in (HOTEL, LEG, CAR):
        return {"booking": f"{op[0]}-{roll.randrange(9**9)}"}
    return bodies[op]() if op in bodies else {}


def _job_state(roll: Any) -> Body:
    chance = roll.random()
    if chance < 0.65:
        return {"state": "running", "done": round(roll.random(), 2)}
    if chance < 0.72:
        return {"state": "broken", "why": "disk"}
    return {"state": "done", "file": f"f-{roll.randrange(9**9)}"}


def _page(token: str, roll: Any) -> Body:
    body: Body = {"rows": roll.randrange(1, 400)}
    if roll.random() < 0.6:
        body["next"] = f"t-{roll.randrange(9**9)}"
    return body


_SLOW_MS = {NEAR: 60, FAR: 45, QUOTE_A: 200, QUOTE_B: 220, CHECKS[0]: 150, CHECKS[1]: 300,
            CHECKS[2]: 90, CHILD: 900}  # fmt: skip


def world(seed: object, index: int) -> Answering:
    """Give the callees of one flow of any of these kinds."""

    def answering(op: Op, key: str, number: int) -> Reply:
        roll = dice("other", seed, index, op, key, number)
        latency = int(_SLOW_MS.get(op, 50) * MS * roll.lognormvariate(0, 0.5))
        if op == PRICE and dice("open", seed, index).random() < 0.15:
            return Reply(status="breaker_open", latency=20_000, breaker="open")
        status, body = answers(op, key, number, roll, {})
        breaker = "closed" if op == PRICE else None
        return Reply(status=status, latency=latency, body=body, breaker=breaker)

    return answering


def given(seed: object, index: int) -> Body:
    """Give the input of one flow; each kind reads its own part."""
    roll = dice("given", seed, index)
    count = roll.choice([3, 4, 5])
    return {
        "replicas": [f"node-{n}" for n in range(count)], "value": f"v-{roll.randrange(9**9)}",
        "page": f"p-{roll.randrange(9**9)}", "customer": f"c-{roll.randrange(9**9)}",
        "part": f"part-{roll.randrange(500)}", "query": f"q-{roll.randrange(9**9)}",
        "account": f"a-{roll.randrange(9**9)}", "city": roll.choice(["Oslo", "Rome", "Lima"]),
        "legs": [{"flight": f"f{index}-{n}"} for n in range(roll.choice([1, 2, 2, 3]))],
        "car": roll.random() < 0.5, "traveller": f"t-{roll.randrange(9**9)}",
        "list": f"l-{roll.randrange(9**9)}", "user": f"u-{roll.randrange(9**9)}",
        "theme": roll.choice(["dark", "light"]), "article": f"x-{roll.randrange(9**9)}",
        "vip": roll.random() < 0.3, "person": f"m-{roll.randrange(9**9)}",
        "who": f"w-{roll.randrange(9**9)}",
    }  # fmt: skip


OTHER_KINDS: dict[str, Kind] = {
    program.__name__: (program, world, given)
    for program in (
        quorum, hedge, race, job, approval, trip, pages, cached, shielded, together, parent,
    )
}  # fmt: skip
