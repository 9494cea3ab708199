"""Finds the recorded call that a request repeats, for code that really runs.

The rungs: the explicit key, the exact request, the request without noise, the same after putting
recorded values in the place of those this replay was given instead, the most similar request.
Each entry answers once a session. What cannot be told apart is flagged, what is not found comes
with the nearest entries and why they do not fit.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TypeAlias

from replay.leaves import Leaves, Scalar, same
from replay.likeness import Alike
from replay.misses import Near, nearest_of
from replay.noise import Noise, id_shape, telling, time_shape
from replay.recording import Recording

# The most similar request must share this much of all leaves, and beat the next one by the margin.
LIKENESS_MIN_PERCENT = 60
MARGIN_PERCENT = 10

_Bucket: TypeAlias = tuple[str, frozenset[tuple[str, type, Scalar]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One recorded call; `answer` is what tells its answer from others, `label` names it."""

    op: str
    key: str
    request: Leaves
    answer: Leaves
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The entry found (its number), on which rung; None and `missing` when none was.

    `ambiguous` says why another entry with another answer could as well be meant; "" if none.
    `near` are the nearest entries where none was found.
    """

    number: int | None
    rung: str
    ambiguous: str = ""
    near: tuple[Near, ...] = ()


@dataclass(slots=True)
class _Session:
    """What one replay has taken, the cursor of each bucket, and which values it got instead."""

    taken: dict[int, str] = field(default_factory=dict)
    cursors: dict[object, int] = field(default_factory=dict)
    instead: dict[Scalar, Scalar] = field(default_factory=dict)


@dataclass(slots=True)
class _Noiseless:
    """The entries without what was made for one call alone, which is `fresh`; `known` are the
    values of inputs and answers, `requested` says which operation first sent a value."""

    known: Counter[Scalar]
    requested: dict[Scalar, str]
    fresh: list[Mapping[str, Scalar]] = field(default_factory=list)
    by_rest: dict[_Bucket, list[int]] = field(default_factory=dict)


class Ladder:
    """The entries of one recording in the order recorded, for any number of sessions."""

    def __init__(self, entries: Sequence[Entry], noise: Noise, given: Leaves) -> None:
        self.entries = tuple(entries)
        self.noise = noise
        self.given = given
        self.sessions: dict[str, _Session] = {}
        self.by_key: dict[tuple[str, str], list[int]] = {}
        self.by_exact: dict[_Bucket, list[int]] = {}
        self.by_op: dict[str, list[int]] = {}
        self.paths: dict[tuple[str, str], bool] = {}
        self.alike: dict[str, Alike] = {}
        for number, entry in enumerate(self.entries):
            self.by_op.setdefault(entry.op, []).append(number)
            if entry.key:
                self.by_key.setdefault((entry.op, entry.key), []).append(number)
            self.by_exact.setdefault(_bucket(entry.op, entry.request), []).append(number)

    @cached_property
    def noiseless(self) -> _Noiseless:
        """Made when first a request is not found as it is."""
        answers = (entry.answer for entry in self.entries)
        seen: dict[Scalar, str] = {}
        made = _Noiseless(_values(chain([self.given], answers)), seen)
        for number, entry in enumerate(self.entries):
            fresh = {
                path: value
                for path, value in entry.request.items()
                if time_shape(path, value)
                or (
                    id_shape(value)
                    and value not in made.known
                    and seen.get(value, entry.op) == entry.op
                )
            }
            for value in entry.request.values():
                seen.setdefault(value, entry.op)
            made.fresh.append(fresh)
            rest = self._rest(entry.op, entry.request, fresh)
            made.by_rest.setdefault(_bucket(entry.op, rest), []).append(number)
        return made

    @classmethod
    def of(cls, recording: Recording, noise: Noise) -> "Ladder":
        """Make the ladder of a recording; its attempts are the entries, by start."""
        calls = sorted(
            (attempt.start_ns, step.step_id, number, step)
            for step in recording.steps
            if not step.local
            for number, attempt in enumerate(step.attempts)
        )
        entries = [
            Entry(
                op=step.op,
                key=step.key,
                request=step.attempts[number].request,
                answer={"~status": step.attempts[number].status, **step.attempts[number].response},
                label=f"{step.op} {step.key} #{number + 1}".replace("  ", " "),
            )
            for _, _, number, step in calls
        ]
        return cls(entries, noise, recording.input)

    def find(self, op: str, key: str, request: Leaves, session: str = "") -> Match:
        """Find and take the entry a request repeats; each is taken once a session."""
        state = self.sessions.setdefault(session, _Session())
        if key:
            numbers = self.by_key.get((op, key))
            if numbers:
                return self._of_key(state, numbers, op, key, request)
        exact = _bucket(op, request)
        number = self._next(state, exact, self.by_exact.get(exact))
        if number is not None:
            return self._took(state, number, "exact", self.by_exact[exact], request)
        fresh = self._fresh(state, op, request)
        rest = _bucket(op, self._rest(op, request, fresh))
        number = self._next(state, ("rest", rest), self.noiseless.by_rest.get(rest))
        if number is not None:
            return self._took(state, number, "denoised", self.noiseless.by_rest[rest], request)
        if state.instead:
            back = {path: state.instead.get(value, value) for path, value in request.items()}
            rest = _bucket(op, self._rest(op, back, self._fresh(state, op, back)))
            number = self._next(state, ("rest", rest), self.noiseless.by_rest.get(rest))
            if number is not None:
                return self._took(state, number, "bound", self.noiseless.by_rest[rest], request)
        return self._nearest(state, op, key, request)

    def answered(self, number: int, served: Leaves, session: str = "") -> None:
        """Tell what a session really got for an entry, where that is not what was recorded."""
        self._follow(self.sessions.setdefault(session, _Session()),
                     self.entries[number].answer, served)  # fmt: skip

    def unread(self, session: str = "") -> list[int]:
        """Numbers of the entries that a session never asked for."""
        state = self.sessions.get(session, _Session())
        return [number for number in range(len(self.entries)) if number not in state.taken]

    def _of_key(
        self, state: _Session, numbers: Sequence[int], op: str, key: str, request: Leaves
    ) -> Match:
        """Attempts under one key come one by one; among them an equal request goes first."""
        number = self._next(state, ("key", op, key), numbers)
        if number is None:
            return Match(number=None, rung="missing", near=self._near(state, op, request))
        free = [n for n in numbers if state.taken.get(n) is None]
        equal = [n for n in free if _equal(self.entries[n].request, request)]
        chosen = equal[0] if equal else number
        state.taken[chosen] = "explicit"
        self._follow(state, self.entries[chosen].request, request)
        return Match(number=chosen, rung="explicit")

    def _next(self, state: _Session, cursor: object, numbers: Sequence[int] | None) -> int | None:
        """Move the bucket's cursor to its next entry that nobody took on a sure rung."""
        if numbers is None:
            return None
        at = state.cursors.get(cursor, 0)
        while at < len(numbers) and state.taken.get(numbers[at], "structural") != "structural":
            at += 1
        state.cursors[cursor] = at
        return numbers[at] if at < len(numbers) else None

    def _took(
        self, state: _Session, number: int, rung: str, bucket: Sequence[int], request: Leaves
    ) -> Match:
        ambiguous = ""
        if len(bucket) > 1:
            answer = self.entries[number].answer
            others = sum(not _equal(self.entries[n].answer, answer) for n in bucket)
            if others:
                ambiguous = f"{others} equal requests were answered otherwise"
        state.taken[number] = rung
        if rung != "exact":
            self._follow(state, self.entries[number].request, request)
        return Match(number=number, rung=rung, ambiguous=ambiguous)

    def _nearest(self, state: _Session, op: str, key: str, request: Leaves) -> Match:
        back = {path: state.instead.get(value, value) for path, value in request.items()}
        asked = self._rest(op, back, self._fresh(state, op, back))
        numbers = self.by_op.get(op, ())

        def free(at: int) -> bool:
            # An explicit key that differs says that another call is meant.
            return numbers[at] not in state.taken and not (key and self.entries[numbers[at]].key)

        found = self._alike(op).nearest(asked, MARGIN_PERCENT, free)
        if not found or found[0][0] < LIKENESS_MIN_PERCENT:
            return Match(number=None, rung="missing", near=self._near(state, op, request))
        number = numbers[found[0][1]]
        answer = self.entries[number].answer
        rivals = sum(not _equal(self.entries[numbers[at]].answer, answer) for _, at in found[1:])
        ambiguous = f"{rivals} other requests are as similar" if rivals else ""
        state.taken[number] = "structural"
        self._follow(state, self.entries[number].request, request)
        return Match(number=number, rung="structural", ambiguous=ambiguous)

    def _alike(self, op: str) -> Alike:
        """Index an operation's requests without their noise, when first asked for."""
        known = self.alike.get(op)
        if known is None:
            numbers = self.by_op.get(op, ())
            rests = [
                self._rest(op, self.entries[n].request, self.noiseless.fresh[n]) for n in numbers
            ]
            known = self.alike[op] = Alike(rests)
        return known

    def _rest(self, op: str, request: Leaves, fresh: Mapping[str, Scalar]) -> Leaves:
        """Give a request without its noise."""
        return {
            path: value
            for path, value in request.items()
            if path not in fresh and not self._noise(op, path)
        }

    def _noise(self, op: str, path: str) -> bool:
        known = self.paths.get((op, path))
        if known is None:
            known = self.paths[op, path] = self.noise.by_path(op, path)
        return known

    def _fresh(self, state: _Session, op: str, request: Leaves) -> Mapping[str, Scalar]:
        """Give the values that look made for this very call: known neither from the recording nor
        from this session."""
        noiseless = self.noiseless
        return {
            path: value
            for path, value in request.items()
            if time_shape(path, value)
            or (
                id_shape(value)
                and value not in noiseless.known
                and value not in state.instead
                and noiseless.requested.get(value, op) == op
            )
        }

    def _follow(self, state: _Session, recorded: Leaves, got: Leaves) -> None:
        """Remember which values this session has in the place of recorded ones."""
        for path, value in got.items():
            old = recorded.get(path)
            if path in recorded and not same(old, value) and telling(value) and telling(old):
                state.instead.setdefault(value, old)

    def _near(self, state: _Session, op: str, request: Leaves) -> tuple[Near, ...]:
        entries = ((self.entries[n], n in state.taken) for n in self.by_op.get(op, ()))
        return nearest_of(((it.label, it.request, taken) for it, taken in entries), request)


def _bucket(op: str, request: Leaves) -> _Bucket:
    return op, frozenset((path, type(value), value) for path, value in request.items())


def _equal(left: Leaves, right: Leaves) -> bool:
    return left == right and all(same(value, right[path]) for path, value in left.items())


def _values(many: Iterable[Leaves]) -> Counter[Scalar]:
    return Counter(value for leaves in many for value in leaves.values())
