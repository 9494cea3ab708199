"""What replays print for people: lines folded to the terminal, and the command that comes next."""

import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator
from textwrap import wrap

from retrospan.edge import STORE_DEFAULT, Edge

# A line starts with the word that heads it, as `because   `; what goes on stands deeper.
INDENT = 12
WIDTH_MIN = 40


def folded(lines: Iterable[str]) -> Iterator[str]:
    """Fold lines at words to the width of a terminal; elsewhere they stay whole."""
    if not sys.stdout.isatty():
        yield from lines
        return
    width = max(WIDTH_MIN, shutil.get_terminal_size().columns)
    for line in lines:
        deeper = " " * max(INDENT, len(line) - len(line.lstrip()) + 2)
        yield from wrap(
            line, width, subsequent_indent=deeper, break_long_words=False, break_on_hyphens=False
        ) or [""]


def suggest(edge: Edge, *words: str) -> None:
    """Name the next command, ready to paste, on standard error."""
    named = [] if str(edge.db) == STORE_DEFAULT else ["--db", str(edge.db)]
    named += [] if edge.config is None else ["--config", str(edge.config)]
    edge.say(f"next      {shlex.join(['retrospan', *named, *words])}")
