"""What is not Temporal's public interface: commands of the core, the stack behind a command.

Written against temporalio 1.35. `drift()` says how another version differs; a test holds this file
to the pinned one.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import temporalio.bridge.proto.workflow_activation as activations
import temporalio.bridge.proto.workflow_commands as commands
import temporalio.service
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowRunner

VERSION = "1.35"
KNOWN_COMMANDS = (
    "start_timer", "schedule_activity", "respond_to_query", "request_cancel_activity",
    "cancel_timer", "complete_workflow_execution", "fail_workflow_execution",
    "continue_as_new_workflow_execution", "cancel_workflow_execution", "set_patch_marker",
    "start_child_workflow_execution", "cancel_child_workflow_execution",
    "request_cancel_external_workflow_execution", "signal_external_workflow_execution",
    "cancel_signal_workflow", "schedule_local_activity", "request_cancel_local_activity",
    "upsert_workflow_search_attributes", "modify_workflow_properties", "update_response",
    "schedule_nexus_operation", "request_cancel_nexus_operation",
)  # fmt: skip
KNOWN_JOBS = (
    "initialize_workflow", "fire_timer", "update_random_seed", "query_workflow", "cancel_workflow",
    "signal_workflow", "resolve_activity", "notify_has_patch",
    "resolve_child_workflow_execution_start", "resolve_child_workflow_execution",
    "resolve_signal_external_workflow", "resolve_request_cancel_external_workflow", "do_update",
    "resolve_nexus_operation_start", "resolve_nexus_operation", "remove_from_cache",
)  # fmt: skip
ABANDON = commands.ActivityCancellationType.ABANDON
CANCELLATIONS = {
    commands.ActivityCancellationType.TRY_CANCEL: "at once",
    commands.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED: "waits",
    ABANDON: "at once",
}
Activation = activations.WorkflowActivation
_NOT_OWN = tuple(
    os.path.realpath(folder) + os.sep
    for folder in {
        *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        os.path.realpath(Path(__file__).parent),
    }
)
LINES_MAX = 3


def drift() -> str:
    """What of the SDK differs from the version this was written against; "" when nothing does."""
    version = temporalio.service.__version__
    if version.split(".")[:2] != VERSION.split("."):
        return f"temporalio {version}; commands are read as {VERSION} writes them"
    for word, message, known in (
        ("commands", commands.WorkflowCommand, KNOWN_COMMANDS),
        ("jobs", activations.WorkflowActivationJob, KNOWN_JOBS),
    ):
        fields = message.DESCRIPTOR.oneofs_by_name["variant"].fields
        unknown = sorted({field.name for field in fields} - set(known))
        if unknown:
            return f"temporalio {version} has {word} unknown here: {', '.join(unknown)}"
    return ""


class Task:
    """What one activation made the code do: commands with the code's lines that issued them.

    `event_id` is the last event the activation knew, `at_ns` the workflow's time.
    """

    def __init__(self, event_id: int, at_ns: int) -> None:
        self.event_id = event_id
        self.at_ns = at_ns
        self.failure = ""
        self.commands: list[tuple[Any, str]] = []


class RecordingRunner(WorkflowRunner):
    """Runs workflows outside the sandbox and keeps what each activation gave."""

    def __init__(self) -> None:
        self._inner = UnsandboxedWorkflowRunner()
        self.begin()

    def begin(self) -> None:
        """Forget the last history."""
        self.tasks: list[Task] = []
        self.details: Any = None
        self.start: Any = None
        self._first: Any = None
        self._instances = 0

    def prepare_workflow(self, defn: Any) -> None:
        self._inner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._inner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: Any) -> WorkflowInstance:
        self._instances += 1
        inner = self._inner.create_instance(det)
        # The core may start a failed workflow afresh: the first run is the one that counts.
        if self._instances > 1:
            return _Recording(inner, [])
        self.details, self._first = det, inner
        return _Recording(inner, self.tasks, self)

    def untaken(self) -> list[str]:
        """Patches that the code asked for and the history has not: it took its old branch."""
        asked = {} if self._first is None else self._first._patches_memoized
        return sorted(name for name, taken in asked.items() if not taken)


class _Recording(WorkflowInstance):
    def __init__(
        self, inner: Any, tasks: list[Task], runner: RecordingRunner | None = None
    ) -> None:
        self._inner = inner
        self._tasks = tasks
        self._runner = runner
        self._lines: list[str] = []
        self._adds = inner._add_command
        inner._add_command = self._add

    def _add(self) -> Any:
        self._lines.append(own_lines())
        return self._adds()

    def activate(self, act: Any) -> Any:
        evicts = any(job.HasField("remove_from_cache") for job in act.jobs)
        if self._runner is not None and self._runner.start is None:
            self._runner.start = _start_of(act)
        task = Task(act.history_length, act.timestamp.ToNanoseconds())
        self._lines = []
        completion = self._inner.activate(act)
        if evicts:
            return completion
        if completion.HasField("failed"):
            task.failure = completion.failed.failure.message or "the workflow task failed"
        issued = completion.successful.commands
        lines = self._lines if len(self._lines) == len(issued) else [""] * len(issued)
        for command, line in zip(issued, lines, strict=True):
            kept = type(command)()
            kept.CopyFrom(command)
            task.commands.append((kept, line))
        self._tasks.append(task)
        return completion

    def get_serialization_context(self, *args: Any) -> Any:
        return self._inner.get_serialization_context(*args)

    def get_external_store_context(self, *args: Any) -> Any:
        return self._inner.get_external_store_context(*args)

    def get_info(self) -> Any:
        return self._inner.get_info()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _start_of(act: Any) -> Any:
    for job in act.jobs:
        if job.HasField("initialize_workflow"):
            start = type(job.initialize_workflow)()
            start.CopyFrom(job.initialize_workflow)
            return start
    return None


class DrivenInstance:
    """A workflow of its own, which acts on the activations it is given."""

    def __init__(self, details: Any) -> None:
        self._tasks: list[Task] = []
        self._inner: Any = UnsandboxedWorkflowRunner().create_instance(details)
        self._instance = _Recording(self._inner, self._tasks)

    def activate(self, activation: Any) -> Task:
        """What the code did on an activation."""
        self._instance.activate(activation)
        return self._tasks[-1]

    @property
    def waits(self) -> bool:
        """Whether the code waits for a condition, which something from outside may fulfil."""
        return bool(self._inner._conditions)

    def evict(self, run_id: str) -> None:
        """End what still waits in the code, as a worker does that forgets a workflow."""
        activation = Activation(run_id=run_id)
        activation.jobs.add().remove_from_cache.SetInParent()
        self._instance.activate(activation)


def own_lines() -> str:
    """The team's own lines on the stack, innermost first, relative to the current folder."""
    found: list[str] = []
    frame: Any = sys._getframe(1)
    while frame is not None and len(found) < LINES_MAX:
        name = _own(frame.f_code.co_filename)
        if name:
            found.append(f"{name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


@cache
def _own(name: str) -> str:
    """A file of the team's own as it is called from a folder of the path, "" for another."""
    real = os.path.realpath(name)
    if name.startswith("<") or real.startswith(_NOT_OWN):
        return ""
    for folder in sys.path:
        base = os.path.realpath(folder) + os.sep
        if real.startswith(base):
            return real[len(base) :]
    return Path(name).name
