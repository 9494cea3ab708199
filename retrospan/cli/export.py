"""`retrospan export`: recorded data for other programs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import Edge, edge_of, put, tell, worst
from retrospan.listing import AsJson

if TYPE_CHECKING:
    from retrospan.export.exported import Exported

app = typer.Typer(help="Exports: recorded data for other programs.", no_args_is_help=True)

DIFFERING_TOLD_MAX = 20


@app.command("otlp")
def export_otlp(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .jsonl or .jsonl.gz file.")],
    flow: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only this flow; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write spans and logs as OTLP/JSON lines; exit code 4 when one does not read back equal."""
    from retrospan import telemetry
    from retrospan.export.otlp_file import export_otlp as export

    edge = edge_of(context)
    with telemetry.phase("export"):
        return _tell(edge, export(edge.store(), output, flow or ()), as_json)


@app.command("parquet")
def export_parquet(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="A folder; made when missing.")],
    as_json: AsJson = False,
) -> int:
    """Write every recorded table as a Parquet file."""
    from retrospan import telemetry
    from retrospan.export.parquet import export_parquet as export

    edge = edge_of(context)
    with telemetry.phase("export"):
        return _tell(edge, export(edge.store(), output), as_json)


def _mock_command(name: str, title: str) -> None:
    """One command per format of recorded exchanges."""

    def export_mock(
        context: typer.Context,
        flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow.")],
        output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
        service: Annotated[
            str | None,
            typer.Option(help="Whose requests to write; those of the flow's own service, else."),
        ] = None,
        as_json: AsJson = False,
    ) -> int:
        from retrospan import telemetry
        from retrospan.export.mocks import export_mocks

        edge = edge_of(context)
        with telemetry.phase("export"):
            return _tell(edge, export_mocks(edge.store(), name, flow, output, service), as_json)

    help_text = f"Write the HTTP requests of a flow with their answers as {title}."
    app.command(name, help=help_text)(export_mock)


for _name, _title in (
    ("har", "an HTTP archive (HAR 1.2)"),
    ("vcr", "a cassette of vcrpy"),
    ("wiremock", "stub mappings of WireMock"),
):
    _mock_command(_name, _title)


@app.command("pytest")
def export_test(
    context: typer.Context,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A folder; made when missing.")],
    code: Annotated[
        str, typer.Option(metavar="MODULE:FUNCTION", help="Your function that runs the flow.")
    ],
    expect: Annotated[
        list[str], typer.Option(metavar="CEL", help="What must hold of it; repeatable.")
    ],
    as_json: AsJson = False,
) -> int:
    """Write a test that runs your own code on the recorded flow, with the recording beside it."""
    from retrospan import telemetry
    from retrospan.export.pytest_file import export_pytest

    edge = edge_of(context)
    with telemetry.phase("export"):
        done = export_pytest(edge.store(), flow, output, code, tuple(expect))
        return _tell(edge, done, as_json)


def _tell(edge: Edge, done: "Exported", as_json: bool) -> int:
    from retrospan.canonical import pretty

    if as_json:
        put([pretty(done.to_document())])
    else:
        put(f"{file.path}: {file.table} {file.rows}" for file in done.files)
    for name in done.differing[:DIFFERING_TOLD_MAX]:
        tell(f"not read back as it is stored: {name}")
    for name in done.left_out[:DIFFERING_TOLD_MAX]:
        tell(f"left out, the format has no place for it: {name}")
    hidden = len(done.differing) - DIFFERING_TOLD_MAX
    if hidden > 0:
        tell(f"and {hidden} more; --json lists them")
    if done.changed_meanwhile:
        edge.say("data came in meanwhile: each trace is whole, but the export is of no one moment")
    return worst(violation=False, bad_data=bool(done.differing))
