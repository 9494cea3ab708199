"""`retrospan redact`: what redaction would take away from a file, before anything is loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import ExitCode, edge_of, put
from retrospan.listing import AsJson

if TYPE_CHECKING:
    from ingest.redact_check import Check


def command(
    context: typer.Context,
    check: Annotated[Path, typer.Option(metavar="FILE", help="The file to look at.")],
    form: Annotated[
        str | None, typer.Option("--format", help="Read as this format instead of sniffing.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Count the secrets of a file by rule and place; no secret is shown, nothing is stored."""
    from ingest.redact_check import KEY, check_file
    from retrospan.canonical import pretty
    from retrospan.loading import ingest_settings

    settings = ingest_settings(edge_of(context).settings(), form, KEY)
    format_name, found = check_file(check, settings)
    if as_json:
        heading = {"schema": "retrospan.redact/1", "path": str(check), "format": format_name}
        put([pretty({**heading, **found.to_document()})])
    else:
        put(_lines(found))
    return ExitCode.FINE


def _lines(found: "Check") -> list[str]:
    from retrospan.text import visible

    lines = [f"{found.secrets} secrets in {found.records} records"]
    for (rule, place), entry in sorted(found.entries.items()):
        where = ", ".join(entry.records[:3]) + (", …" if len(entry.records) > 3 else "")
        lines.append(visible(f"{entry.count:>6}  {rule:<12} {place}  ({where})"))
    if found.unlisted:
        lines.append(f"{found.unlisted} more are not listed")
    return lines
