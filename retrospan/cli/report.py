"""`retrospan report`: a post-mortem whose sentences can be recomputed."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan import telemetry
from retrospan.edge import edge_of, put, worst
from retrospan.listing import AsJson
from store.errors import UsageError
from store.model import JsonValue

app = typer.Typer(help="Reports: the incident written down.", no_args_is_help=True)


@app.command("write")
def write_report(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="INCIDENT_ID", help="The incident's id.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .md or .html file.")],
    both: Annotated[bool, typer.Option("--both", help="Write the other form beside it.")] = False,
) -> None:
    """Write the post-mortem of an incident."""
    from retrospan.report.save import SUFFIXES, save

    if output.suffix not in SUFFIXES:
        raise UsageError(f"-o {output}: the name must end in {' or '.join(SUFFIXES)}")
    from retrospan.report import build, gather

    edge = edge_of(context)
    suffixes = SUFFIXES if both else (output.suffix,)
    with telemetry.phase("report"):
        with edge.lease("reading an incident") as session:
            facts = gather(session, incident_id)
        saved = save(build(facts), output, suffixes)
    for path in saved:
        edge.say(f"wrote {path}")


@app.command("verify")
def verify_report(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A report written by retrospan.")],
    as_json: AsJson = False,
) -> int:
    """Recompute every machine-written line; exit code 3 when one says something else now."""
    from retrospan.canonical import pretty
    from retrospan.report import build, gather
    from retrospan.report.check import incident_id_of, read_report, verify

    edge = edge_of(context)
    text = read_report(path)
    with telemetry.phase("report"):
        with edge.lease("verifying a report") as session:
            facts = gather(session, incident_id_of(text, path))
        found = verify(text, build(facts), html=path.suffix == ".html")
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
