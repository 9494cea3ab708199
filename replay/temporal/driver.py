"""Runs a workflow's code to its end on recorded answers, by a virtual clock in whole nanoseconds.

Temporal's server and core are not there: what comes when is decided here. An answer comes as long
after the workflow task that asked as it did in the recording, so unchanged code gets the very
activations it had. The run ends early where an answer is not known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from replay.temporal.agenda import LATE, Agenda, Coming, Job, job_of
from replay.temporal.answering import Answers, Given
from replay.temporal.commands import ENDS, Command, command_of
from replay.temporal.recording import CALLS, Arrival, Recording, Task

ACTIVATIONS_MAX = 20_000
Activate = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(slots=True)
class _Open:
    """A call that the code waits for."""

    given: Given
    coming: Coming | None
    asked_ns: int
    id: str = ""


@dataclass(slots=True)
class Run:
    """One run: the commands issued, how it ended, why it ended early (`missing`).

    `strayed` tells of signals that came when the run was not where the recording was; `alone` that
    the code waited longer than the recording shows, and nobody knows who would have spoken.
    """

    answers: Answers
    issued: list[Command] = field(default_factory=list)
    outcome: str = "unfinished"
    end_ns: int = 0
    reached: int = 0
    missing: list[str] = field(default_factory=list)
    failure: str = ""
    strayed: list[str] = field(default_factory=list)
    alone: bool = False
    undelivered: list[Arrival] = field(default_factory=list)
    activations: int = 0


class Driver:
    """One run of one workflow. With `anchored`, what comes from outside keeps its distance to the
    answer before it instead of to the workflow's start; with `as_new` the code runs as if it had
    begun today, which takes every patch."""

    def __init__(
        self,
        recording: Recording,
        answers: Answers,
        *,
        anchored: bool = False,
        as_new: bool = False,
    ) -> None:
        self._recording, self._answers, self._anchored = recording, answers, anchored
        self._as_new = as_new
        self._tasks = {task.event: task for task in recording.tasks}
        self._agenda = Agenda(recording.start_ns)
        self._calls: dict[int, _Open] = {}
        self._children: dict[int, _Open] = {}
        self._timers: dict[int, Coming] = {}
        self._ways: dict[int, tuple[str, str, str]] = {}
        self._waiting = list(recording.arrivals)
        self._on_track = True
        self._waits = False
        self._reached = 0
        self._known = recording.tasks[0].event
        self._task: Task = recording.tasks[0]
        self.run = Run(answers)

    def go(self, activate: Activate) -> Run:
        """Run to the end, or as far as anything is known."""
        first = self._recording.tasks[0]
        jobs: list[Job] = [{"job": "initialize"}]
        if not self._as_new:
            jobs += [{"job": "patch", "id": name} for name in self._recording.patches]
        jobs += [self._arriving(one) for one in self._waiting if one.task == first.event]
        self._waiting = [one for one in self._waiting if one.task != first.event]
        given = {0, *(one.event for one in self._recording.arrivals if one.task == first.event)}
        for one in list(self._waiting):
            if not self._anchored or self._follows(one) in given:
                self._waiting.remove(one)
                self._expect(one, one.at_ns)
        known = first.event
        while True:
            self._activated(activate(self._message(jobs, known)), known)
            if self._over():
                break
            following = self._next()
            if following is None:
                break
            jobs, known = following
        run = self.run
        run.end_ns = self._agenda.clock_ns
        run.undelivered = sorted(
            [*self._waiting, *map(self._arrival, self._agenda.arrivals())],
            key=lambda one: one.event,
        )
        return run

    def _over(self) -> bool:
        run = self.run
        if run.activations >= ACTIVATIONS_MAX:
            run.missing.append(f"the run was cut after {ACTIVATIONS_MAX} activations")
        return bool(run.outcome != "unfinished" or run.missing or run.failure)

    def _message(self, jobs: list[Job], known: int) -> Mapping[str, Any]:
        self.run.activations += 1
        task = self._tasks.get(known)
        if task is not None:
            self._task = task
            self.run.reached = max(self.run.reached, known)
        return {
            "kind": "activate", "task": known, "at_ns": self._agenda.clock_ns, "jobs": jobs,
            "length": self._task.event, "size": self._task.size,
            "suggested": self._task.suggested, "flags": list(self._task.flags),
            "replaying": not self._as_new,
        }  # fmt: skip

    def _next(self) -> tuple[list[Job], int] | None:
        """What comes next, with the recorded workflow task it came in there, 0 for none."""
        jobs = self._agenda.within()
        if jobs:
            return jobs, self._known
        found = self._agenda.following()
        ends = [one.ends for one in found if one.ends]
        if ends or not found:
            self.run.missing += ends
            return None
        self._agenda.reach(found[0].at_ns)
        tasks = {one.task for one in found}
        known = tasks.pop() if len(tasks) == 1 else 0
        self._on_track = self._on_track and self._is_next(known)
        for one in found:
            self._passed(one)
        self._known = known
        return [job for one in found for job in one.jobs], known

    def _is_next(self, known: int) -> bool:
        """Whether this is the workflow task that came next in the recording, at its time."""
        self._reached += 1
        tasks = self._recording.tasks
        if self._reached >= len(tasks):
            return False
        task = tasks[self._reached]
        return task.event == known and task.at_ns == self._agenda.clock_ns

    def _passed(self, one: Coming) -> None:
        """Note what was given; what came after it from outside follows it."""
        if one.arrival and not self._on_track:
            arrival = self._arrival(one)
            self.run.strayed.append(f"{arrival.kind} {arrival.name}".strip())
        timer = one.order == LATE and one.jobs[0]["job"] == "timer"
        self.run.alone |= timer and self._waits and bool(self._recording.listens)
        if self._anchored and one.order != LATE:
            task = self._tasks.get(one.task)
            for arrival in [it for it in self._waiting if self._follows(it) == one.order]:
                self._waiting.remove(arrival)
                since_ns = arrival.at_ns - (self._agenda.clock_ns if task is None else task.at_ns)
                self._expect(arrival, self._agenda.clock_ns + max(since_ns, 0))

    def _follows(self, arrival: Arrival) -> int:
        """The last recorded event before an arrival that gave the code something."""
        ends = [call.event for call in self._recording.calls]
        ends += [timer.event for timer in self._recording.timers if timer.how == "completed"]
        ends += [other.event for other in self._recording.arrivals]
        return max((event for event in ends if 0 < event < arrival.event), default=0)

    def _arrival(self, one: Coming) -> Arrival:
        event = one.jobs[0]["event"]
        return next(it for it in self._recording.arrivals if it.event == event)

    def _expect(self, arrival: Arrival, at_ns: int) -> None:
        self._agenda.push(at_ns, [self._arriving(arrival)], order=arrival.event, task=arrival.task,
                   arrival=True)  # fmt: skip

    @staticmethod
    def _arriving(arrival: Arrival) -> Job:
        return {"job": arrival.kind, "event": arrival.event}

    def _activated(self, told: Mapping[str, Any], known: int) -> None:
        run = self.run
        run.failure = str(told["failure"])
        self._waits = bool(told["waits"])
        for name in told["unsupported"]:
            run.missing.append(f"{name} cannot be driven")
        for one in told["cancels"]:
            if one["kind"] == "way":
                self._ways[one["seq"]] = (one["way"], one["name"], one["id"])
        for command in map(command_of, told["commands"]):
            run.issued.append(command)
            if command.kind in ENDS:
                run.outcome = ENDS[command.kind]
            elif command.kind == "timer":
                self._timer(command)
            elif command.kind in CALLS and not (
                command.kind == "cancel_workflow" and self._own_child(command.name)
            ):
                self._call(command)
        for one in told["cancels"]:
            self._cancelled(one["kind"], one["seq"])

    def _timer(self, command: Command) -> None:
        length_ns, call = self._answers.timer_ns(command)
        order, task = (LATE, 0) if call is None else (call.event, call.task)
        self._timers[command.seq] = self._agenda.push(
            self._agenda.began_ns + length_ns, [{"job": "timer", "seq": command.seq}],
            order=order, task=task,
        )  # fmt: skip

    def _call(self, command: Command) -> None:
        given = self._answers.answer(command, self._agenda.began_ns)
        settled = given.settled
        if settled is None:
            self.run.missing.append(f"{given.operation}: {given.why}")
            return
        opened = _Open(
            given, None, self._agenda.clock_ns, str(command.fields.get("activity_id", ""))
        )
        table = self._children if command.kind == "child_workflow" else self._calls
        if command.kind in ("activity", "child_workflow"):
            table[command.seq] = opened
        if command.kind == "child_workflow" and not self._child_started(opened):
            return
        if settled.open or settled.held:
            # Nobody knows what came after the history's end, or without the cancellation.
            call = given.call
            assert call is not None
            end_ns = self._recording.end_ns - self._recording.start_ns
            known_ns = call.latency_ns if settled.held else end_ns
            why = (
                "would not have been cancelled when it was" if settled.held
                else "had not been answered when the history ended"
            )  # fmt: skip
            opened.coming = self._agenda.push(
                self._agenda.began_ns + known_ns, [], ends=f"{given.operation} {why}"
            )
            return
        job = job_of(command, given, settled, opened.id)
        if command.kind == "local_activity":
            at_ns = self._agenda.began_ns + settled.latency_ns
            self._agenda.push_local(at_ns, job, settled.event or LATE)
            return
        opened.coming = self._agenda.push(
            self._agenda.began_ns + settled.latency_ns, [job],
            order=settled.event or LATE, task=settled.task,
        )  # fmt: skip

    def _child_started(self, opened: _Open) -> bool:
        """Tell the code that its child began, as it did; False where it did not."""
        call = opened.given.call
        if call is None:  # declared or lent: no run id is known
            self.run.missing.append(f"{opened.given.operation}: when it started is not recorded")
            return False
        seq = opened.given.command.seq
        if call.how == "not_started":
            self._agenda.push(self._agenda.began_ns + call.latency_ns,
                       [{"job": "child_started", "seq": seq, "event": call.event}],
                       order=call.event, task=call.task)  # fmt: skip
            return False
        start = call.raw.get("start")
        if start is None:
            return True
        issued = self._tasks.get(call.command.task)
        after_ns = int(start["at_ns"]) - (self._agenda.began_ns if issued is None else issued.at_ns)
        event = int(call.raw["start_event"])
        self._agenda.push(self._agenda.began_ns + max(after_ns, 0),
                   [{"job": "child_started", "seq": seq, "event": event}],
                   order=event, task=int(start["task"]))  # fmt: skip
        return True

    def _own_child(self, workflow_id: str) -> bool:
        return any(
            one.given.command.fields.get("workflow_id") == workflow_id
            for one in self._children.values()
        )

    def _cancelled(self, kind: str, seq: int) -> None:
        if kind == "timer":
            timer = self._timers.pop(seq, None)
            if timer is not None:
                timer.gone = True
        elif kind == "activity":
            self._activity_cancelled(seq)
        elif kind == "child" and seq in self._children:
            self._awaited(self._children[seq], "child")

    def _activity_cancelled(self, seq: int) -> None:
        way, name, number = self._ways.get(seq, ("at once", "", ""))
        opened = self._calls.get(seq)
        if way == "at once":
            if opened is not None and opened.coming is not None:
                opened.coming.gone = True
            self._agenda.push_now({"job": "activity", "seq": seq, "cancelled": True, "name": name,
                                   "id": number})  # fmt: skip
        elif opened is not None:
            self._awaited(opened, "activity")

    def _awaited(self, opened: _Open, job: str) -> None:
        """The code asks for cancellation and waits for its end: known where that was recorded."""
        call, coming, settled = opened.given.call, opened.coming, opened.given.settled
        if call is None or call.cancel_ns is None or settled is None:
            self.run.missing.append(
                f"{opened.given.operation}: it was not cancelled in the recording"
            )
            return
        if not settled.held:
            return  # it ended by itself all the same
        if coming is not None:
            coming.gone = True
        since_ns = call.latency_ns - call.cancel_ns
        self._agenda.push(self._agenda.began_ns + since_ns,
                   [{"job": job, "seq": opened.given.command.seq, "event": call.event}],
                   order=call.event, task=call.task)  # fmt: skip
