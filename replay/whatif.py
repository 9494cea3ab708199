"""Counterfactuals: a changed program or changed answers, with the class of what can be claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from replay.change import apply_changes, donors_of
from replay.faults import Faults, limited, named, single_answers
from replay.interpret import Machine
from replay.judge import Judged, judge
from replay.ladder import telling
from replay.leaves import Leaves, Scalar
from replay.lent import Deciding, deciding
from replay.match import BOUND, Answers
from replay.overlap import doubt_overlaps
from replay.recording import Recording, alter, nth_answer
from replay.run import Run
from replay.scenario import AlteredAnswer, Scenario
from replay.settings import ReplaySettings
from replay.timeouts import TIMEOUT, Timeouts
from store.conclusions import Divergence, ReplayResult
from store.errors import DataError

MILLISECOND_NS = 1_000_000
OK = "ok"
# Doubts about times only, or about what is labelled or looked at anyway; they void no claim.
_HARMLESS = (
    "unexplained_wait",
    "unexplained_delay",
    "unconfirmed_wait",
    "extrapolated_delay",
    "donor_answer",
    "backoff_unlike_declared",
    "set_aside",
)
_ORDER_ONLY = ("order_tie", "rival_undo_order")
_FORKING = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts")
_FLAGS_SHOWN_MAX = 3
# Below this share, what a program does not explain is odd rather than a way of its own.
UNEXPLAINED_PERCENT_MIN = 5


def what_if(
    control: ReplayResult,
    machine: Machine,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
    recordings: int,
    successor: Machine | None = None,
    baseline: Recording | None = None,
) -> ReplayResult:
    """Run the scenario, if the control replay passed and enough recordings are known.

    `successor` is the program of the version that the scenario names. What changes is judged
    against `baseline`, where one is given, else against the recording.
    """
    shown = replace(
        control,
        scenario=scenario.name,
        control_verdict=control.verdict,
        control_digest=control.digest,
    )
    if recordings < settings.scenario_flows_min:
        least = settings.scenario_flows_min
        return replace(
            shown, reason=f"control only: {recordings} recordings, a what-if needs {least}"
        )
    if control.verdict not in ("identical", "equivalent"):
        return replace(shown, reason="the control replay diverged, so no counterfactual is shown")
    if any(c.capacity is not None or c.breaker_failures is not None for c in scenario.changes):
        why = "capacity and breakers act on all flows at once; `replay population` simulates them"
        return replace(shown, reason=f"shown is the control: {why}")
    try:
        if scenario.version is not None and successor is None:
            raise DataError(f"no program of version {scenario.version!r} of this kind is known")
        other = _changed(machine if successor is None else successor, scenario)
        asked = _Asked(other, recording, scenario, settings, baseline or recording)
    except DataError as error:
        return replace(
            shown, reason=f"shown is the control, the scenario does not fit this flow: {error}"
        )
    return _write(shown, asked)


class _Asked:
    """A scenario asked of one flow: the changed program, the altered recording.

    `lent` gives operations, and which answer of them has a body that the program's donors lend;
    `instead` gives for telling values that the scenario puts into answers the recorded ones.
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

    def run(
        self,
        retry_unseen: bool | None = None,
        good: bool | None = None,
        said: tuple[str, str, Scalar] | None = None,
    ) -> "_Ran":
        """Run once; `retry_unseen` settles whether an answer never seen is retried, `good` what
        only other flows tell of (None: what is more likely), `said` one value of what is lent:
        operation, path, value."""
        donors, altered = self.donors, self.altered
        if said is not None:
            op, path, value = said
            response = {**donors[op].response, path: value}
            donors = {**donors, op: replace(donors[op], response=response)}
            if op in self.lent:
                altered = alter(altered, op, nth=self.lent[op], fields={path: value})
        timeouts = Timeouts(self.scenario.changes, donors, good)
        answers = Answers.of(altered, donors)
        answers.reshape = timeouts.reshape
        answers.lend_failures = good is False
        answers.instead = self.instead
        if any(item.nth is None for item in self.scenario.answers):
            answers.overrule = Faults(self.scenario.answers, self.scenario.changes).overrule
        return _Ran(self.machine.run(self.recording.input, answers, retry_unseen), timeouts)

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


class _Ran(NamedTuple):
    run: Run
    timeouts: Timeouts


def _changed(machine: Machine, scenario: Scenario) -> Machine:
    """Give the machine with the scenario's settings; made once per program."""
    if not scenario.changes:
        return machine
    if scenario.changes not in machine.variants:
        program = apply_changes(machine.program, scenario.changes)
        machine.variants[scenario.changes] = Machine(program)
    return machine.variants[scenario.changes]


def _write(control: ReplayResult, asked: _Asked) -> ReplayResult:
    run, timeouts = asked.run()
    doubt_overlaps(run, asked.machine)
    decided = deciding(run, asked.machine.program, {*asked.lent, *timeouts.lent})
    for value in decided:
        run.doubt(value.op, [("lent_value_decides", value.path)])
    judged = asked.judge(run)
    scenario, settings = asked.scenario, asked.settings
    claim, reasons = _claim(scenario, run, timeouts, asked.lent)
    undo_failed = run.ending is not None and run.ending.undo_failed
    doubts = doubts_of(run.flags, undo_failed=undo_failed)
    if asked.goes_another_way(run):
        program = asked.machine.program
        whole = program.flows + program.set_aside
        doubts.append(f"{program.set_aside} of {whole} recordings went ways it does not explain")
    if doubts:
        claim = None
        reasons.insert(0, "not identified: " + "; ".join(doubts[:_FLAGS_SHOWN_MAX]))
    if any(flag.startswith(_FORKING) for flag in doubts):
        reasons += [*_recorded_there(asked, doubts), _fork(asked)]
    reasons += [told for value in decided if (told := _told(asked, value))]
    if judged.digest == control.control_digest:
        reasons.insert(0, _untouched(asked))
    low, high = run.end_low, run.end_high
    if timeouts.open_ or any(flag.startswith("donor_answer") for flag in run.flags):
        # Nobody knows what these calls would have got: both ends bound the answer.
        text, low, high = _either(asked)
        reasons.append(text)
    divergences = (*judged.comparison.divergences, *_unread(scenario, judged, asked.recording))
    return replace(
        control,
        verdict=judged.comparison.verdict,
        digest=judged.digest,
        outcome=run.outcome,
        virtual_duration_ns=run.end,
        virtual_low_ns=low,
        virtual_high_ns=high,
        flags=(*run.flags, *(flag for flag in control.flags if flag.startswith("set_aside"))),
        divergences=divergences,
        answers=dict(run.counts),
        claim=claim,
        reason="; ".join(reason for reason in reasons if reason),
        events=judged.events if settings.keep_events else (),
    )


def doubts_of(flags: Iterable[str], *, undo_failed: bool) -> list[str]:
    """Keep the flags that void a claim."""
    # When all compensations succeed, their order decides nothing.
    harmless = _HARMLESS if undo_failed else (*_HARMLESS, *_ORDER_ONLY)
    return [flag for flag in flags if not flag.startswith(harmless)]


def _claim(
    scenario: Scenario, run: Run, timeouts: Timeouts, lent_bodies: Iterable[str]
) -> tuple[str | None, list[str]]:
    """Give the weakest class any part of the result rests on, and what it rests on."""
    classes = {"C1"} | timeouts.classes
    reasons = list(timeouts.reasons)
    if any(change.threshold is not None for change in scenario.changes):
        classes.add("C2")
        reasons.append("the routing is recomputed from recorded values")
    if any(answer.fields for answer in scenario.answers):
        classes.add("C2")
    followed = {
        (call.op, call.key, call.stream): None
        for call in run.calls
        if call.rung == BOUND and call.stream not in ("", call.key)
    }
    for op, key, stream in followed:
        reasons.append(f"{op}: the answers for {key} were recorded for {stream}")
    if lent_bodies:
        classes.add("C3")
        reasons.append(f"the body of a good answer is lent: {', '.join(lent_bodies)}")
    if scenario.version is not None:
        classes.add("C2")
        reasons.append(f"the inferred program of version {scenario.version} ran on these answers")
    counts = run.counts
    lent = [flag for flag in run.flags if flag.startswith("donor_answer")]
    if lent:
        classes.add("C3")
        reasons.extend(f"answers lent: {flag}" for flag in lent)
    if counts.get("missing", 0) and any(f.startswith("missing_answer") for f in run.flags):
        return None, ["not identified: no recording answers a call of the changed flow", *reasons]
    if scenario.population:
        classes.add("C4")
        reasons.append("for all flows at once load feeds back: read this as qualitative")
    else:
        reasons.append("for this flow alone: load feedback is not part of the claim")
    return max(classes), reasons


def _untouched(asked: _Asked) -> str:
    """Say that the flow went as it did, and whether it calls what was changed at all."""
    scenario = asked.scenario
    calls = sorted({step.op for step in asked.recording.steps})
    meant = [change.operation for change in scenario.changes]
    meant += [answer.operation for answer in scenario.answers]
    if meant and not any(named(operation, calls) for operation in meant):
        return f"untouched: this flow never calls {', '.join(dict.fromkeys(meant))}"
    return "the change makes no difference to this flow"


def _recorded_there(asked: _Asked, doubts: Sequence[str]) -> list[str]:
    """For each status never seen at an operation, list those that were."""
    operations = asked.machine.program.operations
    return [
        f"{name} was recorded with {', '.join(operation.repeat.statuses)}"
        for name, operation in sorted(operations.items())
        if any(doubt.startswith(f"novel_status {name}:") for doubt in doubts)
    ]


def _fork(asked: _Asked) -> str:
    """Where it was never seen whether an answer is retried, show both ways."""
    ways = [asked.run(retry_unseen=retry).run.outcome for retry in (True, False)]
    return f"if the unseen answer is retried the flow ends {ways[0]}, if not {ways[1]}"


def _either(asked: _Asked) -> tuple[str, int, int]:
    """Run with all that others tell of at its best and at its worst; both ends, and the bounds
    of the duration over both."""
    runs = [asked.run(good=good).run for good in (True, False)]
    ends = [run.outcome for run in runs]
    if ends[0] == ends[1]:
        text = f"with good answers from others or bad ones, the flow ends {ends[0]}"
    else:
        text = f"with good answers from others the flow ends {ends[0]}, with bad ones {ends[1]}"
    return text, min(run.end_low for run in runs), max(run.end_high for run in runs)


def _told(asked: _Asked, value: Deciding) -> str:
    """Run with each thing that donors said; how the flow then ends."""
    ends: dict[str, list[str]] = {}
    for choice in value.choices:
        outcome = asked.run(said=(value.op, value.path, choice)).run.outcome
        ends.setdefault(outcome, []).append("nothing" if choice is None else str(choice))
    told = [f"{' or '.join(said)}, the flow ends {outcome}" for outcome, said in ends.items()]
    return f"if {value.op} says {value.path} {'; if '.join(told)}" if told else ""


def _unread(scenario: Scenario, judged: Judged, recording: Recording) -> Sequence[Divergence]:
    """Name altered answers that changed nothing."""
    if judged.comparison.verdict != "identical":
        return ()
    steps = {step.op: step.step_id for step in reversed(recording.steps)}
    return [
        Divergence(
            kind="unread_answer",
            step_id=steps[op],
            recorded=None,
            replayed=None,
            path=f"response.{path}",
        )
        for answer in scenario.answers
        for op in named(answer.operation, sorted(steps))
        for path in answer.fields
    ]
