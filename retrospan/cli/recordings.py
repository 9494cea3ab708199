"""`retrospan recordings`: what a replay needs of a flow, and files of it."""

from pathlib import Path
from typing import Annotated

import typer

from retrospan.edge import ExitCode, edge_of, progress_line, put, tell, worst
from retrospan.listing import (
    LIMIT_DEFAULT,
    AsJson,
    Column,
    Format,
    FormatOption,
    Limit,
    Listing,
    Outcome,
    Row,
    Service,
    Since,
    Until,
    Where,
    field,
    show,
)

app = typer.Typer(
    help="Recordings: what a replay needs of a flow, and files of it.", no_args_is_help=True
)

CELLS = ("flow_id", "name", "version", "outcome", "grade", "gaps", "calls", "draws", "unusable")
REPLAY_CELLS = (
    "flow_id", "verdict", "outcome", "digest", "exported_digest", "same", "claim", "reason",
)  # fmt: skip


def _listed(name: str) -> Column:
    def cell(row: Row) -> str | None:
        value = row[name]
        return "; ".join(map(str, value)) if isinstance(value, list) and value else None

    return Column(header=name, show=cell)


COLUMNS = (
    field("flow", "flow_id"),
    Column(header="flow kind", show=lambda row: f"{row['name']} {row['version']}".rstrip()),
    field("ends", "outcome"),
    field("grade", "grade"),
    field("calls", "calls", right=True),
    Column(header="what lacks", show=lambda row: row["unusable"] or _listed("gaps").show(row)),
)
REPLAY_COLUMNS = (
    field("flow", "flow_id"),
    field("verdict", "verdict"),
    field("ends", "outcome"),
    field("as there", "same"),
    field("claim", "claim"),
    Column(header="because", show=lambda row: str(row["reason"]).partition("; ")[0] or None),
)
RULE_COLUMNS = (
    field("operation", "operation"),
    field("what it does", "rule"),
    field("seen", "seen", right=True),
)
ORIGIN_COLUMNS = (
    field("request of", "operation"),
    field("value", "path"),
    Column(header="comes from", show=lambda row: row["source"] or "nothing recorded: noise"),
    field("seen", "flows", right=True),
    Column(header="or from", show=_listed("rivals").show),
)


@app.command("list")
def list_recordings(
    context: typer.Context,
    since: Since = None,
    until: Until = None,
    service: Service = None,
    outcome: Outcome = None,
    where: Where = None,
    limit: Limit = LIMIT_DEFAULT,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """List what can be replayed of each flow: R4 all of it, R3 bodies, R2 shape and times only, R1
    with gaps, R0 not at all; and the attribute that would raise the grade."""
    from retrospan.recordings import recording_row
    from retrospan.selection import Options, choose, limited
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.reading("listing recordings") as session:
        chosen = choose(session, options, CELLS)
        flows = read.read_flows(session, limited(chosen))
    matching = chosen.matching([recording_row(flow) for flow in flows])
    rows = matching[:limit]
    chosen.say_more(edge, matching)
    show(
        Listing(
            document={"schema": "retrospan.recordings_list/1", "recordings": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no flow matches; `retrospan ingest PATH` loads data",
        ),
        form,
        as_json,
    )


@app.command("show")
def show_recording(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="ID", help="The flow's id.")],
    as_json: AsJson = False,
) -> None:
    """Show the program that a flow is replayed with, rule by rule, and where the values of its
    requests come from; each with the cases in other flows that it rests on."""
    from retrospan.canonical import pretty
    from retrospan.recordings import provenance_document, provenance_head
    from retrospan.replaying import Replayer
    from store import read

    edge = edge_of(context)
    with edge.reading("showing a recording") as session:
        flow = read.read_flow(session, flow_id)
    document = provenance_document(flow, Replayer(edge))
    if as_json:
        put([pretty(document)])
        return
    put(provenance_head(document))
    for name, columns in (("rules", RULE_COLUMNS), ("provenance", ORIGIN_COLUMNS)):
        found = document[name]
        assert isinstance(found, list)
        listing = Listing(
            document=document,
            rows=[row for row in found if isinstance(row, dict)],
            columns=columns,
            cells=(),
            empty=f"no program, so no {name}",
        )
        show(listing, Format.TABLE, False)


@app.command("export")
def export_recordings(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="The .jsonl file to write.")],
    flow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW_ID...", help="Flows to export.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every flow of the store.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write recordings with their programs, so that they replay elsewhere to the same digests."""
    from retrospan.canonical import pretty
    from retrospan.recordings import export
    from store.errors import UsageError

    if bool(flow_ids) == every:
        raise UsageError("recordings export takes FLOW_ID... or --all, one of the two")
    edge = edge_of(context)
    document = export(edge, flow_ids, output, progress_line(edge))
    if as_json:
        put([pretty(document)])
        return
    put(
        [
            f"{document['file']}: {document['recordings']} recordings, "
            f"{document['programs']} programs, {document['bytes']} bytes"
        ]
    )
    if document["without_program"]:
        tell(f"{document['without_program']} recordings go without a program: no replay of these")


@app.command("replay")
def replay_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `recordings export` wrote.")],
    flow_ids: Annotated[
        list[str] | None, typer.Argument(metavar="FLOW_ID...", help="Only these flows.")
    ] = None,
    scenario: Annotated[
        Path | None,
        typer.Option(
            help="A what-if file (YAML: `changes`, `answers`, `lost`, `version`); the unchanged "
            "control runs first."
        ),
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> int:
    """Re-execute recordings from a file; needs no store. Exit code 3 when one diverged or came out
    otherwise than where it was exported, 4 when one could not be replayed."""
    from retrospan.recordings import replay_document

    edge = edge_of(context)
    document = replay_document(edge, file, flow_ids or (), scenario)
    replays = document["replays"]
    assert isinstance(replays, list)
    rows: list[Row] = [row for row in replays if isinstance(row, dict)]
    show(
        Listing(
            document=document,
            rows=rows,
            columns=REPLAY_COLUMNS,
            cells=REPLAY_CELLS,
            empty="the file holds no recording",
        ),
        form,
        as_json,
    )
    if not rows:
        return ExitCode.FINE
    found = any(row["control"] == "diverged" or row["same"] is False for row in rows)
    return worst(violation=found, bad_data=any(row["verdict"] == "unreplayable" for row in rows))
