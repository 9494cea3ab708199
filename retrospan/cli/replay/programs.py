"""`retrospan replay programs`: what the inferred program of each flow kind reproduces."""

from collections.abc import Sequence

import typer

from retrospan.cli.replay.cells import integer, rows
from retrospan.cli.replay.people import folded, suggest
from retrospan.edge import edge_of, progress_line, put
from retrospan.listing import AsJson, Column, Format, FormatOption, Listing, Row, field, show
from retrospan.report.numbers import of

PROGRAM_CELLS = (
    "name", "version", "offers", "flows", "identical", "equivalent", "diverged_flagged",
    "diverged_silent", "unreplayable", "reproduced_ppm", "reproduced_doubted",
    "end_width_median_ppm", "reproduced_wide", "diverged_late", "times_inside_ppm",
)  # fmt: skip


def _share(header: str, name: str) -> Column:
    def cell(row: Row) -> str | None:
        value = row[name]
        return f"{value // 10_000}.{value // 1_000 % 10}" if isinstance(value, int) else None

    return Column(header=header, show=cell, right=True)


def _kind(row: Row) -> str:
    kind = f"{row['name']} {row['version']}".rstrip()
    offers = {"what-if": "", "control": ", control only"}.get(str(row["offers"]), ", no program")
    return kind + offers


PROGRAM_COLUMNS = (
    Column(header="flow kind", show=_kind),
    field("flows", "flows", right=True),
    _share("right (%)", "reproduced_ppm"),
    field("wrong doubted", "diverged_flagged", right=True),
    field("wrong silent", "diverged_silent", right=True),
    field("not at all", "unreplayable", right=True),
    _share("times (%)", "times_inside_ppm"),
    _share("width (%)", "end_width_median_ppm"),
)
# What the heads of the columns mean; shown with them, so that no head needs to be long.
LEGEND = (
    "right: calls, order, requests and outcome as recorded, by a program that never saw the flow; "
    "wrong: not so, and doubted by the program itself or not; times: every start lies in its "
    "interval; width: of the interval of the end, median, in % of the duration"
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
    made = rows(document["programs"])
    if form is Format.TABLE and made:
        put(folded([_answer(made)]))
    show(
        Listing(
            document=document,
            rows=made,
            columns=PROGRAM_COLUMNS,
            cells=PROGRAM_CELLS,
            empty="the store holds no flow",
        ),
        form,
        as_json,
    )
    if form is Format.TABLE and made:
        for line in folded([LEGEND]):
            edge.say(line)
        offered = [one.flow_id for one in controls if one.program_digest]
        if offered:
            edge.say("what a program does, rule by rule, tells any flow that is replayed with it:")
            suggest(edge, "recordings", "show", offered[0])
        else:
            suggest(edge, "recordings", "list")


def _answer(made: Sequence[Row]) -> str:
    whole, none, same, silent = (
        sum(integer(row[name]) for row in made for name in names)
        for names in (
            ("flows",), ("unreplayable",), ("identical", "equivalent"), ("diverged_silent",)
        )
    )  # fmt: skip
    if whole == none:
        return f"answer    none of {whole} flows can be replayed"
    wrong = f"{silent} are wrong in silence" if silent else "none is wrong in silence"
    left = f"; {none} more cannot be replayed" if none else ""
    return f"answer    {of(same, whole - none)} flows come out as recorded, {wrong}{left}"
