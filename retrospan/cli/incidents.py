"""`retrospan incidents`: time windows with symptoms."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of, put
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
from retrospan.timespan import utc

if TYPE_CHECKING:
    from store.conclusions import Incident

app = typer.Typer(help="Incidents: time windows with symptoms.", no_args_is_help=True)

CELLS = (
    "incident_id", "start_ns", "detected_ns", "mitigated_ns", "recovered_ns", "flow_count",
    "services",
)  # fmt: skip
DECLARED_BY = "person"
TITLE_CHARS_MAX = 200


def _time(header: str, name: str) -> Column:
    def cell(row: Row) -> str:
        value = row[name]
        return utc(value if isinstance(value, int) else None)

    return Column(header=header, show=cell)


def _services(row: Row) -> str:
    services = row["services"]
    return ", ".join(map(str, services)) if isinstance(services, list) else ""


COLUMNS = (
    field("incident", "incident_id"),
    field("title", "title"),
    _time("start (UTC)", "start_ns"),
    _time("end (UTC)", "end_ns"),
    _time("recovered (UTC)", "recovered_ns"),
    field("affected flows (n)", "flow_count", right=True),
    Column(header="services", show=_services),
)


def _print(incidents: "Sequence[Incident]", form: Format, as_json: bool) -> None:
    from retrospan.documents import incident_row, incidents_document

    wide: list[Row] = [
        {**incident_row(one), "title": one.title, "end_ns": one.end_ns} for one in incidents
    ]
    plain: list[Row] = [incident_row(one) for one in incidents]
    show(
        Listing(
            document=incidents_document(incidents),
            rows=plain if form is Format.JSONL else wide,
            columns=COLUMNS,
            cells=CELLS,
            empty="no incident; `incidents find` looks for some, `incidents declare` makes one",
        ),
        form,
        as_json,
    )


@app.command("list")
def list_incidents(
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
    """List incidents by start; --outcome and span attributes select by their affected flows."""
    from retrospan.documents import incident_row
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.lease("listing incidents") as session:
        chosen = choose(session, options, CELLS)
        incidents = read.read_incidents(session)
        flow_ids = chosen.flow_ids(session)
    if flow_ids is not None:
        ids = frozenset(flow_ids)
        incidents = [one for one in incidents if not ids.isdisjoint(one.flow_ids)]
    kept = {row["incident_id"] for row in chosen.rows([incident_row(one) for one in incidents])}
    _print([one for one in incidents if one.incident_id in kept], form, as_json)


Changes = Annotated[
    list[Path] | None,
    typer.Option(
        "--changes",
        metavar="FILE",
        help="Changes as JSON: a list, or lines, of {at, kind, service, name, text}.",
    ),
]
Metrics = Annotated[
    list[Path] | None,
    typer.Option(
        "--metrics",
        metavar="FILE",
        help="CSV with timestamp, service, metric, value; read for this answer, not stored.",
    ),
]


@app.command("show")
def show_incident(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id.")],
    changes: Changes = None,
    metrics: Metrics = None,
    confirm: Annotated[
        bool, typer.Option("--confirm/--no-confirm", help="Try each candidate by replay.")
    ] = True,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Show one incident: its times, how far it reached, and what may have caused it."""
    from analyzer.incidents.changes import read_changes, read_measurements
    from retrospan.causes import causes_of, document_of, page, row_of

    edge = edge_of(context)
    found = causes_of(
        edge,
        incident_id,
        changes=[change for path in changes or () for change in read_changes(path)],
        measurements=[one for path in metrics or () for one in read_measurements(path)],
        replays=confirm,
    )
    document = document_of(found)
    if as_json or form is not Format.TABLE:
        show(
            Listing(
                document=document,
                rows=[row_of(found)],
                columns=COLUMNS,
                cells=CELLS,
                empty="",
            ),
            form,
            as_json,
        )
        return
    put(page(found))


@app.command("find")
def find_incidents(
    context: typer.Context,
    slo: Annotated[
        list[Path] | None,
        typer.Option("--slo", metavar="FILE", help="OpenSLO files beside those configured."),
    ] = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Find incidents by burn rate and keep them: windows with more bad flows than usual."""
    from analyzer.slo.evaluate import read_facts
    from analyzer.slo.timeline import timeline
    from retrospan.incident import found
    from retrospan.slo_files import slos_of
    from store import read, write

    edge = edge_of(context)
    settings = edge.settings()
    wanted = slo or settings.tables.get("slo", {}).get("files")
    slos = [one for one in slos_of(settings, slo or ()) if one.good is not None] if wanted else []
    with edge.lease("looking for incidents") as session:
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
        findings = read.read_findings(session)
        facts = read_facts(session) if slos else []
        known = {one.incident_id for one in read.read_incidents(session)}
    lines = [
        (f"{one.name} {objective.name}".strip(), objective.budget, timeline(one, facts))
        for one in slos
        for objective in one.objectives
    ]
    incidents = found(flows, sagas, findings, lines)
    with edge.lease("keeping incidents") as session:
        for incident in incidents:
            if incident.incident_id not in known:
                write.write_incident(session, incident)
    _print(incidents, form, as_json)
    if not incidents:
        edge.say(f"no incident: nothing burns in {len(flows)} flows")
    for incident in incidents:
        edge.say(f"next: retrospan incidents show {incident.incident_id}")


@app.command("declare")
def declare_incident(
    context: typer.Context,
    start: Annotated[str, typer.Option("--from", help="Start: RFC 3339, or `2h` before the end.")],
    end: Annotated[str, typer.Option("--to", help="End: RFC 3339, or `0s` for the end.")],
    title: Annotated[str, typer.Option(help="What to call it.")] = "Incident",
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Declare a time window an incident; its affected flows are found by their symptoms."""
    from retrospan.incident import declare
    from retrospan.timespan import parse_moment
    from store import read, write
    from store.errors import UsageError

    if not 0 < len(title) <= TITLE_CHARS_MAX:
        raise UsageError(f"--title has 1 to {TITLE_CHARS_MAX} characters, this has {len(title)}")
    edge = edge_of(context)
    with edge.lease("reading flows for an incident") as session:
        end_of_data = read.counts(session).data_end_ns
        flows = read.read_flows(session)
        sagas = read.read_sagas(session)
    start_ns = parse_moment(start, end_of_data, "--from")
    end_ns = parse_moment(end, end_of_data, "--to")
    if end_ns <= start_ns:
        raise UsageError(f"--to {end} does not lie after --from {start}")
    incident = declare(
        flows=flows,
        sagas=sagas,
        start_ns=start_ns,
        end_ns=end_ns,
        title=title,
        declared_by=DECLARED_BY,
    )
    with edge.lease("declaring an incident") as session:
        write.write_incident(session, incident)
    _print([incident], form, as_json)
    edge.say(f"next: retrospan report write {incident.incident_id} -o post-mortem.html")
