"""A scenario asked of one flow: the changed program, its altered answers, and runs of it."""

from dataclasses import replace
from typing import NamedTuple

from replay.change import apply_changes, donors_of
from replay.faults import Faults, limited, named, single_answers
from replay.infer.cancel import CANCELLED
from replay.infer.program import Program
from replay.infer.view import base_name
from replay.interpret import Machine
from replay.judge import Judged, judge
from replay.leaves import Leaves, Scalar
from replay.match import Answers
from replay.noise import telling
from replay.recording import Recording, alter, nth_answer
from replay.run import Run
from replay.scenario import AlteredAnswer, Scenario
from replay.settings import ReplaySettings
from replay.timeouts import MILLISECOND_NS, TIMEOUT, Timeouts

OK = "ok"
# What a caller has where it has no failing answer of its callee.
_NO_ANSWERS = frozenset((OK, TIMEOUT, CANCELLED, "breaker_open"))
# Below this share, what a program does not explain is odd rather than a way of its own.
UNEXPLAINED_PERCENT_MIN = 5


class Guess(NamedTuple):
    """How a run takes what no recording tells; None: as is more likely.

    `retry_unseen` settles whether an answer never seen is retried, `good` what only other flows
    tell of, `said` one value of what is lent (operation, path, value), `failed_as` the status of a
    late answer of which the callee tells no more than that it failed.
    """

    retry_unseen: bool | None = None
    good: bool | None = None
    said: tuple[str, str, Scalar] | None = None
    failed_as: str | None = None


LIKELY = Guess()


class Ran(NamedTuple):
    """A run, and what its timeouts rest on."""

    run: Run
    timeouts: Timeouts


class Asked:
    """A scenario asked of one flow: the changed program, the altered recording.

    `lent` gives operations, and which answer of them has a body that the program's donors lend;
    `stated` the paths in it that the scenario states; `instead` gives for telling values that the
    scenario puts into answers the recorded ones.
    """

    def __init__(
        self,
        machine: Machine,
        recording: Recording,
        scenario: Scenario,
        settings: ReplaySettings,
        against: Recording,
    ) -> None:
        self.machine = machine
        self.recording = recording
        self.scenario = scenario
        self.settings = settings
        self.against = against
        self.donors = donors_of(machine.program)
        self.lent: dict[str, int] = {}
        self.stated: set[tuple[str, str]] = set()
        self.instead: dict[str, str] = {}
        self.altered = recording
        for op, item in single_answers(scenario.answers, recording):
            self._alter(op, item)

    def _alter(self, op: str, item: AlteredAnswer) -> None:
        nth = item.nth or 1
        old = nth_answer(self.altered, op, nth)
        latency = None if item.latency_ms is None else item.latency_ms * MILLISECOND_NS
        if item.latency_percent is not None and old is not None:
            latency = old.latency_ns * item.latency_percent // 100
        status, response = item.status, None
        if old is not None and status is not None and status != old.status:
            # What was said with the old status is no part of an answer with another.
            donor = self.donors.get(op) if status == OK else None
            response = {} if donor is None else donor.response
            if response.keys() - item.fields.keys():
                self.lent[op] = nth
                self.stated.update((op, path) for path in item.fields)
        for path, value in item.fields.items():
            before = None if old is None else old.response.get(path)
            if telling(value) and telling(before):
                self.instead[str(value)] = str(before)
        changes = self.scenario.changes
        limit = None if latency is None else limited(self.altered, op, nth, latency, changes)
        if limit is not None:
            # The caller would have given up before this answer came.
            status, latency, response = TIMEOUT, limit, {}
        self.altered = alter(
            self.altered, op, nth=nth, status=status, latency_ns=latency, fields=item.fields,
            response=response,
        )  # fmt: skip

    def run(self, guess: Guess = LIKELY) -> Ran:
        """Run once."""
        donors, altered = self.donors, self.altered
        if guess.said is not None:
            op, path, value = guess.said
            response = {**donors[op].response, path: value}
            donors = {**donors, op: replace(donors[op], response=response)}
            if op in self.lent:
                altered = alter(altered, op, nth=self.lent[op], fields={path: value})
        timeouts = Timeouts(
            self.scenario.changes, donors, guess.good, failures_of(self.machine.program),
            guess.failed_as,
        )  # fmt: skip
        answers = Answers.of(altered, donors)
        answers.reshape = timeouts.reshape
        answers.lend_failures = guess.good is False
        answers.instead = self.instead
        if any(item.nth is None for item in self.scenario.answers):
            answers.overrule = Faults(self.scenario.answers, self.scenario.changes).overrule
        return Ran(self.machine.run(self.recording.input, answers, guess.retry_unseen), timeouts)

    def declares(self, op: str, path: str) -> bool:
        """Say whether the scenario states a value for every answer of an operation."""
        return any(
            item.nth is None and path in item.fields and named(item.operation, [op])
            for item in self.scenario.answers
        )

    def goes_another_way(self, run: Run) -> bool:
        """Say whether a run got or did anything else than the recording, times aside, by a program
        that does not explain many of its recordings: this may be like one of those."""
        program = self.machine.program
        whole = program.flows + program.set_aside
        if program.set_aside * 100 < UNEXPLAINED_PERCENT_MIN * whole:
            return False
        recorded: dict[tuple[str, str], list[tuple[str, Leaves]]] = {}
        for step in self.recording.steps:
            answers = [(attempt.status, attempt.response) for attempt in step.attempts]
            recorded.setdefault((step.op, step.key), []).extend(answers)
        for call in run.calls:
            if (call.status, call.response) not in recorded.get((call.op, call.stream), ()):
                return True
        found = judge(run, self.recording, program, self.settings).comparison.divergences
        return any(one.kind != "timing_changed" for one in found)

    def judge(self, run: Run) -> Judged:
        """Compare a run with what it is judged against."""
        return judge(run, self.against, self.machine.program, self.settings)


def failures_of(program: Program) -> dict[str, tuple[str, ...]]:
    """Give the statuses with which callees answered that they failed, by operation."""
    return {
        base_name(name): tuple(s for s in made.repeat.statuses if s not in _NO_ANSWERS)
        for name, made in program.operations.items()
    }


def changed_machine(machine: Machine, scenario: Scenario) -> Machine:
    """Give the machine with the scenario's settings; made once per program."""
    if not scenario.changes:
        return machine
    if scenario.changes not in machine.variants:
        program = apply_changes(machine.program, scenario.changes)
        machine.variants[scenario.changes] = Machine(program)
    return machine.variants[scenario.changes]
