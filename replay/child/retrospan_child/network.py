"""Sockets that nobody but the engine answers: every HTTP client is caught, whatever its name.

A client's own timeouts run on virtual time, because it is the client's own code that waits.
"""

from __future__ import annotations

import io
import socket
from collections import deque
from typing import Any, Deque

from .asking import ask, failure, label, note, refusal, resolve
from .wire import Asking, NotHttpError, pieces
from .world import WORLD

_STREAM = socket.SOCK_STREAM


class _Reader(io.RawIOBase):
    def __init__(self, sock: "VirtualSocket") -> None:
        self._sock = sock
        sock._readers += 1

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._sock._readers -= 1
            super().close()
            self._sock._left()

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)


class _Writer(io.RawIOBase):
    def __init__(self, sock: "VirtualSocket") -> None:
        self._sock = sock

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._sock.send(bytes(data))


class VirtualSocket:
    """A stream socket whose other end is the recording."""

    def __init__(
        self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None
    ) -> None:
        self.family = socket.AF_INET if family == -1 else family
        self.type = _STREAM if type == -1 else type
        self.proto = max(proto, 0)
        self.address: Any = None
        self._timeout = socket.getdefaulttimeout()
        self._asking = Asking()
        self._answer: dict[str, Any] | None = None
        self._method = ""
        self._pieces: Deque[tuple[int | None, bytes]] = deque()
        self._incoming = b""
        self._begun = self._closed = False
        self._limit_ns: int | None = None
        self._readers = 0

    def connect(self, address: Any) -> None:
        if self.type & 0xF != _STREAM:
            raise _refused("a socket that is no stream", address)
        answer = refusal(address)
        if answer is not None:
            WORLD.park(WORLD.now_ns + answer["gap_ns"] + answer["after_ns"], "a connection")
            note(answer["id"], "error")
            raise failure(answer)
        self.address = address

    def connect_ex(self, address: Any) -> int:
        self.connect(address)
        return 0

    def send(self, data: Any, flags: int = 0) -> int:
        if self._closed:
            raise OSError(9, "Bad file descriptor")
        if self.address is None:
            raise _refused("a socket that is not connected", None)
        try:
            request = self._asking.feed(bytes(data))
        except (NotHttpError, ValueError) as error:
            raise _refused(f"no HTTP request ({error})", self.address) from None
        if request is not None:
            self._method = request["method"]
            self._answer = ask(request, self.address)
            # The recorded code took so long to get here; its timeout had not begun.
            WORLD.park(WORLD.now_ns + self._answer["gap_ns"], "its turn")
            self._begun, self._incoming = False, b""
            limit_ns = self._answer.get("limit_ns")
            self._limit_ns = None if limit_ns is None else WORLD.now_ns + limit_ns
            self._pieces = self._arriving(self._answer)
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.send(data)

    def _arriving(self, answer: dict[str, Any]) -> Deque[tuple[int | None, bytes]]:
        """What comes, and when; at None never."""
        if answer["after_ns"] is None:
            return deque([(None, b"")])
        if answer.get("error"):
            return deque([(WORLD.now_ns + answer["after_ns"], b"")])
        return deque((WORLD.now_ns + at, data) for at, data in pieces(answer, self._method))

    def _wait(self) -> None:
        """Wait for what comes next as long as the client's timeout lets it."""
        answer = self._answer
        if answer is None:
            raise _refused("a connection on which nothing was asked", self.address)
        if self._incoming or not self._pieces:
            return
        deadline = None if self._timeout is None else WORLD.now_ns + round(self._timeout * 1e9)
        if self._limit_ns is not None and not self._begun:
            deadline = self._limit_ns  # a scenario sets another timeout than the code
        ready, data = self._pieces[0]
        if deadline is not None and (ready is None or ready > deadline):
            WORLD.park(deadline)
            self._pieces = deque([(None, b"")])
            note(answer["id"], "timeout")
            raise socket.timeout("timed out")
        WORLD.park(ready, f"an answer from {label(self.address)}")
        self._pieces.popleft()
        if answer.get("error"):
            note(answer["id"], "error")
            raise failure(answer)
        self._begun, self._incoming = True, data
        if not self._pieces:
            note(answer["id"], "answer")

    def recv(self, size: int, flags: int = 0) -> bytes:
        self._wait()
        data = self._incoming
        piece = data[:size]
        if not flags & socket.MSG_PEEK:
            self._incoming = data[size:]
        return piece

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        piece = self.recv(nbytes or len(buffer), flags)
        buffer[: len(piece)] = piece
        return len(piece)

    def makefile(self, mode: str = "r", buffering: int | None = None, **text: Any) -> Any:
        raw: Any = _Writer(self) if "w" in mode else _Reader(self)
        if buffering == 0:
            return raw
        whole = io.BufferedWriter(raw) if "w" in mode else io.BufferedReader(raw)
        return whole if "b" in mode else io.TextIOWrapper(whole, **text)

    def settimeout(self, value: float | None) -> None:
        self._timeout = value

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        self._timeout = None if flag else 0.0

    def close(self) -> None:
        self._closed = True
        self._left()

    def _left(self) -> None:
        """Who leaves a stream that has begun has got an answer; its files may outlive a socket."""
        if self._closed and not self._readers and self._begun and self._pieces:
            note(self._answer["id"] if self._answer else 0, "answer")
            self._pieces.clear()

    def shutdown(self, how: int = 0) -> None:
        """The other end does not mind."""

    def detach(self) -> int:
        return -1

    def fileno(self) -> int:
        return -1

    def setsockopt(self, *_: Any) -> None:
        """Options make no difference to a recording."""

    def getsockopt(self, *_: Any) -> int:
        return 0

    def getpeername(self) -> Any:
        return self.address or ("0.0.0.0", 0)

    def getsockname(self) -> Any:
        return ("127.0.0.1", 0)

    def bind(self, address: Any) -> None:
        """A client may name its own end."""
        if isinstance(address, tuple) and address[1]:
            raise _refused("a server", address)

    def listen(self, *_: Any) -> None:
        raise _refused("a server", self.address)

    def unwrap(self) -> "VirtualSocket":
        return self

    def getpeercert(self, binary_form: bool = False) -> Any:
        return b"" if binary_form else {}

    def selected_alpn_protocol(self) -> str | None:
        return "http/1.1"

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> Any:
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

    def __enter__(self) -> "VirtualSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refused(f"socket.{name}", self.address)


def _refused(what: str, address: Any) -> OSError:
    WORLD.report("blocked", f"{what} to {label(address)}" if address else what)
    return ConnectionRefusedError(f"replay: {what} is not answered by a recording")


def create_connection(
    address: Any, timeout: Any = None, source_address: Any = None, **_: Any
) -> VirtualSocket:
    """A connection to whoever it is."""
    made = VirtualSocket()
    if isinstance(timeout, (int, float)):
        made.settimeout(timeout)
    made.connect((resolve(address[0]), address[1]))
    return made


def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
    """The made-up address of a name."""
    number = int(port) if str(port or 0).isdigit() else {"http": 80, "https": 443}.get(port, 0)
    return [(socket.AF_INET, _STREAM, 6, "", (resolve(host), number))]


def install() -> None:
    """Put virtual sockets in place."""
    module: Any = socket
    module.socket = module.SocketType = VirtualSocket
    module.create_connection, module.getaddrinfo = create_connection, getaddrinfo
    module.gethostbyname = resolve
    module.getfqdn = lambda name="": name or "localhost"
    module.gethostname = lambda: "localhost"
