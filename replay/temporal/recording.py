"""What one history recorded, for running its workflow again: calls, answers, arrivals, times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replay.leaves import Leaves, flatten
from replay.noise import id_shape
from replay.temporal.commands import Command, command_of
from store.model import JsonValue

# Commands that get an answer; a timer's is known from its own duration.
CALLS = ("activity", "local_activity", "child_workflow", "signal", "cancel_workflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A workflow task that ran: its starting event, the workflow's time, what the code could ask
    of it."""

    event: int
    at_ns: int
    size: int
    suggested: bool
    flags: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded call. `how` it ended: completed, failed, timed_out, canceled, terminated,
    not_started, or "" where the history ends before.

    `latency_ns` is from the workflow task that issued it to the one that got the answer, `task`
    the latter's event, `event` what ended it. `ran_ns` is how long the last attempt took;
    `cancel_ns` after its issue it was asked to stop, None if never. `raw` is what the child told.
    """

    command: Command
    how: str
    event: int
    task: int
    latency_ns: int
    attempt: int
    ran_ns: int
    cancel_ns: int | None
    raw: Mapping[str, Any]

    @property
    def value(self) -> JsonValue:
        """What it answered; None where it answered nothing."""
        result: list[JsonValue] = self.raw.get("result") or []
        return result[0] if result else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A signal, an update or a request to cancel: what came from outside, and when."""

    kind: str
    name: str
    event: int
    task: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One history. `refused` names what is in it and cannot be driven, `listens` what the code
    hears from outside."""

    tasks: tuple[Task, ...]
    commands: tuple[Command, ...]
    calls: tuple[Call, ...]
    timers: tuple[Call, ...]
    arrivals: tuple[Arrival, ...]
    patches: tuple[str, ...]
    refused: tuple[str, ...]
    listens: tuple[str, ...]
    queue: str
    given: Leaves
    start_ns: int
    end_ns: int

    def operation(self, command: Command) -> str:
        """The operation a command calls, named as in flows: `QUEUE ACTIVITY`."""
        if command.kind in ("activity", "local_activity"):
            return f"{command.fields.get('task_queue') or self.queue} {command.name}"
        if command.kind == "child_workflow":
            return f"workflow {command.name} RunChildWorkflow:{command.name}"
        if command.kind == "signal":
            return f"workflow {command.fields['workflow_id']} SendSignal:{command.name}"
        return f"workflow {command.name} RequestCancel"


def recording_of(told: Mapping[str, Any]) -> Recording:
    """A recording out of the child's message."""
    tasks = tuple(
        Task(
            event=one["event"], at_ns=one["at_ns"], size=one["size"],
            suggested=one["suggested"], flags=tuple(one["flags"]),
        )
        for one in told["tasks"]
    )  # fmt: skip
    commands = [(command_of(one), int(one["event"])) for one in told["commands"]]
    at_ns = {task.event: task.at_ns for task in tasks}
    answers: Mapping[str, Mapping[str, Any]] = told["answers"]
    cancelled = {
        command.name: at_ns.get(command.task, 0)
        for command, _ in commands
        if command.kind == "cancel_workflow"
    }
    found = [
        _call(command, answers.get(str(event), {}), at_ns, cancelled)
        for command, event in commands
        if command.kind in (*CALLS, "timer")
    ]
    return Recording(
        tasks=tasks,
        commands=tuple(command for command, _ in commands),
        calls=tuple(one for one in found if one.command.kind != "timer"),
        timers=tuple(one for one in found if one.command.kind == "timer"),
        arrivals=tuple(
            Arrival(kind=one["kind"], name=one["name"], event=one["event"], task=one["task"],
                    at_ns=one["at_ns"])
            for one in told["arrivals"]
        ),
        patches=tuple(told["patches"]),
        refused=tuple(told["refused"]),
        listens=tuple(told["listens"]),
        queue=told["queue"],
        given=flatten(told["given"]),
        start_ns=tasks[0].at_ns if tasks else told["end_ns"],
        end_ns=told["end_ns"],
    )  # fmt: skip


def _call(
    command: Command,
    raw: Mapping[str, Any],
    at_ns: Mapping[int, int],
    cancelled: Mapping[str, int],
) -> Call:
    # The marker of a local activity stands in the task that waited for it.
    issued = command.task or int(raw.get("task", 0))
    issued_ns = at_ns.get(issued, 0)
    asked = raw.get("cancel_ns")
    if command.kind == "child_workflow":
        asked = cancelled.get(str(command.fields.get("workflow_id")))
    began = raw.get("began_ns")
    return Call(
        command=replace(command, task=issued),
        how=str(raw.get("how", "")),
        event=int(raw.get("event", 0)),
        task=int(raw.get("task", 0)),
        latency_ns=max(int(raw.get("at_ns", 0)) - issued_ns, 0),
        attempt=int(raw.get("attempt", 1)),
        ran_ns=0 if began is None or "ended_ns" not in raw else int(raw["ended_ns"]) - int(began),
        cancel_ns=None if asked is None else int(asked) - issued_ns,
        raw=raw,
    )


def key_of(command: Command) -> str:
    """What names a call explicitly, beside its arguments."""
    if command.kind == "local_activity":
        return str(command.seq)
    name = {"activity": "activity_id", "child_workflow": "workflow_id"}.get(command.kind, "")
    key = str(command.fields.get(name, ""))
    # Numbers follow from the order, and a fresh id from the draws before it.
    return "" if key.isdigit() or id_shape(key) else key


def request_of(command: Command) -> Leaves:
    """What a call asks, in the paths that flows have."""
    arguments: Sequence[JsonValue] = command.fields.get("arguments") or []
    return flatten(arguments[0] if len(arguments) == 1 else list(arguments))
