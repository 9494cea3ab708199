"""Runs one workflow on jobs that the engine gives it, without a server or the core.

The engine decides what comes when; here its words become activations, and commands its words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .answers import recording_of
from .issued import Issued
from .jobs import Jobs
from .sdk import CANCELLATIONS, Activation, DrivenInstance

_UNSUPPORTED = {
    "schedule_nexus_operation": "Nexus operations",
    "request_cancel_nexus_operation": "Nexus operations",
    "cancel_signal_workflow": "taking back a signal that was sent",
    "request_cancel_local_activity": "cancelling a local activity",
}


class Driving:
    """One history's workflow, run as often as the engine asks for."""

    def __init__(self, details: Any, start: Any, events: Any) -> None:
        self._details = details
        self._events = events
        by_id = {event.event_id: event for event in events}
        self._started = by_id[1].workflow_execution_started_event_attributes
        self._jobs = Jobs(start, by_id, details.info.namespace)
        self._loop = asyncio.new_event_loop()

    def serve(self, channel: Any) -> None:
        """Tell the recording, then run until the engine has had enough."""
        listens = {name for name in (*self._details.defn.signals, *self._details.defn.updates)}
        channel.send({"kind": "recording", "listens": sorted(name or "any" for name in listens),
                      **recording_of(self._events)})  # fmt: skip
        try:
            while True:
                message = channel.receive()
                if message is None or message["kind"] == "done":
                    return
                self._run(channel, message)
        finally:
            self._loop.close()

    def _run(self, channel: Any, message: Mapping[str, Any]) -> None:
        instance = self._loop.run_until_complete(_created(self._details))
        issued = Issued(self._started)
        try:
            while message["kind"] == "activate":
                channel.send(self._activated(instance, issued, message))
                answer = channel.receive()
                if answer is None:
                    return
                message = answer
        finally:
            instance.evict(self._details.info.run_id)

    def _activated(
        self, instance: DrivenInstance, issued: Issued, message: Mapping[str, Any]
    ) -> dict[str, Any]:
        activation = self._activation(message)
        task = instance.activate(activation)
        task.event_id = int(message["task"])
        return {
            "kind": "activated",
            "commands": issued.commands([task]),
            "cancels": [one for command, _ in task.commands for one in _cancelled(command)],
            "unsupported": sorted(
                {
                    _UNSUPPORTED[command.WhichOneof("variant")]
                    for command, _ in task.commands
                    if command.WhichOneof("variant") in _UNSUPPORTED
                }
            ),
            "failure": task.failure[:2_000],
            "waits": instance.waits,
        }

    def _activation(self, message: Mapping[str, Any]) -> Any:
        activation = Activation(
            run_id=self._details.info.run_id, is_replaying=bool(message["replaying"])
        )
        activation.timestamp.FromNanoseconds(int(message["at_ns"]))
        activation.history_length = int(message["length"])
        activation.history_size_bytes = int(message["size"])
        activation.continue_as_new_suggested = bool(message["suggested"])
        activation.available_internal_flags.extend(message["flags"])
        for told in message["jobs"]:
            self._jobs.put(activation.jobs.add(), told)
        return activation


async def _created(details: Any) -> DrivenInstance:
    """An instance wants a running loop while it is made."""
    return DrivenInstance(details)


def _cancelled(command: Any) -> list[dict[str, Any]]:
    """What a command cancels of what runs, and whether its end is waited for."""
    kind = command.WhichOneof("variant")
    a = getattr(command, kind)
    if kind == "cancel_timer":
        return [{"kind": "timer", "seq": a.seq}]
    if kind == "request_cancel_activity":
        return [{"kind": "activity", "seq": a.seq}]
    if kind == "cancel_child_workflow_execution":
        return [{"kind": "child", "seq": a.child_workflow_seq}]
    if kind == "schedule_activity":
        return [{"kind": "way", "seq": a.seq, "way": CANCELLATIONS[a.cancellation_type],
                 "name": a.activity_type, "id": a.activity_id}]  # fmt: skip
    return []
