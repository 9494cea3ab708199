"""The SQL statements that belong to the store itself, by name."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """Text of `store/sql/<name>.sql`, for example `statement("read/spans")`."""
    return files("store").joinpath("sql", f"{name}.sql").read_text("utf-8")


@cache
def definitions() -> tuple[str, ...]:
    """All CREATE statements in their order: tables, then macros, then views, each by number."""
    folders = (files("store").joinpath("sql", part) for part in ("tables", "macros", "views"))
    return tuple(
        entry.read_text("utf-8")
        for folder in folders
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".sql")
    )
