"""The files of the spool: what was acknowledged, readable after any crash.

A segment is a line that names the format, then blocks: length, checksum over length and content,
content. The first block is the heading. A file ends in `.open` while it grows, in `.sealed` when
all its blocks are on disk. What follows the last whole block of an open segment was never
acknowledged; a bad block in a sealed one is damage, which is told.
"""

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from store.errors import DataError

MAGIC = b"retrospan spool 2\n"
MAGIC_STEM = b"retrospan spool "
OPEN, SEALED, DAMAGED = ".open", ".sealed", ".damaged"
_PREFIX_BYTES = 8


class Heading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Says once what holds for all records: they keep the rules they were received under.

    `identity` is random, never used again: with it a segment is loaded once, whatever happens.
    """

    identity: str
    reader: str
    rules_sha256: str


@dataclass(slots=True, kw_only=True)
class Segment:
    """A segment as read; `end` is where its last whole block ends."""

    heading: Heading
    blocks: list[bytes] = field(default_factory=list)
    end: int = 0
    damaged: int = 0


def block(content: bytes) -> bytes:
    """One block of a segment."""
    length = len(content).to_bytes(4, "little")
    checksum = zlib.crc32(content, zlib.crc32(length))
    return b"".join((length, checksum.to_bytes(4, "little"), content))


def create(path: Path, heading: Heading) -> tuple[int, int]:
    """A new open segment; its descriptor and size."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        start = MAGIC + block(msgspec.msgpack.encode(heading))
        write_all(descriptor, start)
        sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return descriptor, len(start)


def write_all(descriptor: int, data: bytes) -> None:
    """All of it, or OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> Segment | None:
    """A segment's whole blocks; None when nothing in it was ever acknowledged."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        if MAGIC.startswith(data):  # the crash came before the heading was there
            return None
        if data.startswith(MAGIC_STEM):
            raise DataError(
                f"{path} was written by another version of retrospan; "
                "load it with that version (`retrospan serve`), or move it away"
            )
        raise DataError(f"{path} is no segment of a spool; move it away")
    sealed = path.suffix == SEALED
    found = _blocks(data, len(MAGIC))
    content, end = next(found, (None, 0))
    if content is None:
        if sealed:
            raise DataError(f"{path} is damaged at its beginning; move it away")
        return None
    segment = Segment(heading=msgspec.msgpack.decode(content, type=Heading), end=end)
    for content, end in found:
        if content is None:
            if not sealed:
                break
            segment.damaged += 1
            continue
        segment.blocks.append(content)
        segment.end = end
    return segment


def _blocks(data: bytes, at: int) -> Iterator[tuple[bytes | None, int]]:
    """Each block with the place where it ends; None in place of one that is not as written."""
    while at < len(data):
        end = at + _PREFIX_BYTES + int.from_bytes(data[at : at + 4], "little")
        if at + _PREFIX_BYTES > len(data) or end > len(data):
            yield None, len(data)
            return
        content = data[at + _PREFIX_BYTES : end]
        good = block(content)[:_PREFIX_BYTES] == data[at : at + _PREFIX_BYTES]
        yield (content if good else None), end
        at = end
