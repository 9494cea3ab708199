"""Inputs the store holds wholly: they are told from it, not decoded again."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ingest.sources import STDIN, Source
from ingest.streams import sha256_of
from store.lease import Store
from store.ledger import InputKey, KnownInput, known_inputs

PURPOSE = "asking what is loaded"


@dataclass(frozen=True, slots=True)
class Content:
    """The hash of a file's bytes, and what would have changed with them."""

    sha256: str
    size_bytes: int
    modified_ns: int

    def is_of(self, raw: BinaryIO) -> bool:
        """Whether the open file is still the one that was hashed."""
        now = os.fstat(raw.fileno())
        return (self.size_bytes, self.modified_ns) == (now.st_size, now.st_mtime_ns)


class KnownInputs:
    """The hashes of all inputs, taken before one question to the store."""

    def __init__(self, store: Store, sources: Iterable[Source], listed_max: int) -> None:
        self._contents: dict[str, Content] = {}
        self._known: dict[InputKey, KnownInput] = {}
        if not store.path.is_file():
            return
        for source in sources:
            if source.path not in self._contents and _is_regular(source.path):
                self._hash(source.path)
        if self._contents:
            hashes = sorted({content.sha256 for content in self._contents.values()})
            with store.reading(PURPOSE) as session:
                self._known = known_inputs(session, hashes, listed_max)

    def sha256(self, path: str, raw: BinaryIO) -> str | None:
        """The hash of an open file; None when it can be read only once."""
        if not raw.seekable():
            return None
        content = self._contents.get(path)
        if content is None or not content.is_of(raw):
            digest = sha256_of(raw)
            raw.seek(0)
            return digest
        return content.sha256

    def get(self, key: InputKey) -> KnownInput | None:
        """What is known of an input under this reader and these rules."""
        return self._known.get(key)

    def _hash(self, path: str) -> None:
        try:
            with Path(path).open("rb") as raw:
                now = os.fstat(raw.fileno())
                self._contents[path] = Content(sha256_of(raw), now.st_size, now.st_mtime_ns)
        except OSError:
            return  # told when its turn comes


def _is_regular(path: str) -> bool:
    try:
        return path != STDIN and stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False
