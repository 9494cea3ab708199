"""What conclusions depend on besides the data: our own sources and the settings."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent


def code_digest(settings: object) -> str:
    """SHA-256 of everything in this package and of a settings record."""
    written = json.dumps([sources_digest(), _plain(settings)], sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _plain(value: object) -> object:
    """A settings value as JSON, the same in every process."""
    if is_dataclass(value):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, Set):
        return sorted(str(entry) for entry in value)
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, bool | int | type(None)) else str(value)


@lru_cache(maxsize=1)
def sources_digest() -> str:
    """What all of this package's sources are."""
    digest = hashlib.sha256()
    for path in sorted([*HERE.rglob("*.py"), *HERE.rglob("*.sql")]):
        digest.update(f"{path.relative_to(HERE).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
