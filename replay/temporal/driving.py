"""A history's workflow run past where Temporal stops, and what may be said of the run.

In: a child that has just replayed the history, perhaps a scenario. Out: a replay result whose
outcome, times, answers and divergences are those of the whole run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from replay.digest import event_log_digest
from replay.scenario import Scenario
from replay.temporal.alterations import Alterations
from replay.temporal.answering import Answers
from replay.temporal.commands import Command
from replay.temporal.compare import Difference, compare
from replay.temporal.donors import Donors
from replay.temporal.driver import Driver, Run
from replay.temporal.effects import effects_told
from replay.temporal.process import WorkflowChild
from replay.temporal.recording import Recording, recording_of
from store.conclusions import Divergence, ReplayResult
from store.errors import DataError
from store.model import JsonValue

WALL_S_MAX = 30.0
_LOW_RUNGS = ("structural", "donor")


@dataclass(slots=True)
class Driving:
    """One child in which runs of one history are made."""

    child: WorkflowChild
    recording: Recording
    as_new: bool = False

    def run(self, alterations: Alterations | None = None, *, anchored: bool = False) -> Run:
        """One run from the start. Raises ChildError, DataError."""
        answers = Answers(self.recording, alterations or Alterations())
        driver = Driver(self.recording, answers, anchored=anchored, as_new=self.as_new)
        try:
            return driver.go(lambda message: self.child.activate(message, WALL_S_MAX))
        finally:
            self.child.end_run()


def recorded_by(child: WorkflowChild) -> Recording:
    """What the history replayed last recorded, for lending."""
    recording = recording_of(child.recording(WALL_S_MAX))
    child.end_driving()
    return recording


def driven(
    child: WorkflowChild,
    result: ReplayResult,
    scenario: Scenario | None,
    donors: Donors,
    *,
    as_new: bool = False,
) -> ReplayResult:
    """The result of the strict comparison with what the whole run shows in its place; `as_new`
    runs the code as if the workflow had begun today."""
    recording = recording_of(child.recording(WALL_S_MAX))
    try:
        why = _refused(recording)
        if why:
            return replace(result, reason=_joined(result.reason, f"not driven: {why}"))
        driving = Driving(child, recording, as_new)
        control = _told(result, driving, driving.run())
        if scenario is None:
            return control
        return _what_if(control, driving, scenario, donors)
    finally:
        child.end_driving()


def _refused(recording: Recording) -> str:
    if recording.refused:
        return f"{', '.join(recording.refused)} cannot be driven"
    return "" if recording.tasks else "no workflow task was completed"


def _told(
    result: ReplayResult, driving: Driving, run: Run, alterations: Alterations | None = None
) -> ReplayResult:
    """A result with the run's outcome, times, answers and divergences."""
    recording = driving.recording
    found = _difference(recording, run)
    events = [event_of(one, recording.start_ns) for one in run.issued]
    lasted = run.end_ns - recording.start_ns
    # A run of our own may agree where Temporal stopped, as for code that asks whether it replays.
    divergences = tuple(found.divergences) or (() if driving.as_new else result.divergences)
    flags = (*found.doubts, *_either_order(driving, run, alterations), *_flags(recording, run))
    missing = "" if not run.missing else f"ends with no answer: {'; '.join(sorted(run.missing))}"
    return replace(
        result,
        verdict="diverged" if divergences else "equivalent" if found.doubts else "identical",
        digest=event_log_digest(events),
        outcome="unknown" if run.missing else run.outcome,
        virtual_duration_ns=lasted, virtual_low_ns=lasted, virtual_high_ns=lasted,
        divergences=divergences,
        flags=tuple(dict.fromkeys((*flags, *result.flags))),
        answers=run.answers.counts(),
        events=events,
        reason=_joined(result.reason, missing),
    )  # fmt: skip


def event_of(command: Command, start_ns: int) -> dict[str, JsonValue]:
    """A command in the log that the digest is of."""
    return {
        "kind": command.kind,
        "name": command.name,
        "fields": dict(command.fields),
        "task": command.task,
        "at_ns": command.at_ns - start_ns,
    }


def _difference(recording: Recording, run: Run) -> Difference:
    known = run.reached if run.missing or run.failure else None
    found = compare(recording.commands, run.issued, known=known)
    first: list[Divergence] = []
    more: list[Divergence] = []
    if run.failure:
        first.append(
            Divergence(
                kind="exception_changed", step_id=f"workflow task {run.reached}",
                recorded=None, replayed=run.failure,
            )
        )  # fmt: skip
    for given in run.answers.given:
        if given.rung in (*_LOW_RUNGS, "missing") and given.command.kind != "local_activity":
            more.append(
                Divergence(
                    kind="answer_rung_lowered", step_id=given.command.label, recorded="exact",
                    replayed=given.why or given.rung, line=given.command.line,
                )
            )  # fmt: skip
    if not run.missing and not run.failure:
        more += [
            Divergence(
                kind="unread_answer", step_id=f"event {one.event} {one.kind} {one.name}".rstrip(),
                recorded="came", replayed=None,
            )
            for one in run.undelivered
        ]  # fmt: skip
    return Difference(divergences=(*first, *found.divergences, *more), doubts=found.doubts)


def _flags(recording: Recording, run: Run) -> list[str]:
    given = run.answers.given
    found = []
    if run.alone:
        found.append(
            "not identified: a timer ran out that did not in the recording, and whether "
            f"{', '.join(recording.listens)} would have come before is not known"
        )
    found += [f"ambiguous: {one.operation}: {one.ambiguous}" for one in given if one.ambiguous]
    found += [
        f"{one.operation}: {one.settled.note}"
        for one in given
        if one.settled is not None and one.settled.note
    ]
    return [*effects_told(recording, given, whole=not run.missing), *dict.fromkeys(found)]


def _either_order(driving: Driving, run: Run, alterations: Alterations | None) -> list[str]:
    """Signals that came at another place of the run: whether it matters when they come."""
    if not run.strayed:
        return []
    other = driving.run(alterations, anchored=True)
    names = ", ".join(sorted(set(run.strayed)))
    if _ended(other) == _ended(run):
        return [f"{names}: at its recorded time or after what it followed, the flow ends the same"]
    return [
        f"not identified: {names}: at its recorded time the flow ends {_ended(run)}, "
        f"after what it followed {_ended(other)}"
    ]


def _ended(run: Run) -> str:
    return "with no answer" if run.missing else run.outcome


def _what_if(
    control: ReplayResult, driving: Driving, scenario: Scenario, donors: Donors
) -> ReplayResult:
    named = replace(
        control, scenario=scenario.name, control_verdict=control.verdict,
        control_digest=control.digest,
    )  # fmt: skip
    alterations = Alterations(scenario, donors)
    try:
        run = driving.run(alterations)
    except DataError as error:
        return replace(named, reason=f"the scenario does not fit this flow: {error}")
    unused = list(alterations.unused())
    if unused and not alterations.used:
        called = ", ".join(sorted({one.operation for one in run.answers.given}))
        return replace(
            named,
            reason=f"the scenario does not fit this flow: it never calls {', '.join(unused)}; "
            f"it calls: {called}",
        )
    plain = replace(named, reason="", divergences=(), flags=())
    told = _told(plain, driving, run, alterations)
    reasons = [told.reason] if told.reason else []
    flags = [*told.flags, *(f"the scenario's {name} was never called" for name in unused)]
    claim = _claim(scenario, alterations, control, told, flags)
    if alterations.lent:
        reasons.append(_good_or_bad(driving, scenario, donors))
    if control.verdict not in ("identical", "equivalent"):
        reasons.append(
            "no claim: without the scenario this code already differs from the history, so what "
            "differs here is the code's and the scenario's together"
        )
    reasons.append("for this flow alone: load feedback is not part of the claim")
    return replace(told, claim=claim, flags=tuple(flags), reason="; ".join(reasons))


def _claim(
    scenario: Scenario,
    alterations: Alterations,
    control: ReplayResult,
    told: ReplayResult,
    flags: Sequence[str],
) -> str | None:
    """The weakest class that any part of the run rests on; None where none can be claimed."""
    if control.verdict not in ("identical", "equivalent") or told.answers.get("missing"):
        return None
    if any(flag.startswith(("not identified", "ambiguous")) for flag in flags):
        return None
    if told.outcome == "unknown":
        return None
    if alterations.lent or told.answers.get("structural"):
        return "C3"
    return "C2" if any(answer.fields for answer in scenario.answers) else "C1"


def _good_or_bad(driving: Driving, scenario: Scenario, donors: Donors) -> str:
    """Run with donors at their best and at their worst."""
    ends = [_ended(driving.run(Alterations(scenario, donors, good=good))) for good in (True, False)]
    if ends[0] == ends[1]:
        return f"with good answers from others or bad ones, the flow ends {ends[0]}"
    return f"with good answers from others the flow ends {ends[0]}, with bad ones {ends[1]}"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
