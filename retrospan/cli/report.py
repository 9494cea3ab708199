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
    from retrospan.report.facts import IncidentFacts

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
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT-IF",
            help="A what-if that was run and is left out, by the name of its scenario; repeatable. "
            "The report says so.",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write .md, .html and (where installed) .pdf beside it.")
    ] = False,
) -> None:
    """Write the post-mortem of an incident."""
    from importlib.util import find_spec

    from retrospan.report.build import build
    from retrospan.report.save import SUFFIXES, save
    from retrospan.report.what_ifs import without as leaving_out

    if output.suffix not in SUFFIXES:
        raise UsageError(f"-o {output}: the name must end in {', '.join(SUFFIXES)}")
    edge = edge_of(context)
    suffixes = [
        suffix
        for suffix in (SUFFIXES if every else (output.suffix,))
        if suffix == output.suffix or suffix != ".pdf" or find_spec("weasyprint")
    ]
    with telemetry.phase("report"):
        facts = leaving_out(_facts(edge, incident_id, slo or ()), without or ())
        saved = save(build(facts, audience), output, suffixes)
    for path in saved:
        edge.say(f"wrote {path}")


def _facts(
    edge: Edge, incident_id: str, slo: Sequence[Path], *, anew: bool = False
) -> "IncidentFacts":
    from retrospan.report.gathering import facts_of
    from retrospan.report.objectives import objectives

    return facts_of(edge, incident_id, objectives(slo, edge.settings()), anew=anew)


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
    from retrospan.report.build import build
    from retrospan.report.check import (
        audience_of,
        incident_id_of,
        left_out_of,
        objectives_of,
        read_report,
        verify,
    )
    from retrospan.report.objectives import beside
    from retrospan.report.what_ifs import names_of, without

    edge = edge_of(context)
    text = read_report(path)
    files = list(slo or ()) or beside(objectives_of(text), path.parent)
    incident_id, audience = incident_id_of(text, path), audience_of(text, path)
    with telemetry.phase("report"):
        facts = _facts(edge, incident_id, files, anew=True)
        document = build(without(facts, left_out_of(text, names_of(facts))), audience)
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
