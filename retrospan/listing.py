"""Lists as people and programs want them: tables, JSON, JSON lines, CSV."""

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from retrospan.canonical import line, pretty
from retrospan.documents import Document
from retrospan.edge import put
from retrospan.text import csv_cell, shortened, visible
from store.model import JsonValue

LIMIT_DEFAULT = 1_000
PIPE_WIDTH = 2_000
# Words up to this length, ids among them, are not broken where there is room; what lies between
# two columns.
WORD_MAX, GAP = 24, 3


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


Since = Annotated[
    str | None,
    typer.Option(help="From this time on: RFC 3339, or `2h` before the end of the data."),
]
Until = Annotated[
    str | None, typer.Option(help="Up to this time: RFC 3339, or `2h` before the end of the data.")
]
Service = Annotated[str | None, typer.Option(help="Only flows that passed through this service.")]
Outcome = Annotated[str | None, typer.Option(help="Only flows that ended like this.")]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Only rows whose field has this value; repeatable."),
]
Limit = Annotated[int, typer.Option(min=1, help="At most this many rows.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the list.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

Row = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the table; `show` turns a row into its cell."""

    header: str
    show: Callable[[Row], object]
    right: bool = False


def field(header: str, name: str, *, right: bool = False) -> Column:
    """A column that shows one field as it is."""
    return Column(header=header, show=lambda row: row[name], right=right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One list in every form: `cells` are the fields of CSV, `empty` is said of an empty one."""

    document: Document
    rows: Sequence[Row]
    columns: Sequence[Column]
    cells: Sequence[str]
    empty: str


def show(listing: Listing, form: Format, as_json: bool) -> None:
    """Print the list on standard output."""
    if as_json or form is Format.JSON:
        put([pretty(listing.document)])
    elif form is Format.JSONL:
        put(line(row) for row in listing.rows)
    elif form is Format.CSV:
        put(_csv_lines(listing))
    else:
        _table(listing)


def _csv_lines(listing: Listing) -> list[str]:
    rows: list[list[JsonValue]] = [list(listing.cells)]
    rows += [[_flat(row.get(name)) for name in listing.cells] for row in listing.rows]
    lines = []
    for cells in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow([csv_cell(cell) for cell in cells])
        lines.append(text.getvalue())
    return lines


def _flat(value: JsonValue) -> JsonValue:
    """A list of ids in one cell, separated by blanks."""
    return " ".join(str(entry) for entry in value) if isinstance(value, list) else value


def _table(listing: Listing) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not listing.rows:
        from retrospan.edge import tell

        tell(listing.empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, highlight=False, markup=False, emoji=False,
        width=None if terminal else PIPE_WIDTH,
    )  # fmt: skip
    cells = [[cell_text(column.show(row)) for column in listing.columns] for row in listing.rows]
    headers = [column.header for column in listing.columns]
    widths = widths_of([headers, *cells], console.width - GAP * len(headers))
    for column, width in zip(listing.columns, widths, strict=True):
        table.add_column(
            Text(column.header), justify="right" if column.right else "left", overflow="fold",
            width=width,
        )  # fmt: skip
    for row in cells:
        table.add_row(*map(Text, row))
    with console.capture() as captured:
        console.print(table)
    lines = (line.rstrip() for line in captured.get().splitlines())
    put(line for line in lines if line)  # the box draws blank lines above and below


def widths_of(cells: Sequence[Sequence[str]], room: int) -> list[int]:
    """Give widths of columns that break no word, or the longest words only where room is short."""
    columns = [*zip(*cells, strict=True)]
    longest = [
        max((len(word) for text in column for word in text.split()), default=1)
        for column in columns
    ]
    most = WORD_MAX
    while most > 1 and sum(min(most, word) for word in longest) > room:
        most -= 1
    widths = [min(most, word) for word in longest]
    spare = max(0, room - sum(widths))
    # What is left goes to what would otherwise be folded, the shortest first: it needs least.
    for index in sorted(range(len(columns)), key=lambda at: max(map(len, columns[at]))):
        more = min(max(0, max(map(len, columns[index])) - widths[index]), spare)
        widths[index] += more
        spare -= more
    return widths


def cell_text(value: object) -> str:
    """A table cell: nothing recorded is a dash, everything else is made visible."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shortened(visible(value))
