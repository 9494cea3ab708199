"""`retrospan replay programs`: what the inferred program of each flow kind reproduces."""

import typer

from retrospan.edge import edge_of, progress_line, put
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show

PROGRAM_CELLS = (
    "name", "version", "offers", "flows", "identical", "equivalent", "diverged_flagged",
    "diverged_silent", "unreplayable", "reproduced_ppm", "reproduced_doubted",
    "end_width_median_ppm", "reproduced_wide", "diverged_late", "times_inside_ppm",
)  # fmt: skip


def _share(name: str) -> Column:
    def cell(row: Row) -> str | None:
        value = row[name]
        return f"{value // 10_000}.{value // 1_000 % 10}" if isinstance(value, int) else None

    return Column(
        header=f"{name.removesuffix('_ppm').replace('_', ' ')} (%)", show=cell, right=True
    )


PROGRAM_COLUMNS = (
    field("flow kind", "name"),
    field("version", "version"),
    field("offers", "offers"),
    field("flows (n)", "flows", right=True),
    _share("reproduced_ppm"),
    field("times unknown (n)", "reproduced_wide", right=True),
    field("diverged, flagged (n)", "diverged_flagged", right=True),
    field("diverged, silent (n)", "diverged_silent", right=True),
    field("unreplayable (n)", "unreplayable", right=True),
    _share("times_inside_ppm"),
    _share("end_width_median_ppm"),
)


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
    with edge.reading("reading flows for their programs") as session:
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
    what_ifs = [it for it in stored if it.scenario is not None and it.mode != "temporal"]
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
