"""The child process: user code runs there and nowhere else."""

import json
import os
import select
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

import msgspec

from replay.code.settings import Code
from store.errors import DataError, UsageError

PROTOCOL = 3
DESCRIPTORS = "RETROSPAN_CHILD_DESCRIPTORS"
CHILD = Path(__file__).parents[1] / "child"
LINE_BYTES_MAX = 64_000_000
STANDARD_ERROR_MAX = 8_000
START_S_MAX = 120.0
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

_encode = json.JSONEncoder(separators=(",", ":")).encode

Message = dict[str, Any]
Answer = Callable[[Message], Message]


class ChildError(DataError):
    """The child ended, or did not answer; `reason` says which, with the end of what it printed."""


class Child:
    """One interpreter with the code imported; runs any number of flows while it is entered.

    `sources` is the SHA-256 of the team's own modules that the import loaded, `upstreams` which
    service a host of its settings means, `native` what can reach past the guards.

    Raises UsageError when the code cannot be imported.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.upstreams: dict[str, str] = {}
        self.native: list[str] = []
        self.sources = ""
        self._printed = b""
        self._left = b""
        self._process: subprocess.Popen[bytes] | None = None
        self._to: IO[bytes] | None = None
        self._from: IO[bytes] | None = None
        self._draining: Thread | None = None

    def __enter__(self) -> "Child":
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _spawn(self, module: str) -> None:
        """Start the user's interpreter with a module of ours; nothing is said to it yet."""
        try:
            if self.code.debug:
                self._process = self._with_terminal(module)
                return
            self._process = process = subprocess.Popen(
                [self.code.python, "-m", module],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=_environment(self.code), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"--python {self.code.python}: {error.strerror}") from None
        self._to, self._from = process.stdin, process.stdout
        self._left = b""
        self._draining = Thread(target=self._drain, args=(process,), daemon=True)
        self._draining.start()

    def _with_terminal(self, module: str) -> "subprocess.Popen[bytes]":
        """The child has the terminal; it is talked to by two pipes of its own. What it prints goes
        to standard error, for standard output is for data."""
        theirs, to = os.pipe()
        from_, ours = os.pipe()
        environment = {**_environment(self.code), DESCRIPTORS: f"{theirs},{ours}"}
        try:
            return subprocess.Popen(
                [self.code.python, "-m", module], stdout=2, env=environment,
                pass_fds=(theirs, ours),
            )  # fmt: skip
        finally:
            os.close(theirs)
            os.close(ours)
            self._to, self._from = os.fdopen(to, "wb"), os.fdopen(from_, "rb")

    def _start(self) -> None:
        self._spawn("retrospan_child")
        self._send(
            {
                "protocol": PROTOCOL,
                "code": self.code.name,
                "path": list(self.code.path),
                "isolate": self.code.isolate and not self.code.debug,
            }
        )
        ready = self._receive(START_S_MAX)
        if ready.get("kind") != "ready":
            where = f" at {ready['where']}" if ready.get("where") else ""
            reason = str(ready.get("reason"))
            if reason.startswith("ModuleNotFoundError"):
                where += f"; {self.code.python} does not have it, --python names one that does"
            raise UsageError(f"--code {self.code.name}: {reason}{where}")
        self.upstreams = {str(k).lower(): str(v) for k, v in ready.get("upstreams", {}).items()}
        self.native = [str(name) for name in ready.get("native", [])]
        self.sources = str(ready.get("sources", ""))

    def run(self, flow: Mapping[str, Any], answer: Answer, wall_s_max: float) -> Message:
        """Run one flow and answer what it asks; the child's last message. Raises ChildError."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        self._send({"kind": "run", **flow})
        try:
            while True:
                message = self._receive(wall_s_max)
                if message.get("kind") == "end":
                    return message
                if message.get("kind") not in ("request", "connect"):
                    raise ChildError(f"the child said {message.get('kind')!r}")
                self._send(answer(message))
        except DataError:
            self._end()  # it waits in the middle of a flow
            raise

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._to is not None
        try:
            self._to.write(_encode(message).encode() + b"\n")
            self._to.flush()
        except OSError:
            raise ChildError(f"the child has ended{self._last()}") from None

    def _receive(self, wall_s_max: float) -> Message:
        assert self._from is not None
        number = self._from.fileno()
        patience = None if self.code.debug else wall_s_max  # nobody hurries who debugs
        while b"\n" not in self._left:
            if not select.select([number], [], [], patience)[0]:
                raise ChildError(f"the code did not get on for {wall_s_max:g} s{self._last()}")
            more = os.read(number, 1 << 16)
            if not more:
                raise ChildError(f"the child ended{self._last()}")
            self._left += more
            if len(self._left) > LINE_BYTES_MAX:
                raise ChildError(f"a message of the child is longer than {LINE_BYTES_MAX} bytes")
        line, _, self._left = self._left.partition(b"\n")
        message = _decoded(line)
        if not isinstance(message, dict):
            raise ChildError(f"the child does not keep the protocol: {line[:80]!r}")
        return message

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        while more := process.stderr.read1(1 << 16):  # type: ignore[attr-defined]
            self._printed = (self._printed + more)[-STANDARD_ERROR_MAX:]

    def _last(self) -> str:
        text = self._printed.decode("utf-8", "replace").strip()
        return f"; it last printed: {text.splitlines()[-1]}" if text else ""

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (self._to, self._from):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.wait()
        if self._draining is not None:
            self._draining.join()
        if process.stderr is not None:
            process.stderr.close()


def _decoded(line: bytes) -> Any:
    """What a line says; None when it is no JSON. Python's own decoder knows a few things more,
    such as lone surrogates."""
    try:
        return msgspec.json.decode(line)
    except ValueError:
        with suppress(ValueError, RecursionError):
            return json.loads(line)
    return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the child with whatever it forked: it leads a session of its own."""
    try:
        os.killpg(process.pid, 9)
    except OSError:
        process.kill()


def _environment(code: Code) -> dict[str, str]:
    kept = {name: value for name, value in code.environment.items() if name.lower() not in _PROXIES}
    path = [str(CHILD), *code.path, *filter(None, [kept.get("PYTHONPATH")])]
    return {
        "OTEL_SDK_DISABLED": "true",
        **kept,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
    }
