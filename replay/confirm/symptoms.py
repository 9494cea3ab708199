"""What is wrong with a flow, seen in its recording and in a run alike."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from replay.infer.view import base_name
from replay.recording import Recording
from replay.run import Run
from replay.timeouts import TIMEOUT
from store.conclusions import Finding, FlowOutcome, Verdict

BAD = frozenset(
    str(outcome)
    for outcome in (
        FlowOutcome.FAILED,
        FlowOutcome.COMPENSATED,
        FlowOutcome.PARTIALLY_COMPENSATED,
        FlowOutcome.COMPENSATION_FAILED,
    )
)
DOUBLED = "duplicate_effect"
SLOW = "slow"
ACTED = "below_threshold_action"
LOCAL_KINDS = ("decision ", "gate ", "timer ", "message ")
SYMPTOMS: Mapping[str, str] = {
    "doubled": "something was done more than once",
    "acted": "the flow acted on a decision below its threshold",
    "repeated": "a call was asked again after no clear answer",
    "outcome": "the flow failed or had to be undone",
    SLOW: "the flow took longer than nineteen in twenty did before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """How a symptom is seen in a recording, and in a run beside the control run of the flow.

    `early` says that what comes later in the run does not matter, so doubts about it do not either.
    """

    of_recording: Callable[[Recording], bool]
    of_run: Callable[[Recording, Run, Run], bool]
    early: bool = False


def signs_of(earlier: Sequence[Recording], findings: Sequence[Finding]) -> Mapping[str, Sign]:
    """The symptoms by name; `earlier` flows say what is slow, findings what was done wrong."""
    durations = sorted(recording.duration_ns for recording in earlier)
    limit = durations[(len(durations) - 1) * 19 // 20]
    doubled = _flows_of(findings, DOUBLED)
    acted = _flows_of(findings, ACTED)
    return {
        "doubled": Sign(
            of_recording=lambda recording: recording.flow_id in doubled,
            of_run=lambda recording, run, control: _twice(run),
        ),
        "acted": Sign(
            of_recording=lambda recording: recording.flow_id in acted,
            of_run=lambda recording, run, control: (
                _after_decision(recording, run) == _after_decision(recording, control)
            ),
            early=True,
        ),
        "repeated": Sign(
            of_recording=lambda recording: any(
                len(step.attempts) > 1 and step.undoes is None for step in recording.steps
            ),
            of_run=lambda recording, run, control: any(
                not call.first and not call.recovery for call in run.calls
            ),
        ),
        "outcome": Sign(
            of_recording=lambda recording: recording.outcome in BAD,
            of_run=lambda recording, run, control: run.outcome in BAD,
        ),
        SLOW: Sign(
            of_recording=lambda recording: recording.duration_ns > limit,
            of_run=lambda recording, run, control: run.end > limit,
        ),
    }


def _flows_of(findings: Sequence[Finding], detector: str) -> frozenset[str]:
    return frozenset(
        finding.flow_id
        for finding in findings
        if finding.detector == detector
        and finding.verdict is Verdict.VIOLATION
        and finding.flow_id is not None
    )


def _twice(run: Run) -> bool:
    """Whether an operation was asked again after a call that may have had its effect."""
    asked: Counter[tuple[str, str]] = Counter()
    for call in sorted(run.calls, key=lambda call: (call.start, call.place, call.attempt)):
        if not call.recovery:
            place = (base_name(call.op).partition(" ")[2], call.key)
            if asked[place]:
                return True
            asked[place] += call.status in (TIMEOUT, "ok")
    return False


def _after_decision(recording: Recording, run: Run) -> str:
    """The first call to another service after the flow's first decision; "" when there is none.

    What ran beside the decision did not wait for it.
    """
    decisions = {step.op for step in recording.steps if step.kind == "decision"}
    ordered = sorted(run.calls, key=lambda call: (call.start, call.place, call.attempt))
    taken = [call.end for call in ordered if base_name(call.op) in decisions and call.first]
    for call in ordered:
        name = base_name(call.op)
        ours = name in decisions or name.startswith(LOCAL_KINDS)
        if taken and call.start >= taken[0] and not ours:
            return name
    return ""
