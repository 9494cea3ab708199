"""Declared flows out of `retrospan.toml`; a fault is told with the line it stands in."""

import tomllib
from typing import Any

from analyzer.derive.declared import DeclarationError, DeclaredFlow, declared_flows
from analyzer.rebuild import RebuildSettings
from retrospan.config import Settings
from store.errors import UsageError

TABLE = "declared"

Place = tuple[str | int, ...]


def flow_settings(settings: Settings) -> RebuildSettings:
    """How flows are derived: the table `[flows]`, and what `[declared.NAME]` says of flows."""
    return settings.fill("flows", RebuildSettings, declared=declared_in(settings))


def declared_in(settings: Settings) -> dict[str, DeclaredFlow]:
    """The declared flows by name. UsageError names file, line and fault."""
    try:
        return declared_flows(settings.tables.get(TABLE, {}))
    except DeclarationError as error:
        where = str(settings.source)
        if settings.source is not None:
            line = line_of(settings.source.read_text("utf-8"), (TABLE, *error.path))
            where = f"{where}, line {line}"
        raise UsageError(f"{where}: {error}") from error


def line_of(text: str, place: Place) -> int:
    """The line of a TOML document where a place stands, or the closest table or key around it."""
    counted: dict[tuple[str, ...], int] = {}
    here: Place = ()
    best, best_length = 1, 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        table = stripped.startswith("[") and _only(stripped)
        if table:
            names, listed = table
            if listed:
                counted[names] = counted.get(names, -1) + 1
            here = _counted(names, counted)
            found = here
        elif "=" in stripped and not stripped.startswith("#"):
            key = _only(f"{stripped.partition('=')[0]}= 0")
            found = (*here, *key[0]) if key else ()
        else:
            continue
        shared = len(found) if found == place[: len(found)] else 0
        if shared > best_length:
            best, best_length = number, shared
    return best


def _counted(names: tuple[str, ...], counted: dict[tuple[str, ...], int]) -> Place:
    """The place of a table, with the number it has in each list of tables it stands in."""
    place: list[str | int] = []
    for length, name in enumerate(names, 1):
        place.append(name)
        if names[:length] in counted:
            place.append(counted[names[:length]])
    return tuple(place)


def _only(text: str) -> tuple[tuple[str, ...], bool] | None:
    """The names of a lone table header or key, and whether it begins an entry of a list."""
    try:
        at: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    names: list[str] = []
    while isinstance(at, dict) and at:
        name, at = next(iter(at.items()))
        names.append(name)
    return tuple(names), isinstance(at, list)
