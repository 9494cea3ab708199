"""What is on its way to a workflow's code: jobs by their moment, and what is known of the end.

At one moment things come in the order of the recorded events they repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from replay.temporal.answering import Given
from replay.temporal.commands import Command
from replay.temporal.settled import Settled

LATE = 1 << 62
"""Stands after every recorded event, in the order of what comes at one moment."""

Job = Mapping[str, Any]


@dataclass(slots=True, order=True)
class Coming:
    """Something on its way: jobs for the code, or with `ends` the end of what is known."""

    at_ns: int
    order: int
    number: int
    jobs: list[Job] = field(compare=False)
    task: int = field(compare=False, default=0)
    ends: str = field(compare=False, default="")
    gone: bool = field(compare=False, default=False)
    arrival: bool = field(compare=False, default=False)


class Agenda:
    """The virtual clock, `clock_ns`, and what comes when; `began_ns` is when the workflow task
    under way began."""

    def __init__(self, start_ns: int) -> None:
        self.clock_ns = self.began_ns = start_ns
        self._coming: list[Coming] = []
        self._local: list[tuple[int, int, Coming]] = []
        self._now: list[Job] = []
        self._number = 0

    def push(
        self, at_ns: int, jobs: list[Job], *, order: int = LATE, task: int = 0, ends: str = "",
        arrival: bool = False,
    ) -> Coming:  # fmt: skip
        """Let jobs come at a moment, but not before now."""
        self._number += 1
        one = Coming(max(at_ns, self.clock_ns), order, self._number, jobs, task, ends,
                     arrival=arrival)  # fmt: skip
        heappush(self._coming, one)
        return one

    def push_local(self, at_ns: int, job: Job, order: int) -> None:
        """Let a job come within the workflow task under way, in the order of the markers."""
        self._number += 1
        heappush(self._local, (order, self._number, Coming(at_ns, order, self._number, [job])))

    def push_now(self, job: Job) -> None:
        """Let a job come at once: the worker itself answers."""
        self._now.append(job)

    def within(self) -> list[Job]:
        """What still comes within the workflow task under way."""
        if self._now:
            jobs, self._now = self._now, []
            return jobs
        if self._local:
            local = heappop(self._local)[-1]
            self.clock_ns = max(self.clock_ns, local.at_ns)
            return local.jobs
        return []

    def following(self) -> list[Coming]:
        """All that comes at the next moment; the clock does not move yet."""
        while self._coming and self._coming[0].gone:
            heappop(self._coming)
        found: list[Coming] = []
        while self._coming and self._coming[0].at_ns == (found or self._coming)[0].at_ns:
            one = heappop(self._coming)
            if not one.gone:
                found.append(one)
        return found

    def reach(self, at_ns: int) -> None:
        """Begin a workflow task at a moment."""
        self.clock_ns = self.began_ns = max(self.clock_ns, at_ns)

    def arrivals(self) -> list[Coming]:
        """What would still have come from outside."""
        return [one for one in self._coming if one.arrival]


_JOBS = {
    "activity": "activity", "local_activity": "activity", "child_workflow": "child",
    "signal": "signalled", "cancel_workflow": "cancel_requested",
}  # fmt: skip


def job_of(command: Command, given: Given, settled: Settled, number: str) -> Job:
    """The job that settles a call."""
    job: dict[str, Any] = {"job": _JOBS[command.kind], "seq": command.seq, "name": command.name,
                           "id": number, "local": command.kind == "local_activity"}  # fmt: skip
    if settled.event:
        job["event"] = settled.event
    elif settled.ok:
        job["result"] = settled.value
    else:
        job["type"] = settled.error or "Failed"
        job["message"] = settled.note or f"declared: {given.operation} ends {job['type']}"
    return job
