"""Inputs the store holds wholly: they are told from it, not decoded again."""

import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from ingest.hashes import FileHashes
from ingest.sources import STDIN, Source
from store.lease import Store
from store.ledger import InputKey, KnownInput, known_inputs

PURPOSE = "asking what is loaded"


class KnownInputs:
    """What the store says of all inputs, which are hashed before it is asked once."""

    def __init__(self, store: Store, sources: Iterable[Source], listed_max: int) -> None:
        self._hashes = FileHashes(store.path.with_name(store.path.name + ".hashes"))
        self._known: dict[InputKey, KnownInput] = {}
        if not store.path.is_file():
            return
        paths = dict.fromkeys(source.path for source in sources if _is_regular(source.path))
        contents = {content for path in paths if (content := self._of(path)) is not None}
        if contents:
            with store.reading(PURPOSE) as session:
                self._known = known_inputs(session, sorted(contents), listed_max)

    def sha256(self, raw: BinaryIO) -> str | None:
        """The hash of an open file; None when it can be read only once."""
        return self._hashes.of(raw) if raw.seekable() else None

    def get(self, key: InputKey) -> KnownInput | None:
        """What is known of an input under this reader and these rules."""
        return self._known.get(key)

    def close(self) -> None:
        """Keep the hashes for the next time."""
        self._hashes.keep()

    def _of(self, path: str) -> str | None:
        try:
            with Path(path).open("rb") as raw:
                return self._hashes.of(raw)
        except OSError:
            return None  # told when its turn comes


def _is_regular(path: str) -> bool:
    try:
        return path != STDIN and stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False
