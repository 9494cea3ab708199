"""Recorded calls, and what a changed program asks instead, with the entry it truly means.

Written against the words of the ladder alone: every request carries values made fresh for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from replay.ladder import Entry
from replay.leaves import Scalar

OPERATIONS = ("stock POST /holds", "pay POST /charges", "mail POST /letters", "risk GET /scores")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the changed program; `means` is the number of the entry, None when new."""

    op: str
    request: dict[str, Scalar]
    means: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """What was recorded, and what is asked."""

    given: dict[str, Scalar]
    entries: list[Entry]
    asked: list[Asked]


def uuid(roll: Random) -> str:
    text = f"{roll.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def freshly(roll: Random, request: dict[str, Scalar]) -> dict[str, Scalar]:
    """The same request, made another time."""
    return {
        **request,
        "header.x-request-id": uuid(roll),
        "body.token": uuid(roll),
        "body.sent_at": f"2026-11-{roll.randint(1, 28):02}T10:{roll.randint(0, 59):02}:00Z",
        "body.clock": 1_790_000_000_000 + roll.randrange(10**9),
    }


def recorded(roll: Random, polls: bool) -> Case:
    """About a dozen calls, some with values of earlier answers, some asked again and again."""
    given: dict[str, Scalar] = {
        "order": f"order-{roll.randrange(10**6):06}",
        "customer": uuid(roll),
    }
    entries: list[Entry] = []
    asked: list[Asked] = []

    def call(op: str, request: dict[str, Scalar], answer: dict[str, Scalar]) -> None:
        entries.append(
            Entry(op=op, key="", request=freshly(roll, request), answer=answer, label=op)
        )
        asked.append(Asked(op, freshly(roll, request), len(entries) - 1))

    for number in range(roll.randint(6, 14)):
        request: dict[str, Scalar] = {
            "body.order": given["order"],
            "body.customer": given["customer"],
            "body.currency": "EUR",
            "body.place": number,
            "body.amount": roll.randrange(1_000, 99_999),
            "body.country": roll.choice(("DE", "FR", "PT")),
        }
        if entries and roll.random() < 0.4:
            earlier = roll.choice(entries)
            request["body.reference"] = earlier.answer["id"]
        call(roll.choice(OPERATIONS), request, {"id": uuid(roll), "state": "done"})
    if polls:
        states = ["waiting"] * roll.randint(1, 3) + ["ready"]
        for state in states:
            call("export GET /jobs", {"body.job": given["order"]}, {"id": "job", "state": state})
    return Case(given, entries, asked)


def reordered(roll: Random, case: Case) -> Case:
    asked = list(case.asked)
    at = roll.randrange(len(asked) - 1)
    asked[at], asked[at + 1] = asked[at + 1], asked[at]
    return replace(case, asked=asked)


def parallelised(roll: Random, case: Case) -> Case:
    asked = list(case.asked)
    roll.shuffle(asked)
    return replace(case, asked=asked)


def inserted(roll: Random, case: Case) -> Case:
    asked = list(case.asked)
    like = roll.choice(asked)
    request = freshly(roll, like.request)
    changed = [path for path in request if path in ("body.amount", "body.place", "body.order")]
    for path in changed:
        request[path] = roll.randrange(10**6, 10**7)
    asked.insert(roll.randrange(len(asked) + 1), Asked(like.op, request, None))
    return replace(case, asked=asked)


def removed(roll: Random, case: Case) -> Case:
    asked = list(case.asked)
    del asked[roll.randrange(len(asked))]
    return replace(case, asked=asked)


def field_added(roll: Random, case: Case) -> Case:
    op = roll.choice(case.asked).op
    return replace(
        case,
        asked=[
            replace(one, request={**one.request, "body.channel": "web"}) if one.op == op else one
            for one in case.asked
        ],
    )


def value_changed(roll: Random, case: Case) -> Case:
    asked = list(case.asked)
    at = roll.randrange(len(asked))
    path = "body.amount" if "body.amount" in asked[at].request else "body.job"
    request = {**asked[at].request, path: roll.randrange(10**5, 10**6)}
    asked[at] = replace(asked[at], request=request)
    return replace(case, asked=asked)


def unchanged(roll: Random, case: Case) -> Case:
    return case


CHANGES: dict[str, Callable[[Random, Case], Case]] = {
    change.__name__: change
    for change in (
        unchanged, reordered, parallelised, inserted, removed, field_added, value_changed,
    )
}  # fmt: skip
