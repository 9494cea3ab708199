"""TLS without encryption: there is nobody to hide anything from."""

from __future__ import annotations

import ssl
from typing import Any

from .network import VirtualSocket


class PlainObject:
    """Takes the place of TLS between a client and two memory buffers: nothing is encrypted."""

    def __init__(self, incoming: Any, outgoing: Any, context: Any) -> None:
        self._incoming, self._outgoing, self.context = incoming, outgoing, context
        self.server_hostname: str | None = None
        self.session: Any = None
        self.server_side = self.session_reused = False

    def do_handshake(self) -> None:
        """There is nobody to shake hands with."""

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        data = self._incoming.read(size)
        if not data and not self._incoming.eof:
            raise ssl.SSLWantReadError("more is to come")
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        return int(self._outgoing.write(data))

    def unwrap(self) -> None:
        """There is nothing to end."""

    def pending(self) -> int:
        return int(self._incoming.pending)

    getpeercert = VirtualSocket.getpeercert
    selected_alpn_protocol = VirtualSocket.selected_alpn_protocol
    version = VirtualSocket.version
    cipher = VirtualSocket.cipher

    def selected_npn_protocol(self) -> None:
        return None

    def compression(self) -> None:
        return None

    def shared_ciphers(self) -> None:
        return None

    def get_channel_binding(self, cb_type: str = "tls-unique") -> None:
        return None


def _wrap_socket(self: Any, sock: Any, *_: Any, **__: Any) -> Any:
    return sock


def _wrap_bio(self: Any, incoming: Any, outgoing: Any, *_: Any, **__: Any) -> Any:
    return PlainObject(incoming, outgoing, self)


def install() -> None:
    """Put it in the place of the real one."""
    context: Any = ssl.SSLContext
    context.wrap_socket, context.wrap_bio = _wrap_socket, _wrap_bio
