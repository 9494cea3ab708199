"""The child that has temporalio: the user's interpreter with the user's workflows imported."""

import subprocess
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

from replay.code.process import START_S_MAX, Child, Message, _environment
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
        try:
            self._process = process = subprocess.Popen(
                [self.code.python, "-m", "retrospan_temporal"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=_environment(self.code), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"--python {self.code.python}: {error.strerror}") from None
        self._left = b""
        self._draining = Thread(target=self._drain, args=(process,), daemon=True)
        self._draining.start()
        self._send({"protocol": PROTOCOL, "module": self.code.name, "path": list(self.code.path)})
        ready = self._receive(START_S_MAX)
        if ready.get("kind") != "ready":
            raise UsageError(f"--temporal {self.code.name}: {ready.get('reason')}")
        self.about = ready

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
