"""`retrospan incidents`: time windows with symptoms."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from retrospan.edge import edge_of
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
            empty="no incident matches; `retrospan incidents declare --from … --to …` makes one",
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


@app.command("show")
def show_incident(
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id.")],
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Show one incident."""
    from store import read

    with edge_of(context).lease("showing an incident") as session:
        incident = read.read_incident(session, incident_id)
    _print([incident], form, as_json)


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
