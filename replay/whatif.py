"""Counterfactuals: a changed program or changed answers, with the class of what can be claimed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from replay.asked import Asked, Guess, changed_machine
from replay.doubts import in_words
from replay.faults import named
from replay.interpret import Machine
from replay.judge import Judged
from replay.lent import Deciding, deciding
from replay.match import BOUND
from replay.overlap import doubt_longer_silence, doubt_overlaps
from replay.recording import Recording
from replay.run import Run
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from replay.timeouts import Timeouts
from store.conclusions import Divergence, ReplayResult
from store.errors import DataError

# The flag that names another end which answers of other flows leave open.
OTHER_END = "other_outcome"
# Doubts about times only, or about what is labelled or looked at anyway; they void no claim.
_HARMLESS = (
    "unexplained_wait",
    "unexplained_delay",
    "unconfirmed_wait",
    "extrapolated_delay",
    "donor_answer",
    OTHER_END,
    "backoff_unlike_declared",
    "set_aside",
)
_FORKING = ("novel_status", "unseen_attempt_state", "beyond_seen_attempts")
_FLAGS_SHOWN_MAX = 3
# Stands between the ends that a result leaves open, where they are written in one line.
OR = " or "
# How the reason of a result begins that the changed program gave, and that is no claim.
_NOT_IDENTIFIED = "not identified: "


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
    if scenario.acts_on_all:
        why = "capacity and breakers act on all flows at once; `replay population` simulates them"
        return replace(shown, reason=f"shown is the control: {why}")
    try:
        if scenario.version is not None and successor is None:
            raise DataError(f"no program of version {scenario.version!r} of this kind is known")
        other = changed_machine(machine if successor is None else successor, scenario)
        asked = Asked(other, recording, scenario, settings, baseline or recording)
    except DataError as error:
        return replace(
            shown, reason=f"shown is the control, the scenario does not fit this flow: {error}"
        )
    return _write(shown, asked, machine)


def _write(control: ReplayResult, asked: Asked, unchanged: Machine) -> ReplayResult:
    run, timeouts = asked.run()
    judged = asked.judge(run)
    untouched = judged.digest == control.control_digest
    if not untouched:
        doubt_overlaps(run, asked.machine)
        doubt_longer_silence(run, unchanged, asked.recording)
    bodies = {*asked.lent, *timeouts.lent}
    decided = [
        value
        for value in deciding(run, asked.machine.program, bodies, asked.stated)
        if not asked.declares(value.op, value.path)
    ]
    for value in decided:
        run.doubt(value.op, [("lent_value_decides", value.path)])
    for op, known in timeouts.unnamed.items():
        run.doubt(op, [("callee_status_unknown", " or ".join(known) or None)])
    scenario, settings = asked.scenario, asked.settings
    claim, reasons = _claim(scenario, run, timeouts, asked.lent)
    # What the control doubts too, and got right, the recording itself bears out.
    borne_out = control.flags if untouched else ()
    doubts = doubts_of(flag for flag in run.flags if flag not in borne_out)
    if asked.goes_another_way(run):
        program = asked.machine.program
        whole = program.flows + program.set_aside
        doubts.append(f"{program.set_aside} of {whole} recordings went ways it does not explain")
    if doubts:
        claim = None
        shown = [in_words(doubt) for doubt in doubts[:_FLAGS_SHOWN_MAX]]
        reasons.insert(0, _NOT_IDENTIFIED + "; ".join(shown))
    elif untouched:
        reasons.insert(0, _untouched(asked))
    told = [_told(asked, value) for value in decided]
    told += [_failed_as(asked, op, known) for op, known in timeouts.unnamed.items() if known]
    if any(flag.startswith(_FORKING) for flag in doubts):
        reasons += _recorded_there(asked, doubts)
        told.insert(0, _fork(asked))
    low, high = run.end_low, run.end_high
    if timeouts.open_ or any(flag.startswith("donor_answer") for flag in run.flags):
        # Nobody knows what these calls would have got: both ends bound the answer.
        either, low, high = _either(asked)
        told.append(either)
    reasons += [one.text for one in told]
    open_ends = [end for one in told for end in one.ends if end != run.outcome]
    run.doubt("outcome", [("other_outcome", end) for end in open_ends])
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


def doubts_of(flags: Iterable[str]) -> list[str]:
    """Keep the flags that void a claim."""
    return [flag for flag in flags if not flag.startswith(_HARMLESS)]


def ends_of(result: ReplayResult) -> tuple[str, ...]:
    """Give the ends a result leaves open, its own first: more than one where what nobody recorded
    decides, as answers that other flows lend."""
    others = [flag.partition(": ")[2] for flag in result.flags if flag.startswith(OTHER_END)]
    return tuple(dict.fromkeys((result.outcome, *others)))


def answered(result: ReplayResult) -> bool:
    """Say whether a result is what the changed program gave, certain or not; else it shows the
    control, and its reason says why."""
    return result.claim is not None or result.reason.startswith(_NOT_IDENTIFIED)


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
        reasons.extend(in_words(flag) for flag in lent)
    if counts.get("missing", 0) and any(f.startswith("missing_answer") for f in run.flags):
        none = f"{_NOT_IDENTIFIED}no recording answers a call of the changed flow"
        return None, [none, *reasons]
    if scenario.population:
        classes.add("C4")
        reasons.append("for all flows at once load feeds back: read this as qualitative")
    else:
        reasons.append("for this flow alone: load feedback is not part of the claim")
    return max(classes), reasons


def _untouched(asked: Asked) -> str:
    """Say that the flow went as it did, and whether it calls what was changed at all."""
    scenario = asked.scenario
    calls = sorted({step.op for step in asked.recording.steps})
    meant = [change.operation for change in scenario.changes]
    meant += [answer.operation for answer in scenario.answers]
    if meant and not any(named(operation, calls) for operation in meant):
        return f"untouched: this flow never calls {', '.join(dict.fromkeys(meant))}"
    return "the change makes no difference to this flow"


def _recorded_there(asked: Asked, doubts: Sequence[str]) -> list[str]:
    """For each status never seen at an operation, list those that were."""
    operations = asked.machine.program.operations
    return [
        f"{name} was recorded with {', '.join(operation.repeat.statuses)}"
        for name, operation in sorted(operations.items())
        if any(doubt.startswith(f"novel_status {name}:") for doubt in doubts)
    ]


class _Told(NamedTuple):
    """How the flow ends by each guess: in words, and the ends by name."""

    text: str
    ends: Sequence[str]


def _fork(asked: Asked) -> _Told:
    """Where it was never seen whether an answer is retried, show both ways."""
    ways = [asked.run(Guess(retry_unseen=retry)).run.outcome for retry in (True, False)]
    text = f"if the unseen answer is retried the flow ends {ways[0]}, if not {ways[1]}"
    return _Told(text, ways)


def _either(asked: Asked) -> tuple[_Told, int, int]:
    """Run with all that others tell of at its best and at its worst; both ends, and the bounds of
    the duration over both."""
    runs = [asked.run(Guess(good=good)).run for good in (True, False)]
    ends = [run.outcome for run in runs]
    if ends[0] == ends[1]:
        text = f"with good answers from others or bad ones, the flow ends {ends[0]}"
    else:
        text = f"with good answers from others the flow ends {ends[0]}, with bad ones {ends[1]}"
    told = _Told(text, ends)
    return told, min(run.end_low for run in runs), max(run.end_high for run in runs)


def _told(asked: Asked, value: Deciding) -> _Told:
    """Run with each thing that donors said; how the flow then ends."""
    guesses = [
        ("nothing" if choice is None else str(choice), Guess(said=(value.op, value.path, choice)))
        for choice in value.choices
    ]
    ends = _ends(asked, guesses)
    told = [f"{said}, the flow ends {end}" for end, said in ends.items()]
    text = f"if {value.op} says {value.path} {'; if '.join(told)}" if told else ""
    return _Told(text, [*ends])


def _failed_as(asked: Asked, op: str, known: Sequence[str]) -> _Told:
    """Run with each status that a failed answer may have had; how the flow then ends."""
    ends = _ends(asked, [(status, Guess(failed_as=status)) for status in known])
    told = [f"with {said}, the flow ends {end}" for end, said in ends.items()]
    return _Told(f"if {op} failed {', '.join(told)}", [*ends])


def _ends(asked: Asked, guesses: Iterable[tuple[str, Guess]]) -> dict[str, str]:
    """Give each end that the guesses lead to, and the names of those that do."""
    ends: dict[str, list[str]] = {}
    for name, guess in guesses:
        ends.setdefault(asked.run(guess).run.outcome, []).append(name)
    return {end: " or ".join(names) for end, names in ends.items()}


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
