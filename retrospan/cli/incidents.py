"""`retrospan incidents`: time windows with symptoms."""

from collections.abc import Mapping, Sequence
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
    from retrospan.causes import Causes
    from store.conclusions import Incident
    from store.model import JsonValue

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


def _first(row: Row) -> str:
    """The first candidate that was concluded of an incident, and what replay said of it."""
    candidates = row["candidates"]
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    if not isinstance(first, dict):
        return ""
    return f"{first['kind']} {first['name']} ({first['confirmed']})"


COLUMNS = (
    field("incident", "incident_id"),
    field("title", "title"),
    _time("start (UTC)", "start_ns"),
    _time("end (UTC)", "end_ns"),
    _time("recovered (UTC)", "recovered_ns"),
    field("affected flows (n)", "flow_count", right=True),
    Column(header="services", show=_services),
)
CAUSE = field("first candidate cause", "cause")


def _print(
    incidents: "Sequence[Incident]",
    form: Format,
    as_json: bool,
    known: "Mapping[str, Causes] | None" = None,
) -> None:
    from retrospan.cause_listing import cause_row
    from retrospan.documents import incident_row

    plain: list[Row] = []
    for one in incidents:
        causes = (known or {}).get(one.incident_id)
        candidates: list[JsonValue] = []
        if causes is not None:
            candidates += [dict(cause_row(it)) for it in causes.causes]
        plain.append({**incident_row(one), "candidates": candidates})
    wide: list[Row] = [
        {**row, "title": one.title, "end_ns": one.end_ns, "cause": _first(row)}
        for row, one in zip(plain, incidents, strict=True)
    ]
    show(
        Listing(
            document={
                "schema": "retrospan.incidents/1",
                "incidents": [dict(row) for row in plain],
            },
            rows=plain if form is Format.JSONL else wide,
            columns=(*COLUMNS, CAUSE) if any(row["cause"] for row in wide) else COLUMNS,
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
    from replay.settings import ReplaySettings
    from retrospan.causes import kept_causes
    from retrospan.documents import incident_row
    from retrospan.selection import Options, choose
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    settings = edge.settings().fill("replay", ReplaySettings)
    with edge.reading("listing incidents") as session:
        chosen = choose(session, options, CELLS)
        incidents = read.read_incidents(session)
        flow_ids = chosen.flow_ids(session)
        known = {
            one.incident_id: causes
            for one in incidents
            if (causes := kept_causes(session, one, settings)) is not None
        }
    if flow_ids is not None:
        ids = frozenset(flow_ids)
        incidents = [one for one in incidents if not ids.isdisjoint(one.flow_ids)]
    kept = {row["incident_id"] for row in chosen.rows([incident_row(one) for one in incidents])}
    _print([one for one in incidents if one.incident_id in kept], form, as_json, known)


Changes = Annotated[
    list[Path] | None,
    typer.Option(
        "--changes",
        metavar="FILE",
        help="Changes as JSON: a list, or lines, of {at, kind, service, name, text}. What lies "
        "around the incident is kept with it, in the place of earlier files.",
    ),
]
Metrics = Annotated[
    list[Path] | None,
    typer.Option(
        "--metrics",
        metavar="FILE",
        help="CSV with timestamp, service, metric, value. What lies around the incident is kept "
        "with it, in the place of earlier files.",
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
    forget: Annotated[
        bool, typer.Option("--forget-files", help="First drop the files kept with it.")
    ] = False,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Show one incident: its times, how far it reached, and what may have caused it.

    What replays said is kept and shown again at once, until the data or the files change.
    """
    from retrospan.cause_listing import document_of, page, row_of
    from retrospan.causes import causes_of
    from retrospan.incident_inputs import forget_inputs, keep_inputs
    from store import read

    edge = edge_of(context)
    with edge.reading("reading an incident") as session:
        incident = read.read_incident(session, incident_id)
    if forget:
        forget_inputs(edge, incident_id)
    if changes or metrics:
        keep_inputs(edge, incident, changes or (), metrics or ())
    found = causes_of(edge, incident_id, replays=confirm)
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
    from retrospan.incident_search import search
    from retrospan.slo_files import slos_of

    edge = edge_of(context)
    settings = edge.settings()
    wanted = slo or settings.tables.get("slo", {}).get("files")
    slos = [one for one in slos_of(settings, slo or ()) if one.good is not None] if wanted else []
    incidents, flows = search(edge, slos)
    _print(incidents, form, as_json)
    if not incidents:
        edge.say(f"no incident: nothing burns in {flows} flows")
    for incident in incidents:
        edge.say(f"next: retrospan incidents show {incident.incident_id}")


@app.command("declare")
def declare_incident(
    context: typer.Context,
    start: Annotated[str, typer.Option("--from", help="Start: RFC 3339, or `2h` before the end.")],
    end: Annotated[str, typer.Option("--to", help="End: RFC 3339, or `0s` for the end.")],
    title: Annotated[str, typer.Option(help="What to call it.")] = "Incident",
    changes: Changes = None,
    metrics: Metrics = None,
    form: FormatOption = Format.TABLE,
    as_json: AsJson = False,
) -> None:
    """Declare a time window an incident; its affected flows are found by their symptoms."""
    from retrospan.incident import declare
    from retrospan.incident_inputs import keep_inputs
    from retrospan.timespan import parse_moment
    from store import read, write
    from store.errors import UsageError

    if not 0 < len(title) <= TITLE_CHARS_MAX:
        raise UsageError(f"--title has 1 to {TITLE_CHARS_MAX} characters, this has {len(title)}")
    edge = edge_of(context)
    with edge.reading("reading flows for an incident") as session:
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
    if changes or metrics:
        keep_inputs(edge, incident, changes or (), metrics or ())
    _print([incident], form, as_json)
    edge.say(f"next: retrospan report write {incident.incident_id} -o post-mortem.html")
