"""`retrospan ingest`: files into the store, then flows out of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import Edge, edge_of, progress_line, put, tell, worst
from retrospan.listing import AsJson

if TYPE_CHECKING:
    from store.model import JsonValue

PROBLEMS_TOLD_MAX = 20


def _list_formats(asked: bool) -> None:
    if not asked:
        return
    from ingest.reader import described, discover

    formats = described(discover())
    width = max(map(len, formats))
    put(f"{name:{width}}  {what}" for name, what in formats.items())
    raise typer.Exit


def command(
    context: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Files, folders, or - for input.")
    ],
    form: Annotated[
        str | None, typer.Option("--format", help="Read as this format instead of sniffing.")
    ] = None,
    codec: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Open payloads of Temporal histories by your codec server on this machine, "
            "such as http://127.0.0.1:8081.",
        ),
    ] = "",
    as_json: AsJson = False,
    list_formats: Annotated[
        bool,
        typer.Option(
            "--list-formats",
            callback=_list_formats,
            is_eager=True,
            help="Say which formats are read, then end.",
        ),
    ] = False,
) -> int:
    """Load traces, logs and decisions; exit code 4 when a record was refused."""
    from retrospan.canonical import pretty
    from retrospan.loading import derive, load

    del list_formats  # it has ended the command
    edge = edge_of(context)
    report = load(edge, paths, form, progress_line(edge), codec=codec)
    document = report.to_document()
    if as_json:
        put([pretty(document)])
    else:
        _summarise(edge, document)
    for problem in report.problems()[:PROBLEMS_TOLD_MAX]:
        tell(problem)
    hidden = report.total("rejected_count") - PROBLEMS_TOLD_MAX
    if hidden > 0:
        tell(f"and {hidden} more refused records; --json lists them")
    if any(
        report.total(name) for name in ("spans", "logs", "decisions", "duplicates", "superseded")
    ):
        edge.say(derive(edge, progress_line(edge)))
    return worst(violation=False, bad_data=report.has_bad_input)


def _summarise(edge: Edge, document: "dict[str, JsonValue]") -> None:
    counted = ("spans", "logs", "decisions", "duplicates", "superseded", "rejected")
    put([", ".join(f"{name} {document[name]}" for name in counted)])
    skipped = document["skipped"]
    if isinstance(skipped, list) and skipped:
        edge.say(f"files in folders that are no data and were left out: {len(skipped)}")
