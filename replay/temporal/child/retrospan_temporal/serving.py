"""One module's workflows, the Replayer over them, and what it gave for each history."""

from __future__ import annotations

import hashlib
import importlib
import inspect
from pathlib import Path
from typing import Any

import temporalio.converter
import temporalio.service
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from .driving import Driving
from .issued import Issued
from .recorded import recorded_commands
from .sdk import RecordingRunner, drift


class Serving:
    """`module` names a module with workflows, or `module:NAME` a Replayer that it makes."""

    def __init__(self, module: str) -> None:
        name, _, attribute = module.partition(":")
        self._module = importlib.import_module(name)
        config: Any = {}
        if attribute:
            own = getattr(self._module, attribute)
            if not isinstance(own, Replayer):
                raise TypeError(f"{module} is no temporalio.worker.Replayer")
            config = own.config(active_config=True)
        else:
            config = {"workflows": _workflows(self._module)}
            if not config["workflows"]:
                raise ValueError(f"module {name} has no class with @workflow.defn")
        self._runner = RecordingRunner()
        self._workflows = {_name(one): one for one in config["workflows"]}
        converter = config.get("data_converter") or temporalio.converter.DataConverter.default
        self._codec = converter.payload_codec
        config = {
            **config,
            "workflow_runner": self._runner,
            "unsandboxed_workflow_runner": self._runner,
        }
        self.replayer = Replayer(**config)
        self._history: Any = None

    def about(self) -> dict[str, Any]:
        """What is served: workflows with the digests of their files, versions."""
        return {
            "temporalio": temporalio.service.__version__,
            "drift": drift(),
            "workflows": {
                name: _digest(one) for name, one in sorted(self._workflows.items()) if name
            },
        }

    def accept(self, message: dict[str, Any]) -> tuple[Any, str]:
        """A history to replay, or why it cannot be."""
        try:
            history = WorkflowHistory.from_json(message["workflow_id"], message["history"])
        except Exception as error:
            return None, f"temporalio cannot read it: {type(error).__name__}: {error}"[:500]
        first = history.events[0] if history.events else None
        if first is None or not first.HasField("workflow_execution_started_event_attributes"):
            return None, "the history does not begin with its start event"
        kind = first.workflow_execution_started_event_attributes.workflow_type.name
        if kind not in self._workflows and None not in self._workflows:
            return None, f"no workflow {kind} in the code; it has {', '.join(self._named())}"
        self._runner.begin()
        return history, ""

    async def told(self, result: Any) -> dict[str, Any]:
        """Temporal's word, the commands of both sides, and what could not be compared."""
        self._history = history = result.history
        failure = result.replay_failure
        if self._codec is not None:
            await _decode(history.events, self._codec)
        recorded = recorded_commands(history.events)
        start = history.events[0].workflow_execution_started_event_attributes
        tasks = self._runner.tasks
        issued = Issued(start).commands(tasks)
        completed = {
            event.workflow_task_completed_event_attributes.started_event_id
            for event in history.events
            if event.HasField("workflow_task_completed_event_attributes")
        }
        return {
            "kind": "replayed",
            "compatible": failure is None,
            "message": "" if failure is None else str(failure)[:2_000],
            "task_failure": next((task.failure for task in tasks if task.failure), "")[:2_000],
            "recorded": recorded,
            "issued": issued,
            "reached": max((task.event_id for task in tasks), default=0),
            "completed": sorted(completed),
            "untaken": self._runner.untaken(),
            "start_ns": tasks[0].at_ns if tasks else 0,
            "end_ns": tasks[-1].at_ns if tasks else 0,
        }

    def drive(self, channel: Any) -> None:
        """Run the workflow of the history told last past where Temporal stopped."""
        runner = self._runner
        if self._history is None or runner.details is None or runner.start is None:
            channel.send({"kind": "refused", "reason": "the workflow was never started"})
            return
        Driving(runner.details, runner.start, self._history.events).serve(channel)

    def _named(self) -> list[str]:
        return sorted(name for name in self._workflows if name)


async def _decode(events: Any, codec: Any) -> None:
    """Open the payloads that the history's commands carry."""
    for event in events:
        attributes = getattr(event, event.WhichOneof("attributes") or "", None)
        for name in ("input", "result"):
            if attributes is None or name not in attributes.DESCRIPTOR.fields_by_name:
                continue
            value = getattr(attributes, name)
            if hasattr(value, "payloads") and value.payloads:
                opened = await codec.decode(list(value.payloads))
                del value.payloads[:]
                value.payloads.extend(opened)
        if attributes is not None and "failure" in attributes.DESCRIPTOR.fields_by_name:
            await codec.decode_failure(attributes.failure)


def _workflows(module: Any) -> list[type]:
    found = {
        id(one): one
        for _, one in sorted(vars(module).items())
        if inspect.isclass(one) and "__temporal_workflow_definition" in vars(one)
    }
    return list(found.values())


def _name(one: type) -> str | None:
    return workflow._Definition.must_from_class(one).name


def _digest(one: type) -> str:
    """SHA-256 of the file a workflow stands in."""
    file = inspect.getsourcefile(one)
    if file is None:
        return ""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
