"""Messages between engine and child: one JSON document a line."""

from __future__ import annotations

import base64
import json
import os
from typing import Any, BinaryIO

DESCRIPTORS = "RETROSPAN_CHILD_DESCRIPTORS"
LINE_BYTES_MAX = 64_000_000

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Channel:
    """Takes over standard input and output, so that what the code prints goes to standard error.

    With DESCRIPTORS in the environment it uses those two, and leaves the terminal to the user.
    """

    def __init__(self) -> None:
        named = os.environ.pop(DESCRIPTORS, "")
        if named:
            reading, writing = (int(it) for it in named.split(","))
        else:
            reading, writing = os.dup(0), os.dup(1)
            nothing = os.open(os.devnull, os.O_RDONLY)
            os.dup2(nothing, 0)
            os.close(nothing)
            os.dup2(2, 1)
        self._reading: BinaryIO = os.fdopen(reading, "rb", buffering=0)
        self._writing: BinaryIO = os.fdopen(writing, "wb", buffering=0)
        self._left = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        left = memoryview((_encode(message) + "\n").encode())
        while left:
            left = left[self._writing.write(left) or 0 :]

    def receive(self) -> dict[str, Any] | None:
        """The next message; None when the engine has gone."""
        while b"\n" not in self._left:
            if len(self._left) > LINE_BYTES_MAX:
                raise ValueError(f"a message is longer than {LINE_BYTES_MAX} bytes")
            more = self._reading.read(1 << 16)
            if not more:
                return None
            self._left += more
        line, _, self._left = self._left.partition(b"\n")
        message: dict[str, Any] = json.loads(line.decode())
        return message

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and wait for its answer; the engine's end is the child's."""
        self.send(message)
        answer = self.receive()
        if answer is None:
            os._exit(0)
        return answer


def packed(data: bytes) -> dict[str, str]:
    """Bytes as they stand in a message: text where they are, else base64."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def unpacked(field: dict[str, str]) -> bytes:
    """Bytes back from a message."""
    if "base64" in field:
        return base64.b64decode(field["base64"])
    return field.get("text", "").encode("utf-8", "surrogatepass")
