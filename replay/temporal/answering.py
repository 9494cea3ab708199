"""Which recorded answer a command of the running code gets, or why there is none.

The ladder of `replay.ladder` finds the recorded call; `settled.py` says what is left of its
answer under other timeouts and retries. Nothing is invented: a call that was not recorded, or whose
answer does not hold any more, has none, unless a scenario declares or lends one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from replay.ladder import Entry, Ladder
from replay.leaves import Scalar, flatten
from replay.noise import Noise
from replay.temporal.alterations import Alterations
from replay.temporal.commands import Command
from replay.temporal.recording import Call, Recording, key_of, request_of
from replay.temporal.settled import Settled, settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a command gets. `settled` is None where nothing is known, and `why` says why.

    `call` is the recorded call it repeats.
    """

    command: Command
    operation: str
    rung: str
    ambiguous: str
    call: Call | None
    settled: Settled | None
    why: str = ""


_Same: TypeAlias = tuple[str, frozenset[tuple[str, type, Scalar]]]
"""What equal requests of one operation have in common."""


def _same(operation: str, command: Command) -> _Same:
    request = request_of(command)
    return operation, frozenset((path, type(value), value) for path, value in request.items())


def _polled(recording: Recording) -> frozenset[_Same]:
    """Equal requests of which each was made only after the one before it was answered."""
    last: dict[_Same, int] = {}
    overlapping: set[_Same] = set()
    for call in recording.calls:
        same = _same(recording.operation(call.command), call.command)
        if same in last and not 0 < last[same] <= call.command.task:
            overlapping.add(same)
        last[same] = call.task
    return frozenset(set(last) - overlapping)


@dataclass(slots=True)
class Answers:
    """The answers of one recording for one run."""

    recording: Recording
    alterations: Alterations
    given: list[Given] = field(default_factory=list)
    ladder: Ladder = field(init=False)
    timers: list[Call] = field(init=False)
    asked: Counter[str] = field(default_factory=Counter)
    due_ns: dict[_Same, int] = field(default_factory=dict)
    polled: frozenset[_Same] = field(init=False)

    def __post_init__(self) -> None:
        calls = self.recording.calls
        self.ladder = Ladder(
            [
                Entry(
                    op=self.recording.operation(call.command),
                    key=key_of(call.command),
                    request=request_of(call.command),
                    answer={"~how": call.how, **flatten(call.value)},
                    label=f"{call.command.label} at {call.command.place}",
                )
                for call in calls
            ],
            Noise(),
            self.recording.given,
        )
        self.timers = list(self.recording.timers)
        self.polled = _polled(self.recording)

    def answer(self, command: Command, now_ns: int = 0) -> Given:
        """Find what a command gets at a moment, and remember it."""
        operation = self.recording.operation(command)
        self.asked[operation] += 1
        match = self.ladder.find(operation, key_of(command), request_of(command))
        call = None if match.number is None else self.recording.calls[match.number]
        rung, ambiguous = match.rung, match.ambiguous
        same = _same(operation, command)
        if same in self.polled and rung != "structural" and self.due_ns.get(same, 0) <= now_ns:
            ambiguous = ""  # one after the other, here as there: their order tells them apart
        if command.kind == "local_activity" and call is not None:
            # Its arguments were not recorded: its number and name alone say which one it is.
            rung = "structural"
        command = self.alterations.in_force(operation, command)
        found, why = None, "nothing recorded answers it"
        if call is not None:
            found, why = settled(call, command, self.recording.end_ns)
        declared = self.alterations.declared(operation, self.asked[operation], command, call, found)
        if declared is not None:
            found = declared
            rung = "donor" if declared.lent else rung
        told = Given(
            command=command, operation=operation, rung=rung if found is not None else "missing",
            ambiguous=ambiguous, call=call, settled=found, why="" if found is not None else why,
        )  # fmt: skip
        self.given.append(told)
        if found is not None:
            self.due_ns[same] = now_ns + found.latency_ns
        if declared is not None and match.number is not None:
            self.ladder.answered(match.number, flatten(declared.value))
        return told

    def timer_ns(self, command: Command) -> tuple[int, Call | None]:
        """How long a timer runs: as recorded where one of that length was, else its own length."""
        length = int(command.fields["start_to_fire_timeout_ns"])
        for index, call in enumerate(self.timers):
            if call.command.fields["start_to_fire_timeout_ns"] == length:
                del self.timers[index]
                return (call.latency_ns, call) if call.how == "completed" else (length, None)
        return length, None

    def counts(self) -> dict[str, int]:
        """How many answers came from each rung."""
        counts = Counter(given.rung for given in self.given)
        counts["ambiguous"] = sum(bool(given.ambiguous) for given in self.given)
        return dict(sorted(counts.items()))

    def unread(self) -> Sequence[Call]:
        """Recorded calls that nobody repeated."""
        return [self.recording.calls[number] for number in self.ladder.unread()]
