"""`retrospan flows`: executions of business processes, rebuilt from spans."""

from typing import Annotated

import typer

from retrospan.contrasting import contrast_flows
from retrospan.edge import Edge, edge_of, put
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
from retrospan.timespan import humane, utc

app = typer.Typer(help="Flows: what ran, and how it ended.", no_args_is_help=True)

CELLS = (
    "flow_id", "name", "outcome", "start_ns", "end_ns", "duration_ns", "trace_ids", "span_count",
    "step_count", "attempt_count", "decision_count", "compensation_count", "architecture",
    "replayability", "complete",
)  # fmt: skip


def _int(row: Row, name: str) -> int | None:
    value = row[name]
    return value if isinstance(value, int) else None


COLUMNS = (
    field("flow", "flow_id"),
    field("name", "name"),
    field("outcome", "outcome"),
    Column(header="start (UTC)", show=lambda row: utc(_int(row, "start_ns"))),
    Column(header="duration", show=lambda row: humane(_int(row, "duration_ns")), right=True),
    field("steps (n)", "step_count", right=True),
    field("attempts (n)", "attempt_count", right=True),
    field("decisions (n)", "decision_count", right=True),
    field("compensations (n)", "compensation_count", right=True),
    field("replayability", "replayability"),
    field("complete", "complete"),
)


@app.command("list")
def list_flows(
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
    """List flows by start."""
    from retrospan.documents import flow_row
    from retrospan.selection import Options, choose, limited
    from store import read

    edge = edge_of(context)
    options = Options(
        since=since, until=until, service=service, outcome=outcome, where=where or (), limit=limit
    )
    with edge.lease("listing flows") as session:
        chosen = choose(session, options, CELLS)
        flows = read.read_flows(session, limited(chosen))
        underived = read.counts(session).underived_traces
    rows = chosen.rows([flow_row(flow) for flow in flows])
    warn_underived(edge, underived)
    show(
        Listing(
            document={"schema": "retrospan.flows/1", "flows": list(map(dict, rows))},
            rows=rows,
            columns=COLUMNS,
            cells=CELLS,
            empty="no flow matches; `retrospan ingest PATH` loads data",
        ),
        form,
        as_json,
    )


def warn_underived(edge: Edge, traces: int) -> None:
    """Data that came in and has not been made into flows yet takes no part in any answer."""
    if traces:
        edge.say(f"{traces} traces are stored and not yet part of a flow; run: retrospan ingest")


@app.command("show")
def show_flow(
    context: typer.Context,
    flow_id: Annotated[str, typer.Argument(metavar="ID", help="The flow's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one flow: its steps, what the checks say, what is left standing."""
    from retrospan.canonical import pretty
    from retrospan.documents import flow_document
    from retrospan.flow_page import STEP_COLUMNS, head, judgement, step_rows
    from store import read

    edge = edge_of(context)
    with edge.lease("showing a flow") as session:
        flow = read.read_flow(session, flow_id)
        sagas = read.read_sagas(session, [flow_id])
        findings = read.read_findings(session, [flow_id])
    document = flow_document(flow)
    if as_json:
        put([pretty(document)])
        return
    put(head(flow))
    show(
        Listing(
            document=document,
            rows=step_rows(flow),
            columns=STEP_COLUMNS,
            cells=(),
            empty="no step recorded",
        ),
        Format.TABLE,
        False,
    )
    put(judgement(sagas, findings))


app.command("contrast")(contrast_flows)
