"""`retrospan replay`: recorded flows, re-executed."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan.edge import edge_of, progress_line, put, worst
from retrospan.listing import (
    AsJson,
    Column,
    Format,
    FormatOption,
    Listing,
    Row,
    field,
    show,
)
from retrospan.timespan import humane
from store.errors import UsageError

app = typer.Typer(help="Replays: recorded flows, re-executed.", no_args_is_help=True)

CELLS = (
    "flow_id", "mode", "verdict", "digest", "outcome", "virtual_duration_ns", "claim", "flags",
)  # fmt: skip
PROGRAM_CELLS = (
    "name", "version", "offers", "flows", "identical", "equivalent", "diverged_flagged",
    "diverged_silent", "unreplayable", "reproduced_ppm", "reproduced_doubted",
    "end_width_median_ppm",
)  # fmt: skip


def _duration(row: Row) -> str:
    value = row["virtual_duration_ns"]
    return humane(value if isinstance(value, int) else None)


def _first(row: Row) -> str | None:
    """How the replay first left the recording."""
    divergences = row["divergences"]
    if not isinstance(divergences, list) or not divergences:
        return None
    first = divergences[0]
    assert isinstance(first, dict)
    return f"{first['kind']} at {first['step_id']} {first['path']}".rstrip()


def _share(name: str) -> Column:
    def cell(row: Row) -> str | None:
        value = row[name]
        return f"{value // 10_000}.{value // 1_000 % 10}" if isinstance(value, int) else None

    return Column(
        header=f"{name.removesuffix('_ppm').replace('_', ' ')} (%)", show=cell, right=True
    )


COLUMNS = (
    field("flow", "flow_id"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    Column(header="virtual duration", show=_duration, right=True),
    field("claim", "claim"),
    Column(header="first divergence", show=_first),
    field("because", "reason"),
)
PROGRAM_COLUMNS = (
    field("flow kind", "name"),
    field("version", "version"),
    field("offers", "offers"),
    field("flows (n)", "flows", right=True),
    _share("reproduced_ppm"),
    field("diverged, flagged (n)", "diverged_flagged", right=True),
    field("diverged, silent (n)", "diverged_silent", right=True),
    field("unreplayable (n)", "unreplayable", right=True),
    _share("end_width_median_ppm"),
)


@app.command("run")
def run_replays(
    context: typer.Context,
    flow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW_ID...", help="Flows to re-execute.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the store.")] = False,
    scenario: Annotated[
        Path | None, typer.Option(help="A what-if file; the unchanged control runs first.")
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Re-execute flows from their recordings and store the result. Exit code 3 when one diverged,
    4 when one could not be replayed."""
    if bool(flow_ids) == every:
        raise UsageError("replay run takes FLOW_ID... or --all, one of the two")
    from retrospan.documents import replay_row, replays_document
    from retrospan.replaying import replayed

    results = replayed(
        edge_of(context), flow_ids or None, scenario, progress_line(edge_of(context))
    )
    rows: list[Row] = [replay_row(result) for result in results]
    if form is Format.TABLE and not as_json:
        rows = [{**row, "reason": result.reason} for row, result in zip(rows, results, strict=True)]
    show(
        Listing(
            document=replays_document(results),
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="the store holds no flow",
        ),
        form,
        as_json,
    )
    judged = [result.control_verdict or result.verdict for result in results]
    return worst(violation="diverged" in judged, bad_data="unreplayable" in judged)


@app.command("programs")
def list_programs(
    context: typer.Context, form: FormatOption = Format.TABLE, as_json: AsJson = False
) -> None:
    """Show what the inferred program of each flow kind reproduces of flows it never saw."""
    from replay.engine import replay_flows
    from replay.settings import ReplaySettings
    from retrospan.canonical import pretty
    from retrospan.programs import programs_document
    from store import read

    edge = edge_of(context)
    settings = edge.settings().fill("replay", ReplaySettings)
    with edge.lease("reading flows for their programs") as session:
        flows = read.read_flows(session)
        stored = read.read_replays(session)
    progress = progress_line(edge)
    controls = replay_flows(
        flows,
        [flow.flow_id for flow in flows],
        settings=settings,
        progress=lambda done, whole: progress(f"replayed {done} of {whole}"),
    )
    progress("")
    what_ifs = [result for result in stored if result.scenario is not None]
    document = programs_document(flows, controls, what_ifs, settings)
    if as_json:
        put([pretty(document)])
        return
    programs = document["programs"]
    assert isinstance(programs, list)
    show(
        Listing(
            document=document,
            rows=[row for row in programs if isinstance(row, dict)],
            columns=PROGRAM_COLUMNS,
            cells=PROGRAM_CELLS,
            empty="the store holds no flow",
        ),
        form,
        as_json,
    )
