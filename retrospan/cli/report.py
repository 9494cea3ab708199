"""`retrospan report`: a post-mortem whose sentences can be recomputed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan import telemetry
from retrospan.audience import Audience
from retrospan.edge import Edge, edge_of, put, worst
from retrospan.listing import AsJson
from store.errors import UsageError
from store.model import JsonValue

if TYPE_CHECKING:
    from retrospan.report.model import Document

app = typer.Typer(help="Reports: the incident written down.", no_args_is_help=True)


SloFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--slo",
        help="An OpenSLO file or folder to hold the incident to; repeatable. Else `files` in [slo] "
        "of the configuration.",
    ),
]


@app.command("write")
def write_report(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="INCIDENT_ID", help="The incident's id.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .md, .html or .pdf file.")],
    audience: Annotated[
        Audience, typer.Option("--for", help="Who reads it: decides the sections, not the numbers.")
    ] = Audience.ENGINEER,
    slo: SloFiles = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write .md, .html and (where installed) .pdf beside it.")
    ] = False,
) -> None:
    """Write the post-mortem of an incident."""
    from importlib.util import find_spec

    from retrospan.report.save import SUFFIXES, save

    if output.suffix not in SUFFIXES:
        raise UsageError(f"-o {output}: the name must end in {', '.join(SUFFIXES)}")
    edge = edge_of(context)
    suffixes = [
        suffix
        for suffix in (SUFFIXES if every else (output.suffix,))
        if suffix == output.suffix or suffix != ".pdf" or find_spec("weasyprint")
    ]
    with telemetry.phase("report"):
        saved = save(_document(edge, incident_id, slo or (), audience), output, suffixes)
    for path in saved:
        edge.say(f"wrote {path}")


def _document(
    edge: Edge, incident_id: str, slo: Sequence[Path], audience: Audience, *, anew: bool = False
) -> "Document":
    from retrospan.report.build import build
    from retrospan.report.gathering import facts_of
    from retrospan.report.objectives import objectives

    held_to = objectives(slo, edge.settings())
    return build(facts_of(edge, incident_id, held_to, anew=anew), audience)


@app.command("verify")
def verify_report(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A report written by retrospan.")],
    slo: SloFiles = None,
    as_json: AsJson = False,
) -> int:
    """Recompute every machine-written line; exit code 3 when one says something else now. Files of
    objectives that stand beside the report are found by their names."""
    from retrospan.canonical import pretty
    from retrospan.report.check import (
        audience_of,
        incident_id_of,
        objectives_of,
        read_report,
        verify,
    )
    from retrospan.report.objectives import beside

    edge = edge_of(context)
    text = read_report(path)
    files = list(slo or ()) or beside(objectives_of(text), path.parent)
    with telemetry.phase("report"):
        document = _document(
            edge, incident_id_of(text, path), files, audience_of(text, path), anew=True
        )
        found = verify(text, document, html=path.suffix == ".html")
    if as_json:
        put(
            [
                pretty(
                    {
                        "schema": "retrospan.report_verify/1",
                        "statements": found.statements,
                        "recomputed": found.recomputed,
                        "drifted": list(found.drifted),
                    }
                )
            ]
        )
    else:
        put([f"{found.recomputed} of {found.statements} recomputed", *found.drifted])
    return worst(violation=bool(found.drifted))


@app.command("lint")
def lint_report(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A report written by retrospan.")],
    as_json: AsJson = False,
) -> None:
    """List the blanks that people have not filled in."""
    from retrospan.canonical import pretty
    from retrospan.report.check import blanks, read_report
    from retrospan.text import visible

    found = blanks(read_report(path))
    if as_json:
        listed: list[JsonValue] = [{"line": number, "text": text} for number, text in found]
        put([pretty({"schema": "retrospan.report_lint/1", "blanks": listed})])
    else:
        put(f"{visible(path)}:{number}: {visible(text)}" for number, text in found)
