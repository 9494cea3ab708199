"""Flow kinds for single constructs, each written before the inference knew of it."""

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
Telling = dict[Op, Any]


def ask(engine: Engine, op: Op, key: str = "", request: Body | None = None, **how: Any) -> Task:
    """One call without retries, whatever it answers."""
    return attempt_until(engine, op, key, request or {}, **how)


# A sure model is trusted at once; a fairly sure one while its answer is still being checked.
SCORE, REVIEW = ("model", "POST /scores"), ("desk", "POST /reviews")
ACCOUNT, CARD, CLOSE = (
    ("bank", "POST /accounts"),
    ("bank", "POST /cards"),
    ("bank", "DELETE /accounts"),
)


def optimistic(engine: Engine, given: Body, version: str = "1") -> Task:
    who = {"who": given["who"]}
    score = (yield from must(ask(engine, SCORE, "", who))).body
    trusted = score["model"] == "new"
    account = None
    try:
        if not (trusted and score["sure"] >= 0.9):
            early = None
            if trusted and score["sure"] >= 0.6:
                early = yield ("start", must(ask(engine, ACCOUNT, "", who)))
            check = yield from ask(engine, REVIEW, "", who)
            if early is not None:
                [account] = yield ("all", [waiting_for(early)])
            if check.body.get("verdict") != "yes":
                raise Abort("refused")
        if account is None:
            account = yield from must(ask(engine, ACCOUNT, "", who))
        yield from must(ask(engine, CARD, "", {"account": account.body["account"]}))
        return "succeeded", None
    except Abort:
        if account is None:
            return "failed", None
        name = account.body["account"]
        yield from ask(engine, CLOSE, name, {"account": name}, undoes=(ACCOUNT, ""))
        return "compensated", None


def waiting_for(running: Any) -> Task:
    yield ("first", [running], None)
    if running.error is not None:
        raise running.error
    return running.value


# Each answer says how long to wait before the next step: a place in a queue, then a cooling time.
QUEUE, ENTER, BREW, SERVE = (
    ("queue", "POST /tickets"),
    ("hall", "POST /entries"),
    ("kitchen", "POST /brews"),
    ("hall", "POST /servings"),
)


def paced(engine: Engine, given: Body, version: str = "1") -> Task:
    ticket = yield from must(ask(engine, QUEUE, "", {"who": given["who"]}))
    yield ("sleep", ticket.body["wait_ms"] * MS)
    yield from must(ask(engine, ENTER, "", {"ticket": ticket.body["ticket"]}))
    brew = yield from must(ask(engine, BREW, "", {"who": given["who"]}))
    if brew.body["hot"]:
        yield ("sleep", int(brew.body["cool_s"] * SECOND))
    yield from ask(engine, SERVE, "", {"who": given["who"]})
    return "succeeded", None


# A limited service says when to come again; a broken one does not.
LIMITED, DONE = ("limited", "POST /jobs"), ("audit", "POST /entries")


def limited(engine: Engine, given: Body, version: str = "1") -> Task:
    for number in range(5):
        reply = yield ("call", LIMITED, "", {"who": given["who"]}, {})
        if reply.status == "ok":
            break
        if reply.status == "429":
            yield ("sleep", int(reply.body["retry_after"] * SECOND))
        else:
            yield ("sleep", 200 * MS * 2**number)
    else:
        return "failed", None
    yield from ask(engine, DONE, "", {"who": given["who"]})
    return "succeeded", None


# A list read page by page, then what was read is counted.
LIST, COUNT = ("crm", "GET /people"), ("stats", "POST /counts")


def listing(engine: Engine, given: Body, version: str = "1") -> Task:
    cursor: str | None = "start"
    while cursor is not None:
        page = yield from must(
            attempt_until(engine, LIST, cursor, {"cursor": cursor}, times=3, base_ms=100)
        )
        cursor = page.body["next"]
    yield from ask(engine, COUNT, "", {"list": given["who"]})
    return "succeeded", None


# Two sources are asked; the first that answers is used, and nobody calls the other off.
EAST, WEST, DRAW = ("east", "GET /map"), ("west", "GET /map"), ("web", "POST /drawings")


def first_of_two(engine: Engine, given: Body, version: str = "1") -> Task:
    place = {"place": given["who"]}
    running = []
    for op in (EAST, WEST):
        running.append((yield ("start", ask(engine, op, "", place))))
    won = yield ("first", running, None)
    if won.value.status != "ok":
        return "failed", None
    yield from must(ask(engine, DRAW, "", {"map": won.value.body["map"]}))
    yield from must(ask(engine, ("mail", "POST /notes"), "", {"to": given["who"]}))
    return "succeeded", None


def _answer(op: Op, roll: Any) -> tuple[str, Body]:
    chance = roll.random()
    if op == LIMITED and chance < 0.5:
        if chance < 0.3:
            return "429", {"retry_after": roll.choice([0.5, 1.0, 1.5, 2.5])}
        return "503", {}
    if chance < {CARD: 0.3, LIST: 0.06}.get(op, 0.0):
        return "503", {}
    tellings: Telling = {
        SCORE: lambda: {"model": roll.choice(["old", "new"]), "sure": round(roll.random(), 4)},
        REVIEW: lambda: {"verdict": "no" if roll.random() < 0.25 else "yes"},
        ACCOUNT: lambda: {"account": f"a-{roll.randrange(9**9)}"},
        QUEUE: lambda: {"ticket": f"t-{roll.randrange(9**9)}",
                        "wait_ms": roll.randrange(50, 4_000)},
        BREW: lambda: {"hot": roll.random() < 0.5, "cool_s": round(1 + roll.random(), 3)},
        LIST: lambda: {"rows": roll.randrange(100),
                       "next": f"c-{roll.randrange(9**9)}" if roll.random() < 0.6 else None},
        EAST: lambda: {"map": f"e-{roll.randrange(9**9)}"},
        WEST: lambda: {"map": f"w-{roll.randrange(9**9)}"},
    }  # fmt: skip
    return "ok", tellings[op]() if op in tellings else {}


def world(seed: object, index: int) -> Answering:
    def answering(op: Op, key: str, number: int) -> Reply:
        roll = dice("more", seed, index, op, key, number)
        slow = {REVIEW: 150, EAST: 200, WEST: 200}.get(op, 50)
        latency = int(slow * MS * roll.lognormvariate(0, 0.5))
        status, body = _answer(op, roll)
        return Reply(status=status, latency=latency, body=body)

    return answering


def given(seed: object, index: int) -> Body:
    return {"who": f"w-{dice('who', seed, index).randrange(9**9)}"}


MORE_KINDS: dict[str, Kind] = {
    program.__name__: (program, world, given)
    for program in (optimistic, paced, limited, listing, first_of_two)
}
