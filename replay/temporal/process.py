"""The child that has temporalio: the user's interpreter with the user's workflows imported."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from replay.code.process import START_S_MAX, Child, Message
from replay.code.settings import Code
from store.errors import UsageError

PROTOCOL = 1
FOLDER = Path(__file__).parent / "child"


class WorkflowChild(Child):
    """One interpreter with one Replayer; `code.name` is a module or `module:REPLAYER`.

    Raises UsageError when the module cannot be imported, or temporalio is not there.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(replace(code, path=(str(FOLDER), *code.path)))
        self.about: dict[str, Any] = {}

    def __enter__(self) -> "WorkflowChild":
        super().__enter__()
        return self

    def _start(self) -> None:
        self._spawn("retrospan_temporal")
        self._send({"protocol": PROTOCOL, "module": self.code.name, "path": list(self.code.path)})
        ready = self._receive(START_S_MAX)
        if ready.get("kind") != "ready":
            raise UsageError(f"--temporal {self.code.name}: {ready.get('reason')}")
        self.about = ready

    @property
    def number(self) -> int:
        """The process id, 0 when there is none."""
        return 0 if self._process is None else self._process.pid

    def replay(self, workflow_id: str, events: list[object], wall_s_max: float) -> Message:
        """What one history gave. Raises ChildError, after which the next call starts afresh."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            self._send({"workflow_id": workflow_id, "history": {"events": events}})
            return self._receive(wall_s_max)
        except BaseException:
            self._end()
            raise

    def recording(self, wall_s_max: float) -> Message:
        """Begin driving the workflow of the history replayed last; what the history recorded."""
        return self._asked({"kind": "drive"}, wall_s_max)

    def activate(self, message: Mapping[str, Any], wall_s_max: float) -> Message:
        """What the code does on jobs; the first of a run makes a workflow of its own."""
        return self._asked(message, wall_s_max)

    def end_run(self) -> None:
        """Forget the workflow that was driven; another run may follow."""
        self._tell("end")

    def end_driving(self) -> None:
        """Go back to replaying histories."""
        self._tell("done")

    def _tell(self, kind: str) -> None:
        if self._process is not None:  # a child that broke was ended already
            self._send({"kind": kind})

    def _asked(self, message: Mapping[str, Any], wall_s_max: float) -> Message:
        try:
            self._send(message)
            return self._receive(wall_s_max)
        except BaseException:
            self._end()
            raise
