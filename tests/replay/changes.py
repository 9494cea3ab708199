"""Changes of one answer or setting of a flow, as scenarios, with the truth of what they lead to.

Given a recording, a scenario is drawn, and the callees of the true program that answer as the
replay is answered: as recorded, changed, and where nothing was recorded as donors lend it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from replay.infer.program import Donor
from replay.leaves import Scalar
from replay.recording import RecordedAttempt, RecordedStep, Recording
from replay.scenario import AlteredAnswer, Change, Scenario
from store.conclusions import ReplayResult
from tests.replay.worlds import MS, Answering, Reply

NEVER = "418"
SEEN = ("other answer", "other value", "slow", "healed", "fails as seen", "down as seen",
        "quicker timeout")  # fmt: skip
NEVER_SEEN = ("down without end", "fails as never seen", "down as never seen")

Becomes = Callable[[Reply], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A scenario, and what it does to the reply of (operation, key, attempt).

    Where it holds for `every` call of the operation, lent replies too. `old` gives for a new value
    the one it is there for.
    """

    scenario: Scenario
    op: str
    key: str
    number: int
    every: bool
    becomes: Becomes
    old: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One answer: attempt `number` of a step, the `nth` of its operation."""

    step: RecordedStep
    number: int
    nth: int

    @property
    def attempt(self) -> RecordedAttempt:
        return self.step.attempts[self.number - 1]


def places_of(recording: Recording) -> list[Place]:
    """All answers of others that came; what was called off or never sent has none."""
    found = []
    for step in recording.steps:
        if step.local or step.kind == "message":
            continue
        for number, attempt in enumerate(step.attempts, 1):
            before = sorted(
                other.start_ns for s in recording.steps if s.op == step.op for other in s.attempts
            )
            if attempt.status == "cancelled" or attempt.breaker_state == "open":
                continue
            if before.count(attempt.start_ns) == 1:
                found.append(Place(step, number, before.index(attempt.start_ns) + 1))
    return found


class Seen:
    """What the recordings of a kind hold: answers by operation, failures by attempt."""

    def __init__(self, recordings: Sequence[Recording]) -> None:
        self.good: dict[str, list[RecordedAttempt]] = {}
        self.failures: dict[tuple[str, int], Counter[str]] = {}
        self.last: dict[str, Counter[str]] = {}
        for recording in recordings:
            for place in places_of(recording):
                attempt = place.attempt
                if attempt.status == "ok":
                    self.good.setdefault(place.step.op, []).append(attempt)
                else:
                    kept = self.failures.setdefault((place.step.op, place.number), Counter())
                    kept[attempt.status] += 1
                    if place.number == len(place.step.attempts):
                        self.last.setdefault(place.step.op, Counter())[attempt.status] += 1

    def status(self, roll: Random, op: str, number: int) -> str | None:
        """Draw a failure that several flows had at this attempt; None when there is none."""
        known = self.failures.get((op, number), Counter())
        often = sorted(status for status, count in known.items() if count >= 2)
        return roll.choice(often) if often else None


def draw(how: str, roll: Random, recording: Recording, seen: Seen) -> Asked | None:
    """Draw a change of this sort for a flow; None where it has no answer that can have it."""
    places = places_of(recording)
    roll.shuffle(places)
    for place in places:
        asked = _DRAWN[how](how, roll, place, seen)
        if asked is not None:
            return asked
    return None


def asked_of(
    how: str, place: Place, becomes: Becomes, *, every: bool = False, **answer: object
) -> Asked:
    altered = AlteredAnswer(
        operation=place.step.op, nth=None if every else place.nth, **answer  # type: ignore[arg-type]
    )  # fmt: skip
    scenario = Scenario(name=how, answers=(altered,))
    old = {str(v): str(place.attempt.response.get(k)) for k, v in altered.fields.items()}
    return Asked(
        scenario=scenario, op=place.step.op, key=place.step.key, number=place.number,
        every=every, becomes=becomes, old=old,
    )  # fmt: skip


def _values(attempt: RecordedAttempt) -> dict[str, Scalar]:
    return {k: v for k, v in attempt.response.items() if "[" not in k and "." not in k}


def other_answer(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    mine = place.attempt
    if mine.status != "ok" or not _values(mine):
        return None
    other = roll.choice(seen.good[place.step.op])
    # A scenario cannot take a field away: what the other did not say is null.
    fields = {**dict.fromkeys(_values(mine)), **_values(other)}
    wait_ms = other.latency_ns // MS

    def becomes(reply: Reply) -> Reply:
        return replace(reply, latency=wait_ms * MS, body={**reply.body, **fields})

    return asked_of(how, place, becomes, fields=fields, latency_ms=wait_ms)


def other_value(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    values = sorted((k, v) for k, v in _values(place.attempt).items() if isinstance(v, int | float))
    if place.attempt.status != "ok" or not values:
        return None
    path, old = roll.choice(values)
    new = not old if isinstance(old, bool) else round(old * roll.choice((0.5, 1.5)), 4)
    return asked_of(
        how, place, lambda reply: replace(reply, body={**reply.body, path: new}), fields={path: new}
    )


def slow(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    wait = 10 * place.attempt.latency_ns
    return asked_of(
        how, place, lambda reply: replace(reply, latency=wait), latency_percent=1_000
    )  # fmt: skip


def healed(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    if place.attempt.status == "ok" or place.step.op not in seen.good:
        return None
    # The body is the donors': see `Truth`.
    return asked_of(how, place, lambda reply: replace(reply, status="ok", body={}), status="ok")


def fails(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    status = NEVER if how in NEVER_SEEN else seen.status(roll, place.step.op, place.number)
    if status is None or status == place.attempt.status:
        return None
    return asked_of(
        how, place, lambda reply: replace(reply, status=status, body={}, true_ns=None),
        status=status,
    )  # fmt: skip


def down(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    op = place.step.op
    first, last = seen.failures.get((op, 1), Counter()), seen.last.get(op, Counter())
    if how == "down as seen":
        known = sorted(status for status, count in last.items() if count >= 2)
    else:
        known = sorted(status for status, count in first.items() if count >= 2 > last[status])
    if how == "down as never seen":
        known = [NEVER]
    if not known:
        return None
    status = roll.choice(known)
    return asked_of(
        how, place, lambda _: Reply(status=status, latency=30 * MS), every=True,
        status=status, latency_ms=30,
    )  # fmt: skip


def quicker_timeout(how: str, roll: Random, place: Place, seen: Seen) -> Asked | None:
    op, attempt = place.step.op, place.attempt
    limit_ms = attempt.latency_ns // (2 * MS)
    known = seen.failures.get((op, 1), Counter())
    if attempt.status != "ok" or not limit_ms or known["timeout"] < 2:
        return None

    def becomes(reply: Reply) -> Reply:
        over = reply.latency > limit_ms * MS
        return Reply(status="timeout", latency=limit_ms * MS) if over else reply

    scenario = Scenario(name=how, changes=(Change(operation=op, timeout_ms=limit_ms),))
    return Asked(
        scenario=scenario, op=op, key=place.step.key, number=0, every=True, becomes=becomes, old={}
    )


_DRAWN: dict[str, Callable[[str, Random, Place, Seen], Asked | None]] = {
    "other answer": other_answer, "other value": other_value, "slow": slow, "healed": healed,
    "fails as seen": fails, "down as seen": down, "quicker timeout": quicker_timeout,
    "down without end": down, "fails as never seen": fails, "down as never seen": down,
}  # fmt: skip


CALLS_MAX = 500


class Endless(Exception):
    """A lent answer names a next one for ever, as a page that is lent again and again."""


class Truth:
    """The callees of the true program: what was recorded, changed; else what donors lend."""

    def __init__(
        self, recording: Recording, asked: Asked, donors: Mapping[str, Donor], base: Answering
    ) -> None:
        self.asked = asked
        self.donors = donors
        self.base = base
        self.recorded = {
            (step.op, step.key, number): attempt
            for step in recording.steps
            for number, attempt in enumerate(step.attempts, 1)
        }
        self.keys: dict[tuple[str, str], str] = {}
        self.calls = 0

    def _recorded_key(self, name: str, key: str) -> str:
        """A request with a changed or lent value in its key is answered as the one was that is
        not made any more; which that is, is known of a changed value, and where there is one."""
        if (name, key) not in self.keys:
            own = {at[1] for at in self.recorded if at[0] == name}
            free = sorted(own - {taken for (op, _), taken in self.keys.items() if op == name})
            was = key if key in own else self.asked.old.get(key, key)
            if was not in own and len(free) == 1:
                was = free[0]
            self.keys[name, key] = was
        return self.keys[name, key]

    def __call__(self, op: tuple[str, str], key: str, number: int) -> Reply:
        self.calls += 1
        if self.calls > CALLS_MAX:
            raise Endless
        name, asked = f"{op[0]} {op[1]}", self.asked
        key = self._recorded_key(name, key)
        attempt = self.recorded.get((name, key, number))
        donor = self.donors.get(name)
        if attempt is None and donor is not None:
            reply = Reply(status="ok", latency=donor.latency.usual, body=dict(donor.response))
        else:
            # What was called off or is lent by nobody is what these callees would have said.
            reply = self.base(op, key, number)
        mine = name == asked.op and reply.breaker != "open"
        if mine and (asked.every or (key, number) == (asked.key, asked.number)):
            reply = asked.becomes(reply)
            if asked.scenario.name == "healed" and donor is not None:
                reply.body = dict(donor.response)
        return reply


def right(result: ReplayResult) -> bool:
    """The same calls, order, requests and outcome; what a gate said before does not count."""
    return all(
        divergence.kind in ("timing_changed", "answer_rung_lowered", "unread_answer")
        or divergence.path.startswith("response.")
        for divergence in result.divergences
    )
