"""Jaeger's UDP agent: datagrams that nobody acknowledges, so what is lost is counted."""

import socket
import threading
from collections.abc import Iterator, Sequence

from ingest.reader import Item
from ingest.receivers import jaeger
from ingest.receivers.intake import Intake

POLL_SECONDS = 0.2
GROUP_MAX = 64
BUFFER_BYTES = 4 * 1024 * 1024


class UdpReceiver:
    """A thread on one socket; datagrams that wait together become one request."""

    def __init__(self, bound: socket.socket, intake: Intake) -> None:
        self._socket, self._intake = bound, intake
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._socket.settimeout(POLL_SECONDS)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retrospan-udp")
        self._thread.start()

    def stop(self) -> None:
        """Take what has arrived, then end."""
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            group = self._group()
            if group:
                self._take(group)
            elif self._stopping.is_set():
                return

    def _group(self) -> list[bytes]:
        size = self._intake.limits.datagram_bytes
        found: list[bytes] = []
        try:
            found.append(self._socket.recv(size + 1))
            while len(found) < GROUP_MAX:
                found.append(self._socket.recv(size + 1, socket.MSG_DONTWAIT))
        except (TimeoutError, BlockingIOError):
            pass
        return found

    def _take(self, group: Sequence[bytes]) -> None:
        fit = [data for data in group if len(data) <= self._intake.limits.datagram_bytes]
        lost = len(group) - len(fit)
        try:
            self._intake.receive(lambda: (self._items(fit), None))
        except Exception:  # nobody would restart this thread
            lost = len(group)
        self._intake.count(datagrams=len(group), datagrams_lost=lost)

    def _items(self, group: Sequence[bytes]) -> Iterator[Item]:
        for data in group:
            yield from jaeger.datagram(data, self._intake.settings.limits)
