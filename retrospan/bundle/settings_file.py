"""The settings that decide what is derived, as a file that goes with the data.

Only tables that name no file and hold no secret go along: how flows are put together and declared,
limits of detectors, replay, comparisons of releases.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from store.errors import DataError

TABLES = ("declared", "detectors", "flows", "releases", "replay")
DELETE = "\x7f"


def settings_text(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """TOML of those tables; it reads back equal, or DataError."""
    chosen = {name: dict(tables[name]) for name in TABLES if name in tables}
    text = "".join(f"{line}\n" for line in _lines(chosen))
    if tomllib.loads(text) != chosen:
        raise DataError("the configuration cannot be written again as TOML")
    return text


def check_settings(path: Path) -> None:
    """Refuse a bundle's settings that could make later commands read other files."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path} is not TOML: {error}") from error
    foreign = sorted(set(tables) - set(TABLES))
    if foreign:
        raise DataError(f"{path}: a bundle carries no table {', '.join(foreign)[:200]}")


def _lines(tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, table in sorted(tables.items()):
        yield f"[{name}]"
        for key, value in sorted(table.items()):
            yield f"{_text(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_text(key)} = {_value(entry)}" for key, entry in sorted(value.items()))
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    return json.dumps(value) if isinstance(value, bool | int) else str(value)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace(DELETE, "\\u007f")
