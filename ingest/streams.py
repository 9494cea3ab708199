"""Bytes of an input: gzip or zstd opened, sizes bounded, what is wrong with them remembered."""

import hashlib
import io
from typing import BinaryIO, NamedTuple

from ingest.compression import MAGIC_BYTES_MAX, DamagedError, unpacking_of

READ_BYTES = 1024 * 1024


def sha256_of(stream: BinaryIO) -> str:
    """SHA-256 of all bytes, read in pieces."""
    digest = hashlib.sha256()
    while data := stream.read(READ_BYTES):
        digest.update(data)
    return digest.hexdigest()


class Place(NamedTuple):
    """How far an input was read: plain bytes handed out, bytes of the file, the hash of the plain
    ones where it is made while reading."""

    position: int
    taken: int
    sha256: str


class Input(io.BufferedIOBase):
    """An input as its reader sees it: plain bytes, by line or by size.

    Trouble never raises here, because what was readable before it is kept: reading ends as at the
    end of the file, and `problem` says why. `digest` covers the plain bytes handed out so far, when
    `hashing` was asked for (an input that can be read only once). A plain file can be read from any
    place too, unbuffered; `position` then counts all bytes handed out.
    """

    def __init__(self, raw: BinaryIO, decompressed_bytes: int, *, hashing: bool = False) -> None:
        super().__init__()
        self.problem: str | None = None
        self.position = 0  # plain bytes handed out so far
        self.taken = 0  # bytes of the file, maybe packed, read so far
        self.mid_line = False  # whether the last byte handed out ended no line
        self.digest = hashlib.sha256() if hashing else None
        self._raw = raw
        self._left = decompressed_bytes
        self._limit = decompressed_bytes
        self._ready = bytearray()
        self._at = 0  # bytes of `_ready` already handed out
        self._done = False
        self._is_moved = False  # read from a place that was asked for
        self._tail = _first(raw, MAGIC_BYTES_MAX)
        self.taken = len(self._tail)
        self._unpacking = unpacking_of(self._tail)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._unpacking is None and self.digest is None and self._raw.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Read on from that place; only where `seekable`."""
        if not self.seekable():
            raise io.UnsupportedOperation("this input can only be read from its beginning")
        if whence == io.SEEK_CUR:
            offset, whence = offset + self.tell(), io.SEEK_SET
        self._is_moved = True
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        """The place of the next byte; only where `seekable`."""
        ahead = 0 if self._is_moved else len(self._tail) + len(self._ready) - self._at
        return self._raw.tell() - ahead

    def place(self) -> Place:
        """How far it was read."""
        return Place(self.position, self.taken, self.digest.hexdigest() if self.digest else "")

    def head(self, size: int) -> bytes:
        """The first bytes, still to be read."""
        while len(self._ready) - self._at < size and self._fill():
            pass
        return bytes(self._ready[self._at : self._at + size])

    def readline(self, size: int | None = -1, /) -> bytes:
        """Up to and with the next line end, at most `size` bytes."""
        limit = -1 if size is None else size
        searched = self._at
        while True:
            end = self._ready.find(b"\n", searched)
            if end >= 0:
                return self._take(end + 1 - self._at, limit)
            held = len(self._ready) - self._at
            if 0 <= limit <= held or not self._fill():
                return self._take(len(self._ready) - self._at, limit)
            searched = self._at + held

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes, all when negative."""
        limit = -1 if size is None else size
        if self._is_moved:
            data = self._raw.read(limit)
            self.position += len(data)
            self.taken = self.position
            return data
        while (limit < 0 or len(self._ready) - self._at < limit) and self._fill():
            pass
        return self._take(len(self._ready) - self._at, limit)

    def _take(self, count: int, limit: int) -> bytes:
        if 0 <= limit < count:
            count = limit
        data = bytes(self._ready[self._at : self._at + count])
        self._at += count
        self.position += count
        if data:
            self.mid_line = data[-1] != 10
        if self.digest is not None:
            self.digest.update(data)
        if self._at > READ_BYTES:
            del self._ready[: self._at]
            self._at = 0
        return data

    def _fill(self) -> bool:
        """Make more bytes ready; False at the end."""
        if self._done:
            return False
        try:
            data = self._next()
        except DamagedError as error:
            return self._stop(str(error))
        except OSError as error:
            return self._stop(f"cannot be read on ({error.strerror or error})")
        if data is None:
            self._done = True
            return False
        if self._unpacking is not None:
            if len(data) > self._left:
                self._ready += data[: self._left]
                return self._stop(
                    f"decompressed size passes the limit decompressed_bytes = {self._limit}"
                )
            self._left -= len(data)
        self._ready += data
        return True

    def _next(self) -> bytes | None:
        """The next plain bytes, possibly none of them; None at the end."""
        raw, self._tail = self._tail, b""
        if not raw:
            raw = self._raw.read(READ_BYTES)
            self.taken += len(raw)
        if self._unpacking is None:
            return raw or None
        ended = not raw
        plain, self._tail = self._unpacking.unpack(raw)
        if ended and not plain:
            if not self._unpacking.is_complete:
                self._stop(f"{self._unpacking.kind} data ends early: the file is truncated")
            return None
        return plain

    def _stop(self, problem: str) -> bool:
        self.problem = problem
        self._done = True
        return False


def _first(raw: BinaryIO, size: int) -> bytes:
    """The first bytes, even of a pipe that hands out fewer than it is asked for."""
    data = b""
    while len(data) < size and (more := raw.read(size - len(data))):
        data += more
    return data
