"""Histories in, a replay result with two verdicts each out."""

import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue

from replay.code.process import ChildError, Message
from replay.code.settings import Code
from replay.digest import event_log_digest
from replay.scenario import Scenario
from replay.temporal.alterations import refuse
from replay.temporal.commands import ENDS, Command, command_of
from replay.temporal.compare import compare
from replay.temporal.donors import Donors, donors_of
from replay.temporal.driving import driven, event_of, recorded_by
from replay.temporal.histories import RecordedHistory
from replay.temporal.process import WorkflowChild
from replay.temporal.recording import Recording
from store.conclusions import Divergence, ReplayResult

# Temporal's own detector gives a workflow task 2 s; a long history has thousands.
WALL_S_MAX = 120.0
_SENTENCE = re.compile(r'message: "((?:[^"\\]|\\.)+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalReplay:
    """The strict result; Temporal's own word beside it: compatible, incompatible, None if none."""

    result: ReplayResult
    temporal_verdict: str | None


def replay_histories(
    histories: Sequence[RecordedHistory],
    code: Code,
    *,
    scenario: Scenario | None = None,
    as_new: bool = False,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, whole: None,
) -> list[TemporalReplay]:
    """The result of each history, in their order, by as many children as there are cores.

    Code that differs is driven past the difference to its end; with a scenario every history is,
    and the others of its workflow lend what it lacks; with `as_new` every history is, by code that
    takes its patches as if it had begun today. One that breaks the child is unreplayable,
    and the others go on. Raises UsageError when the module cannot be imported at all, DataError
    for a scenario that asks what cannot be done.
    """
    if scenario is not None:
        refuse(scenario)
    count = max(1, min(workers or os.cpu_count() or 1, len(histories)))
    with ExitStack() as stack:
        children: SimpleQueue[WorkflowChild] = SimpleQueue()
        for _ in range(count):
            children.put(stack.enter_context(WorkflowChild(code)))
        threads = stack.enter_context(ThreadPoolExecutor(count))
        lending: list[Recording | None] = [None] * len(histories)
        if scenario is not None:
            lending = list(threads.map(partial(_lent, children), histories))

        def one(numbered: tuple[int, RecordedHistory]) -> TemporalReplay:
            number, history = numbered
            others = [
                recording
                for at, recording in enumerate(lending)
                if recording is not None and at != number
                and workflow_of(histories[at]) == workflow_of(history)
            ]  # fmt: skip
            child = children.get()
            try:
                return _doubted(
                    _replayed(child, history, scenario, donors_of(others), as_new),
                    history.redacted,
                )
            except ChildError as error:
                return _unreplayable(history, str(error))
            finally:
                children.put(child)

        results: list[TemporalReplay] = []
        for result in threads.map(one, enumerate(histories)):
            results.append(result)
            progress(len(results), len(histories))
        return results


def _lent(children: "SimpleQueue[WorkflowChild]", history: RecordedHistory) -> Recording | None:
    """What a history can lend; one that breaks the child lends nothing."""
    child = children.get()
    try:
        told = child.replay(history.workflow_id, history.events, WALL_S_MAX)
        return recorded_by(child) if told.get("kind") == "replayed" else None
    except ChildError:
        return None
    finally:
        children.put(child)


def _replayed(
    child: WorkflowChild,
    history: RecordedHistory,
    scenario: Scenario | None,
    donors: Donors,
    as_new: bool,
) -> TemporalReplay:
    told = child.replay(history.workflow_id, history.events, WALL_S_MAX)
    replayed = judged(history, told, child.about)
    verdict = replayed.result.verdict
    if verdict == "unreplayable":
        return replayed
    result = replayed.result
    if scenario is not None or as_new or verdict == "diverged":
        result = driven(child, result, scenario, donors, as_new=as_new)
    if told["untaken"] and not as_new:
        names = ", ".join(map(str, told["untaken"]))
        older = f"patch {names}: the history is older, so the code took its old branch"
        result = replace(result, flags=(*result.flags, f"{older}; --as-new takes the new one"))
    return replace(replayed, result=result)


def _doubted(replayed: TemporalReplay, redacted: int) -> TemporalReplay:
    """What ran on tokens in the place of values cannot be told to be the same."""
    if not redacted:
        return replayed
    result = replayed.result
    told = f"{redacted} values of the kept history are redacted: the code saw tokens instead"
    verdict = "equivalent" if result.verdict == "identical" else result.verdict
    return replace(replayed, result=replace(result, verdict=verdict, flags=(told, *result.flags)))


def judged(history: RecordedHistory, told: Message, about: Message) -> TemporalReplay:
    """The two verdicts over what the child saw."""
    if told.get("kind") != "replayed":
        return _unreplayable(history, str(told.get("reason") or "the child gave no reason"))
    compatible = bool(told["compatible"])
    recorded = [command_of(one) for one in told["recorded"]]
    completed = set(told["completed"])
    # A history may end with a workflow task that had not answered yet.
    issued = [
        one for one in map(command_of, told["issued"]) if not one.task or one.task in completed
    ]
    found = compare(recorded, issued, reached=None if compatible else int(told["reached"]))
    divergences = list(found.divergences)
    failure = str(told["task_failure"])
    if failure and not compatible:
        divergences.insert(0, _stopped(int(told["reached"]), failure))
    elif not compatible and not divergences:
        divergences.append(_stopped(int(told["reached"]), plain(str(told["message"]))))
    doubts = [*found.doubts, *([about["drift"]] if about.get("drift") else [])]
    verdict = "diverged" if divergences else "equivalent" if found.doubts else "identical"
    start_ns = int(told["start_ns"])
    lasted = int(told["end_ns"]) - start_ns
    events = [event_of(one, start_ns) for one in issued]
    return TemporalReplay(
        result=ReplayResult(
            flow_id=history.flow_id,
            mode="temporal",
            verdict=verdict,
            digest=event_log_digest(events),
            outcome=_outcome(issued),
            virtual_duration_ns=lasted,
            virtual_low_ns=lasted,
            virtual_high_ns=lasted,
            program_digest=str(about["workflows"].get(workflow_of(history), "")),
            program_flows=0,
            leave_one_out=False,
            flags=tuple(doubts),
            divergences=tuple(divergences),
            answers={},
            reason="" if compatible else f"Temporal: {plain(str(told['message']))}",
            events=events,
        ),
        temporal_verdict="compatible" if compatible else "incompatible",
    )


def plain(message: str) -> str:
    """The sentence inside what Temporal's core prints of a failure."""
    found = _SENTENCE.search(message)
    return found[1].replace('\\"', '"') if found else message


def _stopped(task: int, message: str) -> Divergence:
    return Divergence(
        kind="exception_changed", step_id=f"workflow task {task}", recorded=None, replayed=message
    )


def _outcome(issued: Sequence[Command]) -> str:
    return next((ENDS[one.kind] for one in issued if one.kind in ENDS), "unfinished")


def workflow_of(history: RecordedHistory) -> str:
    """The type of the workflow, "" where its history does not say."""
    for event in history.events[:1]:
        if isinstance(event, dict):
            started = event.get("workflowExecutionStartedEventAttributes")
            if isinstance(started, dict) and isinstance(started.get("workflowType"), dict):
                return str(started["workflowType"].get("name"))
    return ""


def _unreplayable(history: RecordedHistory, reason: str) -> TemporalReplay:
    return TemporalReplay(
        result=ReplayResult(
            flow_id=history.flow_id, mode="temporal", verdict="unreplayable", digest="",
            outcome="", virtual_duration_ns=0, virtual_low_ns=0, virtual_high_ns=0,
            program_digest="", program_flows=0, leave_one_out=False, flags=(), divergences=(),
            answers={}, reason=f"{history.place}: {reason}",
        ),
        temporal_verdict=None,
    )  # fmt: skip
