"""Counterfactuals: a changed program or changed answers, with the class of what can be claimed."""

from collections.abc import Sequence
from dataclasses import replace

from replay.change import apply_changes, donors_of
from replay.faults import Faults, limited, single_answers
from replay.interpret import Machine
from replay.judge import Judged, judge
from replay.match import Answers
from replay.recording import Recording, alter
from replay.scenario import Scenario
from replay.settings import ReplaySettings
from replay.timeouts import TIMEOUT, Timeouts
from store.conclusions import Divergence, ReplayResult
from store.errors import DataError

MILLISECOND_NS = 1_000_000
# Doubts about times only, or about what is labelled anyway; they do not void a claim.
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


def what_if(
    control: ReplayResult,
    machine: Machine,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
    recordings: int,
    successor: Machine | None = None,
) -> ReplayResult:
    """Run the scenario, if the control replay passed and enough recordings are known.

    `successor` is the program of the version that the scenario names.
    """
    named = replace(
        control,
        scenario=scenario.name,
        control_verdict=control.verdict,
        control_digest=control.digest,
    )
    if recordings < settings.scenario_flows_min:
        least = settings.scenario_flows_min
        return replace(
            named, reason=f"control only: {recordings} recordings, a what-if needs {least}"
        )
    if control.verdict not in ("identical", "equivalent"):
        return replace(named, reason="the control replay diverged, so no counterfactual is shown")
    if any(c.capacity is not None or c.breaker_failures is not None for c in scenario.changes):
        why = "capacity and breakers act on all flows at once; `replay population` simulates them"
        return replace(named, reason=f"not identified from one flow: {why}")
    try:
        if scenario.version is not None and successor is None:
            raise DataError(f"no program of version {scenario.version!r} of this kind is known")
        other = _changed(machine if successor is None else successor, scenario)
        altered = _altered(recording, scenario)
    except DataError as error:
        return replace(named, reason=f"the scenario does not fit this flow: {error}")
    judged, timeouts = _run(other, altered, recording, scenario, settings, None)
    return _write(named, judged, timeouts, other, altered, recording, scenario, settings)


def _altered(recording: Recording, scenario: Scenario) -> Recording:
    for op, item in single_answers(scenario.answers, recording):
        nth = item.nth or 1
        latency = None if item.latency_ms is None else item.latency_ms * MILLISECOND_NS
        if item.latency_percent is not None:
            latency = latency_of(recording, op, nth) * item.latency_percent // 100
        status = item.status
        limit = None if latency is None else limited(recording, op, nth, latency, scenario.changes)
        if limit is not None:
            # The caller would have given up before this answer came.
            status, latency = TIMEOUT, limit
        recording = alter(
            recording, op, nth=nth, status=status, latency_ns=latency, fields=item.fields
        )
    return recording


def _changed(machine: Machine, scenario: Scenario) -> Machine:
    """Give the machine with the scenario's settings; made once per program."""
    if not scenario.changes:
        return machine
    if scenario.changes not in machine.variants:
        program = apply_changes(machine.program, scenario.changes)
        machine.variants[scenario.changes] = Machine(program)
    return machine.variants[scenario.changes]


def _run(
    machine: Machine,
    altered: Recording,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
    retry_unseen: bool | None,
    good: bool | None = None,
) -> tuple[Judged, Timeouts]:
    """Run once; `good` settles what only other flows tell of (None: what is more likely)."""
    donors = donors_of(machine.program)
    timeouts = Timeouts(scenario.changes, donors, good)
    answers = Answers.of(altered, donors)
    answers.reshape = timeouts.reshape
    answers.lend_failures = good is False
    if any(item.nth is None for item in scenario.answers):
        answers.overrule = Faults(scenario.answers, scenario.changes).overrule
    run = machine.run(recording.input, answers, retry_unseen)
    return judge(run, recording, machine.program, settings), timeouts


def _write(
    named: ReplayResult,
    judged: Judged,
    timeouts: Timeouts,
    machine: Machine,
    altered: Recording,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
) -> ReplayResult:
    run = judged.run
    claim, reasons = _claim(scenario, judged, timeouts)
    harmless: tuple[str, ...] = _HARMLESS
    if run.ending is None or not run.ending.undo_failed:
        # When all compensations succeed, their order decides nothing.
        harmless += _ORDER_ONLY
    doubts = [flag for flag in run.flags if not flag.startswith(harmless)]
    if doubts:
        claim = None
        reasons.insert(0, "not identified: " + "; ".join(doubts[:_FLAGS_SHOWN_MAX]))
    if any(flag.startswith(_FORKING) for flag in doubts):
        reasons.append(_fork(machine, altered, recording, scenario, settings))
    low, high = run.end_low, run.end_high
    if timeouts.open_ or any(flag.startswith("donor_answer") for flag in run.flags):
        # Nobody knows what these calls would have got: both ends bound the answer.
        text, low, high = _either(machine, altered, recording, scenario, settings)
        reasons.append(text)
    divergences = (*judged.comparison.divergences, *_unread(scenario, judged, recording))
    return replace(
        named,
        verdict=judged.comparison.verdict,
        digest=judged.digest,
        outcome=run.outcome,
        virtual_duration_ns=run.end,
        virtual_low_ns=low,
        virtual_high_ns=high,
        flags=(*run.flags, *(flag for flag in named.flags if flag.startswith("set_aside"))),
        divergences=divergences,
        answers=dict(run.counts),
        claim=claim,
        reason="; ".join(reason for reason in reasons if reason),
        events=judged.events if settings.keep_events else (),
    )


def _claim(scenario: Scenario, judged: Judged, timeouts: Timeouts) -> tuple[str | None, list[str]]:
    """Give the weakest class any part of the result rests on, and what it rests on."""
    classes = {"C1"} | timeouts.classes
    reasons = list(timeouts.reasons)
    if any(change.threshold is not None for change in scenario.changes):
        classes.add("C2")
        reasons.append("the routing is recomputed from recorded values")
    if any(answer.fields for answer in scenario.answers):
        classes.add("C2")
    if scenario.version is not None:
        classes.add("C2")
        reasons.append(f"the inferred program of version {scenario.version} ran on these answers")
    counts = judged.run.counts
    lent = [flag for flag in judged.run.flags if flag.startswith("donor_answer")]
    if lent:
        classes.add("C3")
        reasons.extend(f"answers lent: {flag}" for flag in lent)
    if counts.get("missing", 0) and any(f.startswith("missing_answer") for f in judged.run.flags):
        return None, ["not identified: no recording answers a call of the changed flow", *reasons]
    if scenario.population:
        classes.add("C4")
        reasons.append("for all flows at once load feeds back: read this as qualitative")
    else:
        reasons.append("for this flow alone: load feedback is not part of the claim")
    return max(classes), reasons


def _fork(
    machine: Machine,
    altered: Recording,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
) -> str:
    """Where it was never seen whether an answer is retried, show both ways."""
    ways = [
        _run(machine, altered, recording, scenario, settings, retry)[0].run.outcome
        for retry in (True, False)
    ]
    return f"if the unseen answer is retried the flow ends {ways[0]}, if not {ways[1]}"


def _either(
    machine: Machine,
    altered: Recording,
    recording: Recording,
    scenario: Scenario,
    settings: ReplaySettings,
) -> tuple[str, int, int]:
    """Run with all that others tell of at its best and at its worst; both ends, and the bounds
    of the duration over both."""
    runs = [
        _run(machine, altered, recording, scenario, settings, None, good)[0].run
        for good in (True, False)
    ]
    ends = [run.outcome for run in runs]
    if ends[0] == ends[1]:
        text = f"with good answers from others or bad ones, the flow ends {ends[0]}"
    else:
        text = f"with good answers from others the flow ends {ends[0]}, with bad ones {ends[1]}"
    return text, min(run.end_low for run in runs), max(run.end_high for run in runs)


def latency_of(recording: Recording, op: str, nth: int) -> int:
    """Give how long the nth answer of an operation took; 0 when there is none."""
    attempts = sorted(
        (attempt.start_ns, attempt.latency_ns)
        for step in recording.steps
        if step.op == op
        for attempt in step.attempts
    )
    return attempts[nth - 1][1] if nth <= len(attempts) else 0


def _unread(scenario: Scenario, judged: Judged, recording: Recording) -> Sequence[Divergence]:
    """Name altered answers that changed nothing."""
    if judged.comparison.verdict != "identical":
        return ()
    steps = {step.op: step.step_id for step in reversed(recording.steps)}
    return [
        Divergence(
            kind="unread_answer",
            step_id=steps.get(answer.operation, answer.operation),
            recorded=None,
            replayed=None,
            path=f"response.{path}",
        )
        for answer in scenario.answers
        for path in answer.fields
    ]
