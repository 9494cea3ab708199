"""What every command shares at the edge: the global options, the two streams, the exit codes."""

import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from retrospan.config import Settings, load
from retrospan.text import visible

if TYPE_CHECKING:
    import typer

    from store.lease import Store
    from store.session import Session


STORE_DEFAULT = "retrospan.duckdb"  # in the folder at hand: where commands and pages look for it


class ExitCode(IntEnum):
    """The command contract's codes. BAD_DATA wins over VIOLATION."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    VIOLATION = 3
    BAD_DATA = 4
    INTERRUPTED = 130


class ReaderGoneError(Exception):
    """Whoever read standard output has enough, as `head` does: no error, but the end."""


def worst(*, violation: bool, bad_data: bool = False) -> int:
    """The exit code of a check."""
    if bad_data:
        return ExitCode.BAD_DATA
    return ExitCode.VIOLATION if violation else ExitCode.FINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The global options of one call."""

    db: Path
    config: Path | None
    quiet: bool = False
    verbose: bool = False

    def settings(self) -> Settings:
        """The configuration, read when a command first needs it."""
        return load(self.config)

    def store(self) -> "Store":
        """The store file; opens nothing."""
        from store.lease import Store

        return Store(self.db, self.settings().lease(), self.say)

    def lease(self, purpose: str, *, create: bool = False) -> "AbstractContextManager[Session]":
        return self.store().lease(purpose, create=create)

    def reading(self, purpose: str) -> "AbstractContextManager[Session]":
        return self.store().reading(purpose)

    def say(self, text: str) -> None:
        """A line for people, on standard error."""
        if not self.quiet:
            tell(text)


def edge_of(context: "typer.Context") -> Edge:
    """The options the root command left for this one."""
    edge = context.find_object(Edge)
    assert edge is not None, "the root command always makes an Edge"
    return edge


def tell(text: str) -> None:
    """One line on standard error, harmless to a terminal."""
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()


def put(lines: Iterable[str]) -> None:
    """Data on standard output; a character the terminal cannot show is escaped."""
    stream = sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        for line in lines:
            stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def progress_line(edge: Edge) -> Callable[[str], None]:
    """A function that shows how far work is: one line rewritten, only on a terminal."""
    if edge.quiet or not sys.stderr.isatty():
        return lambda text: None

    def show(text: str) -> None:
        sys.stderr.write("\r\x1b[2K" + visible(text)[:120])
        sys.stderr.flush()

    return show
