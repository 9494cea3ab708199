"""`retrospan report`: a post-mortem whose sentences can be recomputed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of
from store.errors import DataError, UsageError

if TYPE_CHECKING:
    from retrospan.report.model import Document

app = typer.Typer(help="Reports: the incident written down.", no_args_is_help=True)

SUFFIXES = (".md", ".html")


@app.command("write")
def write_report(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="INCIDENT_ID", help="The incident's id.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .md or .html file.")],
    both: Annotated[bool, typer.Option("--both", help="Write the other form beside it.")] = False,
) -> None:
    """Write the post-mortem of an incident."""
    if output.suffix not in SUFFIXES:
        raise UsageError(f"-o {output}: the name must end in {' or '.join(SUFFIXES)}")
    from retrospan.report import build, gather

    edge = edge_of(context)
    with edge.lease("reading an incident") as session:
        facts = gather(session, incident_id)
    document = build(facts)
    suffixes = SUFFIXES if both else (output.suffix,)
    for path in save(document, output, suffixes):
        edge.say(f"wrote {path}")


def save(document: "Document", output: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Write the document in each form; the files that were written."""
    from retrospan.report import to_html, to_markdown

    written = []
    for suffix in suffixes:
        path = output.with_suffix(suffix)
        text = to_markdown(document) if suffix == ".md" else to_html(document)
        try:
            path.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
        written.append(path)
    return written
