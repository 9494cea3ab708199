"""Compressed data, opened piece by piece so that a bomb is met before it fills memory."""

import zlib
from typing import Protocol

import zstandard

PLAIN_BYTES_MAX = 1024 * 1024  # asked of gzip at a time
# A zstd block makes 128 KiB out of four bytes, and its decoder knows no bound on its answer.
ZSTD_PIECE_BYTES = 1024


class DamagedError(ValueError):
    """Raised when compressed data is no such data; the message is the reason."""


class Unpacker(Protocol):
    """One member of a compressed input; a file may hold several, one behind the other."""

    ended: bool

    def unpack(self, raw: bytes) -> tuple[bytes, bytes]:
        """Plain bytes out of some of `raw`, and the rest of `raw`. Empty `raw`: what is held."""
        ...


class GzipUnpacker:
    """One gzip member."""

    def __init__(self) -> None:
        self.ended = False
        self._member = zlib.decompressobj(wbits=31)

    def unpack(self, raw: bytes) -> tuple[bytes, bytes]:
        try:
            plain = self._member.decompress(raw, PLAIN_BYTES_MAX)
        except zlib.error as error:
            raise DamagedError(f"gzip data is damaged ({str(error)[:80]})") from error
        self.ended = self._member.eof
        return plain, self._member.unused_data or self._member.unconsumed_tail


class ZstdUnpacker:
    """One zstd frame."""

    def __init__(self) -> None:
        self.ended = False
        self._frame = zstandard.ZstdDecompressor().decompressobj()

    def unpack(self, raw: bytes) -> tuple[bytes, bytes]:
        if not raw:
            return b"", b""
        try:
            plain = self._frame.decompress(raw[:ZSTD_PIECE_BYTES])
        except zstandard.ZstdError as error:
            reason = str(error).removeprefix("zstd decompressor error: ")
            raise DamagedError(f"zstd data is damaged ({reason[:80]})") from error
        self.ended = self._frame.eof
        return plain, self._frame.unused_data + raw[ZSTD_PIECE_BYTES:]


# By the bytes a member starts with. Skippable zstd frames begin otherwise; only later ones may.
KINDS: dict[bytes, tuple[str, type[GzipUnpacker] | type[ZstdUnpacker]]] = {
    b"\x1f\x8b": ("gzip", GzipUnpacker),
    b"\x28\xb5\x2f\xfd": ("zstd", ZstdUnpacker),
}
MAGIC_BYTES_MAX = 4


class Unpacking:
    """All members of one compressed input."""

    def __init__(self, magic: bytes) -> None:
        self.kind, self._make = KINDS[magic]
        self._magic = magic
        self._member: Unpacker = self._make()

    @property
    def is_complete(self) -> bool:
        """Whether the last member that began has ended."""
        return self._member.ended

    def unpack(self, raw: bytes) -> tuple[bytes, bytes]:
        """Plain bytes out of some of `raw`, and the rest of it; raises DamagedError."""
        if raw and self._member.ended:  # another member, or padding
            raw = raw.lstrip(b"\0")
            if not raw:
                return b"", b""
            if not raw.startswith(self._magic[:1]):
                raise DamagedError(f"data of another kind follows the {self.kind} data")
            self._member = self._make()
        return self._member.unpack(raw)


def unpacking_of(head: bytes) -> Unpacking | None:
    """How to open an input that begins like this; None when it is not compressed."""
    return next((Unpacking(magic) for magic in KINDS if head.startswith(magic)), None)
